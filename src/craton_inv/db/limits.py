"""Statements that may take so long and no longer, inside a transaction that goes on without them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
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


@asynccontextmanager
async def within_at_the_end(session: AsyncSession, seconds: float) -> AsyncIterator[None]:
    """The same at two round trips less than half, for what every write ends with, and for rows that no object shows.

    Afterwards the timeout is the connection's own, whatever it was before. The transaction must have begun.
    """
    proxy = await (await session.connection()).get_raw_connection()
    # The driver's simple protocol takes several commands at once.
    driver: asyncpg.Connection = proxy.driver_connection
    await driver.execute(f"SAVEPOINT attempt; SET LOCAL statement_timeout = {max(1, int(seconds * 1000))}")
    try:
        yield
    except BaseException:
        if not driver.is_closed():
            await driver.execute("ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt")
        raise
    await driver.execute("SET LOCAL statement_timeout TO DEFAULT; RELEASE SAVEPOINT attempt")
