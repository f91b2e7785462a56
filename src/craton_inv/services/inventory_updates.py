"""Inventory updates as a caller asks for them: started, merged into a waiting one, cancelled."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import Conflict, InvalidField, MethodNotAllowed
from craton_inv.models import Inventory, InventorySource, InventoryUpdate
from craton_inv.models.inventory_update import ENDED
from craton_inv.queue import jobs
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.repositories.inventory_updates import InventoryUpdateRepository
from craton_inv.repositories.scope import ADMIN, WRITE, Scope
from craton_inv.services.inventory_sources import why_not_updatable
from craton_inv.services.update_lifecycle import (
    CANCELED_TEXT,
    SOURCE_LOCK,
    WAITING,
    end,
    end_lost,
    kept_definition,
    mark_source,
)

FORCE_DELETE = "force_delete"
NAME_LENGTH = 512


async def launch(
    session: AsyncSession,
    scope: Scope,
    source_id: int,
    options: Mapping[str, Any] | None = None,
    *,
    launch_type: str = "manual",
) -> InventoryUpdate:
    """Ask for an update of a source: the update and job rows, committed by the caller. Merges into a waiting update.

    `options`: `force_delete` (needs the admin role) goes past the deletion guard. Raises NotFound, Forbidden,
    MethodNotAllowed (405) when the source cannot be updated, InvalidField for options, Conflict.
    """
    source = await InventorySourceRepository(session, scope).get(source_id, lock=True)
    scope.require(source.tenant_id, WRITE, "inventory sources")
    wanted = _read_options(scope, source, options or {})
    reason = await why_not_updatable(session, scope, source)
    if reason:
        raise MethodNotAllowed(reason)
    inventory = await session.get_one(Inventory, source.inventory_id)
    if inventory.pending_deletion:
        raise Conflict("The inventory is being deleted.")
    await end_lost(session, source.id)
    waiting = await session.scalar(
        select(InventoryUpdate)
        .where(InventoryUpdate.inventory_source_id == source.id, InventoryUpdate.status.in_(WAITING))
        .with_for_update()
    )
    if waiting is not None:
        waiting.options = {**waiting.options, **wanted}
        await session.flush()
        return waiting
    update = InventoryUpdate(
        inventory_id=inventory.id,
        tenant_id=inventory.tenant_id,
        inventory_source_id=source.id,
        name=f"{inventory.name} - {source.name}"[:NAME_LENGTH],
        description=source.description,
        launch_type=launch_type,
        status="pending",
        options=wanted,
        source_definition=kept_definition(source),
        created_by_id=scope.user_id,
    )
    session.add(update)
    await session.flush()
    update.job_id = await jobs.enqueue(session, "refresh", {"update_id": update.id}, tenant_id=inventory.tenant_id)
    mark_source(source, update)
    await session.flush()
    return update


def _read_options(scope: Scope, source: InventorySource, options: Mapping[str, Any]) -> dict[str, bool]:
    for name, value in options.items():
        if name != FORCE_DELETE:
            raise InvalidField(name, "This option is not known; an update takes force_delete.")
        if not isinstance(value, bool):
            raise InvalidField(name, "Must be true or false.")
    if options.get(FORCE_DELETE):
        scope.require(source.tenant_id, ADMIN, "what the deletion guard keeps")
        return {FORCE_DELETE: True}
    return {}


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
