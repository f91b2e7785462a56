"""The transaction in which an update writes: locks, rows, its end and its job's; and that of a dry run, rolled back.

Rows, change set, the update's end and `done` commit together, guarded by the job's fencing token. A dry run saves in
the same way, takes its change set along out of a transaction that it rolls back, and commits that with its end.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.locks import lock_transaction, take_over_transaction
from craton_inv.db.session import unit_of_work
from craton_inv.errors import UpdateFailed
from craton_inv.jobs.context import JobContext
from craton_inv.jobs.limits import awake
from craton_inv.jobs.outcome import partial_text, result_of
from craton_inv.models import Inventory, InventoryUpdate
from craton_inv.providers import registry
from craton_inv.providers.credentials.hiding import hide_within
from craton_inv.queue import jobs
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.saving import SaveOptions
from craton_inv.repositories import deliveries
from craton_inv.repositories.activity import record_run
from craton_inv.repositories.change_sets import copy_in, copy_out, note_changes
from craton_inv.repositories.unconnected_links import unconnected_links
from craton_inv.services import dry_runs, update_versions
from craton_inv.services import update_lifecycle as lifecycle
from craton_inv.services.source_memory import SourceMemory
from craton_inv.services.update_events import EventWriter
from craton_inv.services.update_lifecycle import Started

COMPLETED_TEXT = "Inventory import completed."
PREVIEWED_TEXT = "Dry run completed; nothing was written."
STALE_PATIENCE = 2.0  # seconds that a save waits for the transaction of an earlier one to end
SPOOL_MEMORY = 4 * 1024 * 1024  # bytes of a dry run's change set held in memory


async def save(
    context: JobContext,
    started: Started,
    refresher: Refresher,
    kept: Mapping[str, Any],
    events: EventWriter,
    generation: int | None = None,
    memory: SourceMemory | None = None,
) -> None:
    """One transaction: locks, rows, the update's end with the columns `kept`, the job's end.

    `generation`: what the inventory must be at, for what a dry run was given. `memory`: what the provider remembers.
    """
    async with unit_of_work(context.session_factory) as session:
        current = await _begin(session, context, started)
        if generation is not None and current != generation:
            raise UpdateFailed(dry_runs.MOVED)
        await note_changes(session, started.update_id, generation=generation)
        options = await _options(session, context, started, kept)
        result = result_of(refresher, await refresher.save(await session.connection(), options), events)
        result["unconnected"] = await unconnected_links(session, options.source_id)
        if memory is not None and not refresher.incomplete:
            await memory.save(session)
        if started.dry_run_id is not None:
            await deliveries.drop_pieces(session, started.dry_run_id)
        if context.settings.activity_stream_enabled:
            await _tell(session, started, result)
        await _finish(session, context, started, events, refresher, result, kept, COMPLETED_TEXT)


async def preview(
    context: JobContext, started: Started, refresher: Refresher, kept: Mapping[str, Any], events: EventWriter
) -> None:
    """Save, take the change set along, roll back; then one transaction for it, the delivery and the end of both.

    What the guard would stop is told in the result.
    """
    with tempfile.SpooledTemporaryFile(max_size=SPOOL_MEMORY) as spool:
        verdicts: list[str] = []
        async with context.session_factory() as session:
            generation = await _begin(session, context, started)
            await note_changes(session, started.update_id, whole=True, generation=generation)
            options = replace(await _options(session, context, started, kept), verdicts=verdicts)
            result = result_of(refresher, await refresher.save(await session.connection(), options), events)
            result["unconnected"] = await unconnected_links(session, options.source_id)
            await copy_out(session, started.update_id, spool)
            await session.rollback()
        result |= {"dry_run": True, "guard": verdicts, "generation": generation}
        async with unit_of_work(context.session_factory) as session:
            await session.execute(text("SET LOCAL statement_timeout = 0"))
            await awake(session, context)
            spool.seek(0)
            await copy_in(session, spool)
            if not refresher.incomplete:
                hours = context.settings.dry_run_hours
                expires = await dry_runs.keep(
                    session, started.update_id, generation, hours, refresher, kept["collected_at"]
                )
                result["expires"] = expires.isoformat()
            await _finish(session, context, started, events, refresher, result, kept, PREVIEWED_TEXT)


async def _begin(session: AsyncSession, context: JobContext, started: Started) -> int:
    """Take the locks. Returns the inventory's generation. Raises UpdateFailed when the inventory is going away."""
    definition = started.definition
    await session.execute(text("SET LOCAL statement_timeout = 0"))
    await awake(session, context)
    # One update of a source at a time: who holds the lock now is a worker that lost its lease and sleeps.
    name = f"inventory_source:{definition.id}"
    if await take_over_transaction(session, name, STALE_PATIENCE, lambda: _renew(context)):
        context.log.warning("stale_refresh_ended", source_id=definition.id)
    await lock_transaction(session, f"inventory:{definition.inventory_id}")
    # Keeps the inventory from being deleted meanwhile, and nobody from writing into it.
    found = await session.execute(
        select(Inventory.pending_deletion, Inventory.generation)
        .where(Inventory.id == definition.inventory_id)
        .with_for_update(read=True, key_share=True)
    )
    row = found.one_or_none()
    if row is None or row.pending_deletion:
        raise UpdateFailed("The inventory is being deleted.")
    return int(row.generation)


async def _options(
    session: AsyncSession, context: JobContext, started: Started, kept: Mapping[str, Any]
) -> SaveOptions:
    """How this update saves."""
    definition = started.definition
    version = kept["collected_at"]
    newest, newest_full = await update_versions.collected_before(session, definition.id)
    stale = newest is not None and newest > version
    later = await update_versions.targets_after(session, definition.id, version) if stale else frozenset()
    return SaveOptions(
        source_id=definition.id,
        update_id=started.update_id,
        scope={"inventory_id": definition.inventory_id, "tenant_id": definition.tenant_id},
        delete=started.overwrite,
        replace=started.overwrite_vars,
        force_delete=started.force_delete or registry.get(definition.kind).derived,
        filter_timeout=context.settings.filter_statement_timeout,
        version=version,
        # Without one before it there is nothing to look at; the moment of this refresh then says so.
        newest=newest or version,
        newest_full=newest_full,
        later_targets=later,
    )


async def _tell(session: AsyncSession, started: Started, result: Mapping[str, Any]) -> None:
    """One entry of the activity stream for the run."""
    update = await session.get_one(InventoryUpdate, started.update_id)
    inventory = await session.get_one(Inventory, started.definition.inventory_id)
    figures = {
        name: {action: counts[action] for action in ("created", "updated", "deleted") if counts[action]}
        for name, counts in result["collections"].items()
    }
    await record_run(session, update, inventory.name, {name: told for name, told in figures.items() if told})


async def _finish(
    session: AsyncSession,
    context: JobContext,
    started: Started,
    events: EventWriter,
    refresher: Refresher,
    result: dict[str, Any],
    kept: Mapping[str, Any],
    said: str,
) -> None:
    """End the update and its job. What was read is kept; clients know no status for a part of it but failed."""
    status, reason = "successful", ""
    if refresher.incomplete:
        status, reason = "failed", partial_text(refresher.incomplete)
    await events.flush()
    await lifecycle.end(
        session,
        started.update_id,
        status,
        reason,
        result=hide_within(events.hide, result),
        kept=hide_within(events.hide, kept),
    )
    await events.last(session, reason or said)
    await jobs.finish(session, context.claim)


async def _renew(context: JobContext) -> None:
    """Raise LeaseLost when another worker has the job."""
    async with unit_of_work(context.session_factory) as session:
        await jobs.renew(session, context.claim, context.settings.job_lease)
