"""The life of an update: pending -> (waiting) -> running -> successful | failed | error | canceled, its source in step.

Rows are locked in one order everywhere: source, update, job.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from craton_inv.db.session import after_commit
from craton_inv.models import InventorySource, InventorySourceUpload, InventoryUpdate, Job
from craton_inv.models.inventory_update import ACTIVE, ENDED
from craton_inv.providers import registry
from craton_inv.providers.base import SourceDefinition
from craton_inv.queue.bell import Bell
from craton_inv.queue.jobs import BELL, Claim
from craton_inv.refresh.target import Targets
from craton_inv.repositories import input_inventories
from craton_inv.services import update_on_launch
from craton_inv.services.update_definition import definition_of, kept_definition
from craton_inv.services.update_events import storable
from craton_inv.services.update_targets import drop_targets, load_targets

SOURCE_LOCK: dict[str, Any] = {"key_share": True}  # the rows of a refresh refer to it and do not stand in the way
WAITING = ("new", "pending", "waiting")
FORCE_DELETE = "force_delete"
UPDATE, DRY_RUN, APPLY = "update", "dry_run", "apply"
CANCELED_TEXT = "Inventory update has been canceled"
TIMED_OUT_TEXT = "Inventory update has timed out"


@dataclass(frozen=True)
class Started:
    """What a worker needs to run an update. `resumed`: another worker had begun it. `dry_run_id`: what it applies.

    `timeout`: seconds, 0 for the default, less for none. `notes`: what the run has to say before it begins.
    """

    update_id: int
    definition: SourceDefinition
    overwrite: bool
    overwrite_vars: bool
    force_delete: bool
    timeout: float
    targets: Targets
    credential_id: int | None
    resumed: bool = False
    purpose: str = UPDATE
    dry_run_id: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ended:
    """The update has ended already; the job has nothing to do."""


@dataclass(frozen=True)
class Busy:
    """Another update of the source, or of an input, is not over; this one has to wait."""


async def start(session: AsyncSession, update_id: int, claim: Claim) -> Started | Ended | Busy:
    """Move an update to `running` for the worker that claimed its job, or say why not."""
    source_id = await session.scalar(select(InventoryUpdate.inventory_source_id).where(InventoryUpdate.id == update_id))
    source = await session.get(InventorySource, source_id, with_for_update=SOURCE_LOCK) if source_id else None
    row = await session.get(InventoryUpdate, update_id, with_for_update=True)
    if source is None or row is None or row.status in ENDED:
        return Ended()
    if row.cancel_requested:
        await end(session, row.id, "canceled", CANCELED_TEXT)
        return Ended()
    await end_lost(session, source.id)
    running = await session.scalar(
        select(InventoryUpdate.id).where(
            InventoryUpdate.inventory_source_id == source.id,
            InventoryUpdate.status == "running",
            InventoryUpdate.id != row.id,
        )
    )
    resumed = row.status == "running"
    constructed = source.source == input_inventories.KIND and row.purpose == UPDATE
    if running is not None or (constructed and not resumed and await update_on_launch.awaited(session, row)):
        row.status = "waiting"
        await session.flush()
        return Busy()
    notes = await update_on_launch.failures(session, row) if constructed and not resumed else []
    return replace(await _begin(session, source, row, claim), resumed=resumed, notes=tuple(notes))


async def _begin(session: AsyncSession, source: InventorySource, row: InventoryUpdate, claim: Claim) -> Started:
    """Show the update as running, with its source as it is now."""
    row.status = "running"
    row.started = row.started or func.clock_timestamp()  # not that of the transaction, which waited for the source
    row.execution_node = claim.worker
    row.source_definition = kept_definition(source)
    row.credential_id = source.credential_id
    mark_source(source, row)
    targets = await _targets(session, source, row)
    await session.flush()
    upload = await session.get(InventorySourceUpload, source.id, options=[undefer(InventorySourceUpload.content)])
    return Started(
        update_id=row.id,
        definition=definition_of(source, row.id, upload),
        overwrite=source.overwrite,
        overwrite_vars=source.overwrite_vars,
        force_delete=bool(row.options.get(FORCE_DELETE)),
        timeout=float(source.timeout),
        targets=targets,
        credential_id=source.credential_id,
        purpose=row.purpose,
        dry_run_id=row.dry_run_id,
    )


async def _targets(session: AsyncSession, source: InventorySource, row: InventoryUpdate) -> Targets:
    """What the update is to refresh; all of the source when its kind has changed and takes such targets no more."""
    if row.kind == "full":
        return Targets(source.id)
    targets = await load_targets(session, row.id, source.id)
    provider = registry.providers().get(source.source)
    if provider is not None and provider.allow_targeted_refresh and targets.items:
        ways = {name: [set(columns) for columns in each] for name, each in provider.target_refs.items()}
        if all(set(item.columns) in ways.get(item.association, ()) for item in targets.items):
            return targets
    await widen(session, row)
    return Targets(source.id)


async def widen(session: AsyncSession, row: InventoryUpdate) -> None:
    """Make an update of single objects one of the whole source, with the options that are meant for the whole."""
    row.kind = "full"
    row.options = for_the_whole(row.options)
    await drop_targets(session, row.id)
    await session.flush()


def for_the_whole(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options given for single objects, where all of the source is refreshed instead.

    Whoever let single objects go against the deletion guard did not say so of the others.
    """
    return {name: value for name, value in options.items() if name != FORCE_DELETE}


def mark_source(source: InventorySource, row: InventoryUpdate) -> None:
    """Show a waiting or running update on its source; a running one stays in sight when another starts to wait.

    A dry run writes nothing: its source shows nothing of it.
    """
    if row.purpose == DRY_RUN:
        return
    if source.status == "running" and row.status != "running":
        return
    source.status = row.status
    source.current_update_id = row.id


async def end(
    session: AsyncSession,
    update_id: int,
    status: str,
    explanation: str = "",
    *,
    result: dict[str, Any] | None = None,
    traceback: str = "",
    kept: Mapping[str, Any] | None = None,
) -> bool:
    """End an update with its source; False when it had ended before. Rings for the update that waits behind it.

    `kept`: further columns of the update, such as the command it ran.
    """
    source_id = await session.scalar(select(InventoryUpdate.inventory_source_id).where(InventoryUpdate.id == update_id))
    source = (
        await session.get(InventorySource, source_id, with_for_update=SOURCE_LOCK, populate_existing=True)
        if source_id
        else None
    )
    row = await session.get(InventoryUpdate, update_id, with_for_update=True, populate_existing=True)
    if source is None or row is None or row.status in ENDED:
        return False
    for column, value in (kept or {}).items():
        setattr(row, column, value)
    explanation = storable(explanation)
    now = await session.scalar(select(func.clock_timestamp()))
    row.status = status
    row.job_explanation = explanation
    row.finished = now
    row.canceled_on = now if status == "canceled" else None
    row.result = result or {}
    row.result_traceback = storable(traceback)
    row.event_processing_finished = True
    if row.purpose != DRY_RUN:
        source.last_updated = now
        source.last_error = "" if status == "successful" else explanation
        source.last_update_id = row.id
    await session.flush()
    following = await _show_following(session, source, None if row.purpose == DRY_RUN else status)
    if following is not None and following.status != "running":
        await _ring_for(session, following)
    for behind in await update_on_launch.waiting_behind(session, source):
        await _ring_for(session, behind)
    return True


async def _show_following(session: AsyncSession, source: InventorySource, status: str | None) -> InventoryUpdate | None:
    """Let a source show the update that runs or waits beside one that ended, else how that one ended.

    `status`: how; None for a dry run, of which the source shows nothing. Returns the run that is next, or runs.
    """
    found = await session.scalars(
        select(InventoryUpdate)
        .where(InventoryUpdate.inventory_source_id == source.id, InventoryUpdate.status.in_(ACTIVE))
        .order_by(InventoryUpdate.status != "running", InventoryUpdate.id)
    )
    active = found.all()
    if status is not None:
        shown = next((row for row in active if row.purpose != DRY_RUN), None)
        source.status = status if shown is None else shown.status
        source.current_update_id = None if shown is None else shown.id
        await session.flush()
    return next(iter(active), None)


async def _ring_for(session: AsyncSession, row: InventoryUpdate) -> None:
    """The job of an update that waited is due now."""
    job_id = row.job_id
    if job_id is None:
        return
    await session.execute(
        update(Job)
        .where(Job.id == job_id, Job.status == "queued")
        .values(run_at=func.now())
        .execution_options(synchronize_session=False)
    )
    bell: Bell | None = session.info.get(BELL)
    if bell is not None:
        ring = bell.ring
        after_commit(session, lambda: ring(job_id))


async def end_lost(session: AsyncSession, source_id: int | None = None) -> None:
    """End updates, of one source or of all, that look active though their job is over or gone: nobody works on them."""
    query = (
        select(InventoryUpdate.id)
        .outerjoin(Job, Job.id == InventoryUpdate.job_id)
        .where(InventoryUpdate.status.not_in(ENDED), Job.id.is_(None) | Job.status.not_in(("queued", "running")))
    )
    if source_id is not None:
        query = query.where(InventoryUpdate.inventory_source_id == source_id)
    lost = await session.scalars(query)
    for update_id in lost.all():
        await end(session, update_id, "error", "Its job ended without finishing the update.")
