"""Ordering again what was marked for deletion and has no job any more: nothing stays pending for ever."""

from typing import Any

from sqlalchemy import ColumnElement, String, cast, exists, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory, InventorySource, Job, Region, Tenant
from craton_inv.queue.jobs import ALIVE, enqueue


async def order_lost_deletions(session: AsyncSession) -> None:
    """Give each marked tenant, inventory and source that no job deletes a job of its own.

    What goes with something larger is left to that: an inventory to its tenant or region, a source to its inventory.
    """
    await _order_tenants(session)
    await _order_inventories(session)
    await _order_sources(session)


async def _order_tenants(session: AsyncSession) -> None:
    query = select(Tenant.id).where(Tenant.pending_deletion, ~_alive(_key("delete_tenant", Tenant.id)))
    for tenant_id in (await session.scalars(query.order_by(Tenant.id))).all():
        await _enqueue(session, "delete_tenant", tenant_id, tenant_id=tenant_id)


async def _order_inventories(session: AsyncSession) -> None:
    alive = _alive(
        _key("delete_inventory", Inventory.id),
        _key("delete_tenant", Inventory.tenant_id),
        _key("delete_region", Region.id),
    )
    query = (
        select(Inventory.id, Region.id)
        .outerjoin(Region, Region.inventory_id == Inventory.id)
        .where(Inventory.pending_deletion, ~alive)
        .order_by(Inventory.id)
    )
    for inventory_id, region_id in (await session.execute(query)).all():
        if region_id is None:
            await _enqueue(session, "delete_inventory", inventory_id, inventory_id=inventory_id)
        else:
            await _enqueue(session, "delete_region", region_id, inventory_id=inventory_id, region_id=region_id)


async def _order_sources(session: AsyncSession) -> None:
    query = (
        select(InventorySource.id, InventorySource.tenant_id)
        .join(Inventory, Inventory.id == InventorySource.inventory_id)
        .where(
            InventorySource.pending_deletion,
            Inventory.pending_deletion.is_(False),
            ~_alive(_key("delete_source", InventorySource.id)),
        )
        .order_by(InventorySource.id)
    )
    for source_id, tenant_id in (await session.execute(query)).all():
        await _enqueue(session, "delete_source", source_id, tenant_id, source_id=source_id)


def _key(task: str, row_id: Any) -> ColumnElement[str]:
    return literal(f"{task}:") + cast(row_id, String)


def _alive(*keys: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether a job with one of these keys waits or runs."""
    found = exists().where(Job.status.in_(ALIVE), or_(*(Job.unique_key == key for key in keys)))
    return found.correlate(Tenant, Inventory, Region, InventorySource)


async def _enqueue(session: AsyncSession, task: str, row_id: int, owner_id: int | None = None, **args: int) -> None:
    await enqueue(session, task, args, tenant_id=owner_id, unique_key=f"{task}:{row_id}")
