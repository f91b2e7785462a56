"""Regular expressions: PostgreSQL runs them, so PostgreSQL decides which are valid."""

from collections.abc import Iterable, Sequence
from time import monotonic
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.limits import within
from craton_inv.filters.refused import INVALID_PATTERN, QUERY_CANCELED

# What the patterns of a filter may take to be read: `(.*.*.*.*.*.*.*.*.*.*.*.*.*.*){100}` takes half a minute.
SECONDS = 2.0


def trying(patterns: Iterable[str]) -> Select[*tuple[Any, ...]]:
    """A statement that fails when PostgreSQL does not take one of `patterns`."""
    tried: list[ColumnElement[bool]] = [
        literal("", Text()).regexp_match(literal(pattern, Text())) for pattern in dict.fromkeys(patterns)
    ]
    return select(*tried)


async def first_fault(session: AsyncSession, patterns: Sequence[str]) -> tuple[int, str] | None:
    """Which of `patterns` PostgreSQL does not take, and why; None when it takes all. All together have `SECONDS`."""
    end = monotonic() + SECONDS
    for place, pattern in enumerate(patterns):
        fault = await _fault(session, pattern, end - monotonic())
        if fault:
            return place, fault
    return None


async def _fault(session: AsyncSession, pattern: str, seconds: float) -> str:
    try:
        async with within(session, seconds):
            await session.execute(trying([pattern]))
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        state = getattr(cause, "sqlstate", None)
        if state == QUERY_CANCELED:
            return "it takes too long to read"
        if state != INVALID_PATTERN:
            raise
        return str(cause).removeprefix("invalid regular expression: ")
    return ""
