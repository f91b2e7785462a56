"""Runs one inventory update: gather from the provider, then save, end the update and finish the job in one transaction.

Everything that an update writes into the inventory commits together with `done`, guarded by the job's fencing token: an
update counts once however many workers died over it.
"""

import json
import traceback
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import asyncpg
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.session import unit_of_work
from craton_inv.errors import CratonInvError, ServiceUnavailable, TransientError, UpdateCanceled
from craton_inv.jobs.context import JobContext, Task
from craton_inv.jobs.faults import is_conflict, is_transient
from craton_inv.jobs.limits import awake, within_limits
from craton_inv.jobs.saving import preview, save
from craton_inv.models import InventoryUpdate
from craton_inv.providers import registry
from craton_inv.providers.base import ProjectFiles, SourceDefinition, Surroundings
from craton_inv.queue import jobs
from craton_inv.queue.jobs import LeaseLost
from craton_inv.refresh.refresher import Refresher
from craton_inv.services import dry_runs, update_versions
from craton_inv.services import update_lifecycle as lifecycle
from craton_inv.services.constructed_inputs import Inputs
from craton_inv.services.project_files import files_of_source
from craton_inv.services.source_credentials import for_run
from craton_inv.services.source_memory import SourceMemory
from craton_inv.services.update_events import EventWriter
from craton_inv.services.update_lifecycle import Started

BUSY_DELAY = 2.0  # seconds until a job looks again whether the source's running update has ended
SAVE_ATTEMPTS = 4  # a save that lost a deadlock against a writer of the API is made again from the spools


async def refresh(context: JobContext) -> None:
    """The job: `args` holds `update_id`. Expected failures end the update; transient ones raise, to be tried again."""
    update_id = int(context.args["update_id"])
    async with unit_of_work(context.session_factory) as session:
        await awake(session, context)
        started = await lifecycle.start(session, update_id, context.claim)
        if isinstance(started, lifecycle.Ended):
            await jobs.finish(session, context.claim)
            return
        if isinstance(started, lifecycle.Busy):
            await jobs.release(session, context.claim, delay=BUSY_DELAY, count=False)
            return
    async with EventWriter(context.session_factory, update_id, started.definition.verbosity) as events:
        if started.resumed:
            events.say(f"Resumed by worker {context.claim.worker} (attempt {context.claim.attempt}).")
        for note in started.notes:
            events.say(note)
        await _run(context, started, events)


async def _run(context: JobContext, started: Started, events: EventWriter) -> None:
    """Work until done, cancelled or out of time, and write how it ended."""
    try:
        limit = started.timeout or context.settings.inventory_update_timeout
        wish = select(InventoryUpdate.cancel_requested).where(InventoryUpdate.id == started.update_id)
        await within_limits(context, _work(context, started, events), seconds=limit, wish=wish)
    except LeaseLost:
        raise
    except UpdateCanceled as stop:
        text_ = lifecycle.TIMED_OUT_TEXT if stop.reason == "timeout" else lifecycle.CANCELED_TEXT
        await _end(context, started, events, "canceled", text_)
    except ServiceUnavailable as fault:
        attempt, most = context.claim.attempt, context.max_attempts
        if attempt < most:
            events.say(f"{fault.message} It will be tried again (attempt {attempt} of {most}).")
            patience = int(fault.headers["Retry-After"])
            raise TransientError(events.hide(fault.message), retry_after=patience, code=fault.code) from None
        await _end(context, started, events, "failed", f"{fault.message} Given up after {attempt} attempts.")
    except CratonInvError as failure:
        await _end(context, started, events, "failed", failure.message)
    except Exception as error:
        if is_transient(error):
            events.say(f"Interrupted ({type(error).__name__}); it will be tried again.")
            if events.hide(said := "".join(traceback.format_exception(error))) != said:
                raise ServiceUnavailable(f"Interrupted ({type(error).__name__}).") from None
            raise
        trace = events.hide("".join(traceback.format_exception(error)))
        context.log.error("update_error", update_id=started.update_id, exception=trace)
        reason = "Error occured while saving inventory data, see traceback or server logs"
        await _end(context, started, events, "error", reason, trace)


async def _work(context: JobContext, started: Started, events: EventWriter) -> None:
    definition = await _logged_in(context, started, events)
    memory = SourceMemory(definition, started.overwrite, started.overwrite_vars, started.credential_id)
    if started.purpose == lifecycle.UPDATE:  # a dry run needs the whole delivery, for who applies it
        async with context.session_factory() as session:
            await memory.load(session)
    kept: dict[str, Any] = {}
    around = _surroundings(context, definition, memory, events, kept)
    refresher = registry.refresher(definition, started.targets, around)
    try:
        generation = await _obtain(context, started, refresher, kept)
        for attempt in range(1, SAVE_ATTEMPTS + 1):
            try:
                if started.purpose == lifecycle.DRY_RUN:
                    await preview(context, started, refresher, kept, events)
                else:
                    await save(context, started, refresher, kept, events, generation, memory)
                return
            except (DBAPIError, asyncpg.PostgresError) as error:
                if attempt == SAVE_ATTEMPTS or not is_conflict(error):
                    raise
                events.say("Another writer was in the way; saving again.")
    finally:
        await refresher.close()


def _surroundings(
    context: JobContext, definition: SourceDefinition, memory: SourceMemory, events: EventWriter, kept: dict[str, Any]
) -> Surroundings:
    """What the provider gets beside its source. What it tells of its run goes into `kept`, by the update's columns."""

    def keep_command(command: list[str], cwd: str, environment: dict[str, str]) -> None:
        kept.update(job_args=json.dumps(command), job_cwd=cwd, job_env=environment)

    async def project() -> ProjectFiles:
        found = await files_of_source(context.session_factory, context.settings, definition, events.say, events.conceal)
        kept["scm_revision"] = found.revision
        return found

    return Surroundings(
        context.settings,
        events.say,
        events.progress,
        keep_command,
        Inputs(context.session_factory, definition.inventory_id),
        project=project,
        remembered=memory.state,
        remember=memory.remember,
    )


async def _obtain(context: JobContext, started: Started, refresher: Refresher, kept: dict[str, Any]) -> int | None:
    """Gather, or take what a dry run kept; returns the generation that the inventory must be at then."""
    if started.purpose == lifecycle.APPLY:
        async with context.session_factory() as session:
            source = started.definition
            generation, kept["collected_at"] = await dry_runs.fill(session, started.dry_run_id, source, refresher)
        return generation
    async with context.session_factory() as session:
        kept["collected_at"] = await update_versions.now(session)
    await refresher.gather()
    return None


async def _logged_in(context: JobContext, started: Started, events: EventWriter) -> SourceDefinition:
    """The definition with what the source logs in with, opened for this run; from here on nothing tells it."""
    async with unit_of_work(context.session_factory) as session:
        found = await for_run(session, context.settings, started.credential_id)
    events.conceal(found)
    return replace(started.definition, credentials=found)


async def _end(
    context: JobContext, started: Started, events: EventWriter, status: str, reason: str, trace: str = ""
) -> None:
    """End the update and the job together; the reason is the last event."""
    reason, trace = events.hide(reason), events.hide(trace)
    await events.flush()
    async with unit_of_work(context.session_factory) as session:
        await awake(session, context)
        if await lifecycle.end(session, started.update_id, status, reason, traceback=trace):
            await events.last(session, reason)
        await jobs.finish(session, context.claim, "canceled" if status == "canceled" else "done", reason)


async def gave_up(session: AsyncSession, args: Mapping[str, Any], error: str) -> None:
    """All attempts are used up: the update ends as `error`."""
    await lifecycle.end(session, int(args["update_id"]), "error", error)


TASK = Task(refresh, gave_up)
