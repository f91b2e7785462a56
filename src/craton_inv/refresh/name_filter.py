"""Leave delivered objects out by a regular expression over their name, run by PostgreSQL under a time limit."""

import re

from sqlalchemy import String
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from craton_inv.errors import UpdateFailed
from craton_inv.refresh.sql import compose, quote
from craton_inv.refresh.staging import Stage

MAX_PATTERN = 512
# No valid expression, out of time, too complex. Anything else is no fault of the pattern and may pass.
PATTERNS_FAULT = ("2201B", "57014", "54000", "54001")
_OPTIONS = re.compile(r"\(\?[a-z]+\)")


def anchored(pattern: str) -> str:
    """`pattern` bound to the start; options such as (?i), which must come first, stay in front."""
    options = _OPTIONS.match(pattern)
    head = options[0] if options else ""
    return f"{head}^(?:{pattern[len(head) :]})"


async def apply_name_filter(connection: AsyncConnection, stage: Stage, seconds: float) -> int:
    """Delete the staged rows that do not match from their start (AWX matches `host_filter` so). Returns how many.

    Raises UpdateFailed with PostgreSQL's own message for a pattern that is wrong or takes longer than `seconds`.
    """
    pattern = stage.collection.name_filter
    if len(pattern) > MAX_PATTERN:
        raise UpdateFailed(f"host_filter has {len(pattern)} characters; at most {MAX_PATTERN} are allowed.")
    await connection.execute(compose(f"SET LOCAL statement_timeout = {int(seconds * 1000)}"))
    try:
        result = await connection.execute(
            compose(
                "DELETE FROM <stage> s WHERE s.<name> !~ :pattern",
                {"pattern": (anchored(pattern), String())},
                stage=stage.table,
                name=quote(stage.collection.manager_ref[0]),
            )
        )
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig is not None else error
        if getattr(cause, "sqlstate", "") not in PATTERNS_FAULT:
            raise
        raise UpdateFailed(f"host_filter {pattern!r} does not work: {cause}.") from error
    await connection.execute(compose("SET LOCAL statement_timeout = 0"))
    return result.rowcount
