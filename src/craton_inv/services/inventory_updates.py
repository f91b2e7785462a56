"""Inventory updates as a caller asks for them: started, merged into a waiting one, cancelled."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import Conflict, InvalidField, MethodNotAllowed
from craton_inv.models import Inventory, InventorySource, InventoryUpdate
from craton_inv.models.inventory_update import ENDED
from craton_inv.providers import registry
from craton_inv.providers.events import ObjectRef
from craton_inv.queue import jobs
from craton_inv.repositories.input_inventories import KIND as CONSTRUCTED
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.repositories.inventory_updates import InventoryUpdateRepository
from craton_inv.repositories.scope import ADMIN, WRITE, Scope
from craton_inv.services.inventory_sources import why_not_updatable
from craton_inv.services.pending_deletion import refuse_pending_source
from craton_inv.services.update_definition import kept_definition
from craton_inv.services.update_lifecycle import (
    CANCELED_TEXT,
    DRY_RUN,
    FORCE_DELETE,
    SOURCE_LOCK,
    UPDATE,
    WAITING,
    end,
    end_lost,
    for_the_whole,
    mark_source,
    widen,
)
from craton_inv.services.update_on_launch import due_inputs
from craton_inv.services.update_targets import add_targets, distinct

FULL, TARGETED = "full", "targeted"
DEPENDENCY = "dependency"
THRESHOLD = 100
NAME_LENGTH = 512


async def launch(
    session: AsyncSession,
    scope: Scope,
    source_id: int,
    options: Mapping[str, Any] | None = None,
    *,
    launch_type: str = "manual",
    targets: Sequence[ObjectRef] | None = None,
    threshold: int = THRESHOLD,
) -> InventoryUpdate:
    """Ask for an update of a source: the update and job rows, committed by the caller. Merges into a waiting update.

    `options`: `force_delete` (needs the admin role) goes past the deletion guard; `dry_run` makes it one that writes
    nothing, which waits beside updates and merges with an equal one only. `targets`: only these objects, unless
    there are more than `threshold` (or the provider's own) in the update, or the provider refreshes whole sources only;
    None for the whole source. An update of a constructed inventory first asks for those of its inputs' sources that
    are due, and waits for them. Raises NotFound, Forbidden, MethodNotAllowed (405) when the source cannot be updated,
    InvalidField for options, Conflict.
    """
    source = await InventorySourceRepository(session, scope).get(source_id, lock=True)
    scope.require(source.tenant_id, WRITE, "inventory sources")
    refuse_pending_source(source)
    wanted = _read_options(scope, source, options or {})
    reason = await why_not_updatable(session, scope, source)
    if reason:
        raise MethodNotAllowed(reason)
    inventory = await session.get_one(Inventory, source.inventory_id)
    if inventory.pending_deletion:
        raise Conflict("The inventory is being deleted.")
    await end_lost(session, source.id)
    most = _most_targets(source, threshold)
    refs = None if targets is None else distinct(targets)
    if targets is not None and not refs:
        raise InvalidField("targets", "Name at least one target, or leave targets out to refresh the whole source.")
    if refs is not None and len(refs) > most:
        refs, wanted = None, for_the_whole(wanted)
    purpose = DRY_RUN if wanted.get(DRY_RUN) else UPDATE
    waiting = await waiting_for(session, source.id, purpose)
    if waiting is not None:
        if purpose == DRY_RUN and waiting.options != wanted:
            raise Conflict(
                f"Dry run {waiting.id} of this source waits with other options; let it end, or cancel it.",
                code="update.dry_run_waits",
            )
        await _merge(session, waiting, refs, wanted, most)
        return waiting
    if source.source == CONSTRUCTED and purpose == UPDATE:
        await _launch_inputs(session, scope, source)
    kind = FULL if refs is None else TARGETED
    update = await new_update(
        session, scope, source, kind=kind, launch_type=launch_type, options=wanted, purpose=purpose
    )
    if refs is not None:
        await add_targets(session, update.id, refs)
    return update


async def _launch_inputs(session: AsyncSession, scope: Scope, source: InventorySource) -> None:
    """Ask for updates of what a constructed inventory reads, in the order of ids as everybody locks them."""
    for due in await due_inputs(session, source.inventory_id):
        if not await why_not_updatable(session, scope, due):
            await launch(session, scope, due.id, launch_type=DEPENDENCY)


async def waiting_for(session: AsyncSession, source_id: int, purpose: str) -> InventoryUpdate | None:
    """The update of a source that waits for this purpose, locked; there is one at most."""
    found: InventoryUpdate | None = await session.scalar(
        select(InventoryUpdate)
        .where(
            InventoryUpdate.inventory_source_id == source_id,
            InventoryUpdate.purpose == purpose,
            InventoryUpdate.status.in_(WAITING),
        )
        .with_for_update()
    )
    return found


async def new_update(session: AsyncSession, scope: Scope, source: InventorySource, **values: Any) -> InventoryUpdate:
    """A pending update of a locked source, with its job. `values`: further columns."""
    inventory = await session.get_one(Inventory, source.inventory_id)
    update = InventoryUpdate(
        inventory_id=inventory.id,
        tenant_id=inventory.tenant_id,
        inventory_source_id=source.id,
        name=f"{inventory.name} - {source.name}"[:NAME_LENGTH],
        description=source.description,
        status="pending",
        source_definition=kept_definition(source),
        credential_id=source.credential_id,
        created_by_id=scope.user_id,
        **values,
    )
    session.add(update)
    await session.flush()
    update.job_id = await jobs.enqueue(session, "refresh", {"update_id": update.id}, tenant_id=inventory.tenant_id)
    mark_source(source, update)
    await session.flush()
    return update


def _most_targets(source: InventorySource, threshold: int) -> int:
    """How many single objects of a source one update refreshes as such; 0 where its kind knows whole sources only."""
    provider = registry.get(source.source)
    if not provider.allow_targeted_refresh:
        return 0
    return threshold if provider.full_refresh_threshold is None else provider.full_refresh_threshold


async def _merge(
    session: AsyncSession,
    waiting: InventoryUpdate,
    refs: Mapping[tuple[str, bytes], ObjectRef] | None,
    options: Mapping[str, Any],
    most: int,
) -> None:
    """Have a waiting update do what is asked for, too: single objects are added, a whole source swallows them."""
    if waiting.kind == FULL and refs is not None:
        options = for_the_whole(options)
    elif waiting.kind == TARGETED:
        if refs is None:
            await widen(session, waiting)
        elif await add_targets(session, waiting.id, refs) > most:
            await widen(session, waiting)
            options = for_the_whole(options)
    waiting.options = {**waiting.options, **options}
    await session.flush()


def _read_options(scope: Scope, source: InventorySource, options: Mapping[str, Any]) -> dict[str, bool]:
    for name, value in options.items():
        if name not in (FORCE_DELETE, DRY_RUN):
            raise InvalidField(name, "This option is not known; an update takes force_delete and dry_run.")
        if not isinstance(value, bool):
            raise InvalidField(name, "Must be true or false.")
    if options.get(FORCE_DELETE):
        scope.require(source.tenant_id, ADMIN, "what the deletion guard keeps")
    return {name: True for name, value in options.items() if value}


async def cancel(session: AsyncSession, scope: Scope, update_id: int) -> InventoryUpdate:
    """Cancel an update: at once when it waits, else its worker is told within seconds and rolls everything back.

    Raises NotFound, Forbidden, MethodNotAllowed when it has ended.
    """
    repository = InventoryUpdateRepository(session, scope)
    found = await repository.get(update_id)
    scope.require(found.tenant_id, WRITE, "inventory updates")
    if found.status in WAITING or not await jobs.at_work(session, found.job_id):
        # Locks are taken in one order everywhere: source, update, job.
        await session.get(InventorySource, found.inventory_source_id, with_for_update=SOURCE_LOCK)
    update = await repository.get(update_id, lock=True)
    if update.status in ENDED:
        raise MethodNotAllowed(f"The update has ended ({update.status}); it cannot be cancelled.")
    update.cancel_requested = True
    told = "canceled" if update.job_id is None else await jobs.request_cancel(session, update.job_id)
    if told != "running":
        # Nobody works on it: it waits, also between two attempts, or its job was lost.
        await end(session, update.id, "canceled", CANCELED_TEXT)
    await session.flush()
    return update
