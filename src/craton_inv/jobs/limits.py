"""Work within its limits: stopped when somebody asks, once its time is over, or while it sleeps on locks."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar

from sqlalchemy import Select, text
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import UpdateCanceled
from craton_inv.jobs.context import JobContext

T = TypeVar("T")
CANCEL_POLL = 0.5  # seconds between two looks at a run's wish to be cancelled


async def within_limits(context: JobContext, work: Coroutine[Any, Any, T], *, seconds: float, wish: Select[bool]) -> T:
    """What `work` returns. It is stopped after `seconds` (0 or less: never), and for a wish to cancel.

    `wish`: selects whether the run is to be cancelled; a run that is gone is. Raises UpdateCanceled, with the reason
    "canceled" or "timeout", and whatever the work raises.
    """
    working = asyncio.ensure_future(work)
    watching = asyncio.ensure_future(cancel_asked(context, wish))
    try:
        await asyncio.wait(
            {working, watching}, timeout=seconds if seconds > 0 else None, return_when=asyncio.FIRST_COMPLETED
        )
        if working.done():
            return await working
        raise UpdateCanceled("stopped", reason="canceled" if watching.done() else "timeout")
    finally:
        for task in (working, watching):
            task.cancel()
        await asyncio.gather(working, watching, return_exceptions=True)


async def cancel_asked(context: JobContext, wish: Select[bool]) -> None:
    """Return once somebody asked: by the job's heartbeat, or sooner by the run's row."""
    while not context.canceled.is_set():
        try:
            async with context.session_factory() as session:
                if await session.scalar(wish) is not False:
                    return
        except Exception as error:
            # No answer is no wish to cancel; if the database is away the work itself finds out.
            context.log.warning("cancel_not_read", run=dict(context.args), error=repr(error))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(context.canceled.wait(), CANCEL_POLL)


async def awake(session: AsyncSession, context: JobContext) -> None:
    """A worker that sleeps in the middle of the transaction for longer than its lease loses its locks with it."""
    milliseconds = int(context.settings.job_lease * 1000)
    await session.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = {milliseconds}"))
