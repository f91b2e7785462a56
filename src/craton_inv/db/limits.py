"""Statements that may take so long and no longer, inside a transaction that goes on without them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession


def statement_timeout(seconds: float) -> ColumnElement[str]:
    """To be selected: statements after this one end in so many seconds, until the transaction or savepoint does."""
    limit = f"{max(1, int(seconds * 1000))}ms"  # 0 would be no limit
    return func.set_config("statement_timeout", limit, True)  # SET LOCAL


@asynccontextmanager
async def within(session: AsyncSession, seconds: float) -> AsyncIterator[None]:
    """Hold each statement of the block to `seconds`; what the block did is undone when one fails.

    The error passes on, one of `statement_timeout` as well; the transaction stays whole.
    """
    before = await session.scalar(select(func.current_setting("statement_timeout")))
    async with session.begin_nested():
        await session.execute(select(statement_timeout(seconds)))
        yield
        await session.execute(select(func.set_config("statement_timeout", before, True)))
