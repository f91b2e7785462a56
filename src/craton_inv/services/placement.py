"""Where a new host or group goes: the inventory and region that a /v1 body names, all of one tenant."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import InvalidField
from craton_inv.models import Inventory, Region
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.regions import RegionRepository
from craton_inv.repositories.scope import Scope
from craton_inv.repositories.tenants import TenantRepository


class Place(NamedTuple):
    """An inventory, and the region if one was named."""

    inventory: Inventory
    region: Region | None


async def find_place(session: AsyncSession, scope: Scope, values: Mapping[str, Any]) -> Place:
    """The place that `region_id` and `inventory_id` name; a region alone means its inventory.

    Raises NotFound for what the caller does not see, InvalidField when neither is given or their tenants differ.
    """
    region_id, inventory_id = values.get("region_id"), values.get("inventory_id")
    region = None if region_id is None else await RegionRepository(session, scope).get(region_id)
    if inventory_id is None:
        if region is None:
            raise InvalidField("inventory_id", "A region_id or an inventory_id is required.")
        inventory_id = region.inventory_id
    inventory = await InventoryRepository(session, scope).get(inventory_id)
    if region is not None and region.tenant_id != inventory.tenant_id:
        raise InvalidField("region_id", "The region and the inventory belong to different tenants.")
    await require_tenant(session, scope, values.get("tenant_id"), inventory.tenant_id)
    return Place(inventory, region)


async def require_tenant(session: AsyncSession, scope: Scope, named: int | None, owner: int) -> None:
    """Raise NotFound for a `tenant_id` that the caller does not see, InvalidField when it is not the owner's."""
    if named is None or named == owner:
        return
    await TenantRepository(session, scope).get(named)
    raise InvalidField("tenant_id", f"The region or inventory belongs to tenant {owner}, not to {named}.")


async def require_inventory(session: AsyncSession, scope: Scope, named: int | None, owner: int, thing: str) -> None:
    """Raise NotFound for an `inventory_id` that the caller does not see, InvalidField for any but the row's own."""
    if named is None or named == owner:
        return
    await InventoryRepository(session, scope).get(named)
    raise InvalidField("inventory_id", f"A {thing} cannot change its inventory; make it anew in the other one.")


async def require_region(session: AsyncSession, scope: Scope, region_id: int | None, owner: int) -> None:
    """Raise NotFound for a region that the caller does not see, InvalidField for one of another tenant."""
    if region_id is not None:
        region = await RegionRepository(session, scope).get(region_id)
        if region.tenant_id != owner:
            raise InvalidField("region_id", "The region belongs to another tenant than the host.")
