"""Counting the hosts of many stored searches, for as long as the caller is willing to wait."""

from collections.abc import Mapping
from time import monotonic

from sqlalchemy import BigInteger, ColumnElement, func, literal, select, union_all
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.limits import within
from craton_inv.filters.refused import refused_by_database
from craton_inv.models import Host

# A count by itself may take one part in so many of the time that is left.
SHARES = 4
# A count that has less time than this, in seconds, is not begun.
SHORTEST = 0.005


async def count_names(
    session: AsyncSession, searches: Mapping[int, ColumnElement[bool]], seconds: float
) -> dict[int, int | None]:
    """How many host names each search finds, by its key; None for one that is no longer valid or takes too long.

    That is the number of hosts once twins are left out, without looking which twin stays: six times as fast.

    All of them are one statement. Only when that one fails, by half of the time at the latest, each is counted by
    itself in at most a quarter of the time that is left: a few bad searches cost their own numbers and no other that
    is quick. `seconds` are not exceeded.
    """
    if not searches:
        return {}
    end = monotonic() + seconds
    lone = len(searches) == 1
    together = await _counted(session, searches, seconds if lone else seconds / 2)
    if together is not None:
        return {**together}
    if lone:
        return dict.fromkeys(searches)
    found: dict[int, int | None] = {}
    for place, (key, where) in enumerate(searches.items()):
        share = (end - monotonic()) / min(SHARES, len(searches) - place)
        alone = None if share < SHORTEST else await _counted(session, {key: where}, share)
        found[key] = None if alone is None else alone[key]
    return found


async def _counted(
    session: AsyncSession, searches: Mapping[int, ColumnElement[bool]], seconds: float
) -> dict[int, int] | None:
    """One statement; None when the database refuses it or does not end in time."""
    counts = [
        select(literal(key, BigInteger()), select(func.count(Host.name.distinct())).where(where).scalar_subquery())
        for key, where in searches.items()
    ]
    try:
        async with within(session, seconds):
            return {row[0]: row[1] for row in await session.execute(union_all(*counts))}
    except DBAPIError as error:
        if refused_by_database(error, None) is None:
            raise
        return None
