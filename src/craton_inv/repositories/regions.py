"""Regions in the database."""

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Group, Host, InventorySource, Region
from craton_inv.repositories.base import Repository
from craton_inv.repositories.inventories import delete_content


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


async def drop_region(session: AsyncSession, region_id: int, inventory_id: int) -> None:
    """Delete a region and its marked inventory, with the little that is left in both."""
    await session.execute(update(Host).where(Host.region_id == region_id).values(region_id=None))
    await session.execute(delete(Region).where(Region.id == region_id))
    await delete_content(session, inventory_id)
