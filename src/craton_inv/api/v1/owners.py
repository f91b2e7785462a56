"""The list filters `tenant_id`, `region_id` and `inventory_id`: an owner that the caller does not see is a 404."""

from typing import Annotated, Any

from fastapi import Depends, Query
from sqlalchemy import ColumnElement

from craton_inv.api.deps import ScopeDep, SessionDep
from craton_inv.models import Region
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.regions import RegionRepository
from craton_inv.repositories.tenants import TenantRepository

OptionalId = Annotated[int | None, Query()]


class Owner:
    """What a list is limited to, each part checked to be visible."""

    def __init__(self, tenant_id: int | None, inventory_id: int | None, region: Region | None) -> None:
        self.tenant_id = tenant_id
        self.inventory_id = inventory_id
        self.region = region
        self.region_id = None if region is None else region.id

    def conditions(self, model: Any) -> list[ColumnElement[bool]]:
        """The conditions on `tenant_id` and `inventory_id` of a model."""
        named = (("tenant_id", self.tenant_id), ("inventory_id", self.inventory_id))
        return [getattr(model, column) == value for column, value in named if value is not None]


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
    if inventory_id is not None:
        await InventoryRepository(session, scope).get(inventory_id)
    region = None if region_id is None else await RegionRepository(session, scope).get(region_id)
    return Owner(tenant_id, inventory_id, region)


OwnerDep = Annotated[Owner, Depends(get_owner)]
