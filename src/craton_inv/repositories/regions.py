"""Regions in the database."""

from sqlalchemy import or_, select

from craton_inv.models import Group, Host, InventorySource, Region
from craton_inv.repositories.base import Repository


class RegionRepository(Repository[Region]):
    """Regions of the caller's tenants."""

    model = Region
    label = "Region"
    unique_texts = {  # noqa: RUF012 - a constant of the class
        "uq_regions_tenant_id_name": "Region with this Name and Tenant already exists."
    }

    async def content_of(self, region: Region) -> str:
        """What still is in a region or its inventory: "hosts", "groups", "inventory sources", or "" for nothing."""
        inside = (
            (
                "hosts",
                select(Host.id).where(or_(Host.region_id == region.id, Host.inventory_id == region.inventory_id)),
            ),
            ("groups", select(Group.id).where(Group.inventory_id == region.inventory_id)),
            (
                "inventory sources",
                select(InventorySource.id).where(InventorySource.inventory_id == region.inventory_id),
            ),
        )
        for what, query in inside:
            if await self.session.scalar(query.limit(1)) is not None:
                return what
        return ""
