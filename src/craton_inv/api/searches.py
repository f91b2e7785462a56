"""Searches that somebody wrote: their time limit, and what the database says against one in the words of the filter."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.filters import errors
from craton_inv.filters.nodes import And, Node
from craton_inv.settings import Settings


async def limit_filter_time(session: AsyncSession, settings: Settings) -> None:
    """Hold the statements from here to the timeout of filtered lists: to the transaction's end at the latest."""
    await _limit(session, settings.filter_statement_timeout)


async def _limit(session: AsyncSession, seconds: float) -> None:
    local = func.set_config("statement_timeout", f"{int(seconds * 1000)}ms", True)  # SET LOCAL
    await session.execute(select(local))


@asynccontextmanager
async def searching(session: AsyncSession, settings: Settings, *nodes: Node | None) -> AsyncIterator[None]:
    """Run statements that ask for `nodes`, None for no search, within their time.

    Raises InvalidFilter for a regular expression that PostgreSQL refuses, with its column; ServiceUnavailable, naming
    the terms, when the time is over.
    """
    asked = tuple(node for node in nodes if node is not None)
    if not asked:
        yield
        return
    await limit_filter_time(session, settings)
    try:
        yield
    except DBAPIError as error:
        refusal = errors.refused_by_database(error, And(asked))
        if refusal is None:
            raise
        raise refusal from error
    await _limit(session, settings.database_statement_timeout)
