"""Dry runs: what they keep, and applying exactly that.

A delivery is saved only on the generation of the inventory that the dry run saw, from the definition that it was
gathered by, and once.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import BadRequest, Conflict, Forbidden, UpdateFailed
from craton_inv.models import Inventory, InventorySource, InventoryUpdate, UpdateDelivery
from craton_inv.models.inventory_update import ACTIVE
from craton_inv.providers.base import SourceDefinition
from craton_inv.refresh import delivery as spools
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Target, Targets
from craton_inv.repositories import deliveries
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.repositories.inventory_updates import InventoryUpdateRepository
from craton_inv.repositories.scope import ADMIN, WRITE, Scope
from craton_inv.services.inventory_updates import new_update
from craton_inv.services.pending_deletion import refuse_pending_source
from craton_inv.services.update_definition import kept_definition
from craton_inv.services.update_lifecycle import APPLY, DRY_RUN, FORCE_DELETE, WAITING

MOVED = "The inventory was changed since the dry run; make another one."
REDEFINED = "The source was changed since the dry run; make another one."
EXPIRED = "What the dry run was given has expired; make another one."


async def apply(session: AsyncSession, scope: Scope, update_id: int) -> InventoryUpdate:
    """Ask for a run that saves exactly what a dry run was given: committed by the caller.

    Raises NotFound, Forbidden, BadRequest when the update was no dry run, Conflict when there is nothing to apply, or
    the inventory or the source was changed since.
    """
    found, source, kept = await _applicable(session, scope, update_id, lock=True)
    options = {name: True for name in (FORCE_DELETE,) if found.options.get(name)}
    update = await new_update(
        session, scope, source, kind=found.kind, purpose=APPLY, options=options, dry_run_id=found.id
    )
    kept.applied_by_update_id = update.id
    await session.flush()
    return update


async def why_not_applicable(session: AsyncSession, scope: Scope, update_id: int) -> str:
    """Why `apply` would refuse now; "" when it would not. Locks nothing. Raises NotFound."""
    await InventoryUpdateRepository(session, scope).get(update_id)
    try:
        await _applicable(session, scope, update_id, lock=False)
    except (BadRequest, Conflict, Forbidden) as refusal:
        return refusal.message
    return ""


async def _applicable(
    session: AsyncSession, scope: Scope, update_id: int, *, lock: bool
) -> tuple[InventoryUpdate, InventorySource, UpdateDelivery]:
    """A dry run that can be applied, its source and what it was given. Raises as `apply`."""
    found = await InventoryUpdateRepository(session, scope).get(update_id)
    scope.require(found.tenant_id, WRITE, "inventory sources")
    if found.purpose != DRY_RUN:
        raise BadRequest("Only a dry run can be applied; this update was none.", code="update.no_dry_run")
    if found.options.get(FORCE_DELETE):
        scope.require(found.tenant_id, ADMIN, "what the deletion guard keeps")
    source = await InventorySourceRepository(session, scope).get(found.inventory_source_id, lock=lock)
    refuse_pending_source(source)
    if found.status in ACTIVE:
        raise Conflict("The dry run has not ended yet.", code="update.dry_run_active")
    if found.status != "successful":
        raise Conflict(f"The dry run ended as {found.status}: there is nothing to apply.", code="update.dry_run_failed")
    kept, expired = await deliveries.find(session, update_id, lock=lock)
    if kept is None or expired:
        raise Conflict(EXPIRED, code="update.dry_run_expired")
    await _refuse_applied(session, kept)
    inventory = await session.get_one(Inventory, source.inventory_id)
    if inventory.pending_deletion:
        raise Conflict("The inventory is being deleted.")
    if inventory.generation != kept.generation:
        raise Conflict(MOVED, code="update.inventory_moved")
    if kept_definition(source) != found.source_definition:
        raise Conflict(REDEFINED, code="update.source_changed")
    if verdicts := found.result.get("guard"):
        raise Conflict(f"{' '.join(verdicts)} A dry run with force_delete can be applied.", code="update.guarded")
    waiting = await session.scalar(
        select(InventoryUpdate.id).where(
            InventoryUpdate.inventory_source_id == source.id,
            InventoryUpdate.purpose == APPLY,
            InventoryUpdate.status.in_(WAITING),
        )
    )
    if waiting is not None:
        raise Conflict(f"Update {waiting} of this source waits to apply another dry run.", code="update.apply_waits")
    return found, source, kept


async def _refuse_applied(session: AsyncSession, kept: UpdateDelivery) -> None:
    """A delivery is applied once; a run that failed to save it has not applied it."""
    if kept.applied_by_update_id is None:
        return
    query = select(InventoryUpdate.status).where(InventoryUpdate.id == kept.applied_by_update_id)
    status = await session.scalar(query)
    if status in ACTIVE:
        raise Conflict(f"Update {kept.applied_by_update_id} applies this dry run.", code="update.being_applied")
    if status == "successful":
        raise Conflict(f"Update {kept.applied_by_update_id} has applied this dry run.", code="update.applied")


async def keep(
    session: AsyncSession, update_id: int, generation: int, hours: float, refresher: Refresher, collected_at: datetime
) -> datetime:
    """Keep what a dry run was given, in its last transaction. Returns when it expires."""
    targets = refresher.collector.targets
    details = {
        "targets": [[item.association, item.ref] for item in sorted(targets.items)],
        "partial": targets.partial,
        "collected_at": collected_at.isoformat(),
        "collections": spools.describe(refresher.persister),
    }
    pieces = spools.pieces(refresher.persister)
    return await deliveries.keep(session, update_id, generation, hours, details, pieces)


async def fill(
    session: AsyncSession, dry_run_id: int | None, source: SourceDefinition, refresher: Refresher
) -> tuple[int, datetime]:
    """Fill a refresher with what a dry run kept, instead of gathering.

    `source`: the definition that the run started with. Returns the generation that the inventory must be at, and when
    the delivery was collected. Raises UpdateFailed when it cannot be applied any more.
    """
    kept, expired = (None, True) if dry_run_id is None else await deliveries.find(session, dry_run_id)
    if kept is None or expired:
        raise UpdateFailed(EXPIRED)
    await require_same_source(session, kept.update_id, source.id)
    details = kept.details
    items = frozenset(Target.of(source.id, association, ref) for association, ref in details["targets"])
    refresher.collector.targets = Targets(source.id, items, details["partial"])
    spools.prepare(refresher.persister, details["collections"])
    async for collection, content in deliveries.pieces_of(session, kept.update_id):
        spools.refill(refresher.persister, collection, content)
    return kept.generation, datetime.fromisoformat(details["collected_at"])


async def require_same_source(session: AsyncSession, dry_run_id: int, source_id: int) -> None:
    """Raise UpdateFailed when the source is not what the dry run was gathered by."""
    dry_run = await session.get_one(InventoryUpdate, dry_run_id)
    source = await session.get_one(InventorySource, source_id)
    if kept_definition(source) != dry_run.source_definition:
        raise UpdateFailed(REDEFINED)
