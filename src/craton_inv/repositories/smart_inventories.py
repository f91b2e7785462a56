"""Counting the hosts of many stored searches in one statement, for as long as the caller is willing to wait."""

from collections.abc import Mapping

from sqlalchemy import BigInteger, ColumnElement, func, literal, select, union_all
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.filters.errors import refused_by_database
from craton_inv.models import Host


async def count_hosts(
    session: AsyncSession, searches: Mapping[int, ColumnElement[bool]], seconds: float
) -> dict[int, int | None]:
    """The number of hosts per search, by its key.

    None for all when they need more than `seconds` together, or when one of them is no longer valid.
    """
    if not searches:
        return {}
    counts = [
        select(literal(key, BigInteger()), select(func.count()).select_from(Host).where(where).scalar_subquery())
        for key, where in searches.items()
    ]
    before = await session.scalar(select(func.current_setting("statement_timeout")))
    try:
        async with session.begin_nested():
            await session.execute(select(func.set_config("statement_timeout", f"{int(seconds * 1000)}ms", True)))
            found: dict[int, int | None] = {}
            for key, count in await session.execute(union_all(*counts)):
                found[key] = count
            await session.execute(select(func.set_config("statement_timeout", before, True)))
    except DBAPIError as error:
        if refused_by_database(error, None) is None:
            raise
        return dict.fromkeys(searches)
    return found
