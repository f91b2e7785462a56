"""The list filters `tenant_id`, `region_id` and `inventory_id`: an owner that the caller does not see is a 404."""

from typing import Annotated, Any

from fastapi import Depends, Query
from sqlalchemy import ColumnElement

from craton_inv.api.deps import ScopeDep, SessionDep
from craton_inv.models import Host, Inventory, Region
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.regions import RegionRepository
from craton_inv.repositories.tenants import TenantRepository
from craton_inv.services.smart_inventories import hosts_of, search_of

OptionalId = Annotated[int | None, Query()]


class Owner:
    """What a list is limited to, each part checked to be visible. `search`: the stored one of a smart inventory."""

    def __init__(self, tenant_id: int | None, inventory: Inventory | None, region: Region | None) -> None:
        self.tenant_id = tenant_id
        self.inventory = inventory
        self.search = None if inventory is None else search_of(inventory)
        self.region = region
        self.region_id = None if region is None else region.id

    def conditions(self, model: Any) -> list[ColumnElement[bool]]:
        """The conditions on `tenant_id` and `inventory_id` of a model; the hosts of a smart inventory are its search's.

        Raises InvalidFilter for a stored search that no longer fits.
        """
        wanted = [] if self.tenant_id is None else [model.tenant_id == self.tenant_id]
        if self.inventory is not None:
            wanted.append(hosts_of(self.inventory) if model is Host else model.inventory_id == self.inventory.id)
        return wanted


async def get_owner(
    session: SessionDep,
    scope: ScopeDep,
    tenant_id: OptionalId = None,
    region_id: OptionalId = None,
    inventory_id: OptionalId = None,
) -> Owner:
    """Raises NotFound."""
    if tenant_id is not None:
        await TenantRepository(session, scope).get(tenant_id)
    inventory = None if inventory_id is None else await InventoryRepository(session, scope).get(inventory_id)
    region = None if region_id is None else await RegionRepository(session, scope).get(region_id)
    return Owner(tenant_id, inventory, region)


OwnerDep = Annotated[Owner, Depends(get_owner)]
