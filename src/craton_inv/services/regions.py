"""Regions: each is made, and goes, together with the inventory it owns."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import Conflict
from craton_inv.models import Region, Tenant
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.regions import RegionRepository
from craton_inv.repositories.scope import Scope
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
