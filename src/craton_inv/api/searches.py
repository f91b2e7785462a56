"""Searches that somebody wrote: their time limit, and what the database says against one in the words of the filter."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.limits import statement_timeout
from craton_inv.filters.nodes import And, Node
from craton_inv.filters.paths import Model
from craton_inv.filters.patterns import patterns_of
from craton_inv.filters.refused import refused_by_database
from craton_inv.models import Host
from craton_inv.repositories.patterns import trying
from craton_inv.settings import Settings


async def limit_filter_time(session: AsyncSession, settings: Settings, patterns: Sequence[str] = ()) -> None:
    """Hold the statements from here to the timeout of filtered lists: to the transaction's end at the latest.

    They are planned for their values each time: a plan for any value knows no selectivity and no declared index.
    `patterns` are tried first, within that time: a search alone judges them only when a row comes that far.
    """
    custom = func.set_config("plan_cache_mode", "force_custom_plan", True)  # SET LOCAL
    await session.execute(select(statement_timeout(settings.filter_statement_timeout), custom))
    if patterns:
        await session.execute(trying(patterns))


@asynccontextmanager
async def searching(
    session: AsyncSession, settings: Settings, *nodes: Node | None, model: Model = Host
) -> AsyncIterator[None]:
    """Run statements that ask for `nodes`, None for no search, on rows of `model` within their time.

    Raises InvalidFilter for a regular expression that PostgreSQL refuses, with its column; ServiceUnavailable, naming
    the terms, when the time is over.
    """
    asked = tuple(node for node in nodes if node is not None)
    if not asked:
        yield
        return
    patterns = [term.value.text for node in asked for term in patterns_of(node, model)]
    try:
        await limit_filter_time(session, settings, patterns)
        yield
    except DBAPIError as error:
        refusal = refused_by_database(error, And(asked))
        if refusal is None:
            raise
        raise refusal from error
    await session.execute(select(statement_timeout(settings.database_statement_timeout)))
