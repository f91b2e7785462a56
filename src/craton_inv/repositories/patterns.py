"""Regular expressions: PostgreSQL runs them, so PostgreSQL decides which are valid."""

from sqlalchemy import Text, literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

INVALID_PATTERN = "2201B"


async def pattern_fault(session: AsyncSession, pattern: str) -> str:
    """Why PostgreSQL does not take `pattern`; "" when it does."""
    try:
        async with session.begin_nested():
            await session.execute(select(literal("", Text()).op("~")(literal(pattern, Text()))))
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else None
        if getattr(cause, "sqlstate", None) != INVALID_PATTERN:
            raise
        return str(cause).removeprefix("invalid regular expression: ")
    return ""
