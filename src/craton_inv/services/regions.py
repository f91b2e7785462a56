"""Regions: each is made, and goes, together with the inventory it owns."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import Conflict
from craton_inv.models import Region, Tenant
from craton_inv.queue.jobs import enqueue
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.regions import RegionRepository
from craton_inv.repositories.scope import Scope
from craton_inv.services import busy
from craton_inv.services.inventories import create_inventory


async def create_region(session: AsyncSession, scope: Scope, tenant: Tenant, values: Mapping[str, Any]) -> Region:
    """Make a region of `tenant` and the inventory it owns, named after it. Raises Duplicate, Forbidden."""
    inventory = await create_inventory(session, scope, tenant, {"name": values["name"]})
    region = Region(tenant_id=tenant.id, inventory_id=inventory.id, **values)
    return await RegionRepository(session, scope).add(region)


async def delete_region(session: AsyncSession, scope: Scope, region: Region) -> None:
    """Delete an empty region got with `lock=True`, and its inventory. Raises Conflict while anything is in them."""
    regions, inventories = RegionRepository(session, scope), InventoryRepository(session, scope)
    regions.authorize(region)
    inventory = await inventories.get(region.inventory_id, lock=True)
    content = await regions.content_of(region)
    if content:
        raise Conflict(f"The region still has {content}; delete those first.", code="not_empty")
    await regions.delete(region)
    await inventories.delete(inventory)


async def force_delete_region(session: AsyncSession, scope: Scope, region: Region) -> int:
    """Let the worker delete a region with everything in it. Returns the job's id; asked again, the same one.

    Raises Busy while updates of its inventory run.
    """
    RegionRepository(session, scope).authorize(region)
    inventories = InventoryRepository(session, scope)
    inventory = await inventories.get(region.inventory_id, lock=True)
    await busy.refuse_while_updating(session, scope, inventory.id)
    await inventories.change(inventory, {"pending_deletion": True})
    args = {"region_id": region.id, "inventory_id": inventory.id}
    return await enqueue(session, "delete_region", args, unique_key=f"delete_region:{region.id}")
