"""Inventories in the database, with the totals that every answer about them carries."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import case, delete, func, literal, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Group, Host, Inventory, InventorySource, Region
from craton_inv.models.filtering import FAILED as FAILED
from craton_inv.repositories.base import Repository
from craton_inv.repositories.sets import any_of


class Totals(NamedTuple):
    """What an inventory holds: hosts, groups, sources, and sources whose last update failed."""

    hosts: int = 0
    groups: int = 0
    sources: int = 0
    failed_sources: int = 0


class InventoryRepository(Repository[Inventory]):
    """Inventories of the caller's tenants."""

    model = Inventory
    label = "Inventory"
    unique_texts = {  # noqa: RUF012 - a constant of the class
        "uq_inventories_tenant_id_name": "Inventory with this Name and Organization already exists."
    }

    async def find_named(self, tenant_id: int, name: str) -> Inventory | None:
        """The tenant's inventory of that name."""
        found: Inventory | None = await self.session.scalar(
            self.visible().where(Inventory.tenant_id == tenant_id, Inventory.name == name)
        )
        return found

    async def smart_among(self, ids: Collection[int]) -> list[Inventory]:
        """Those of the ids that are smart inventories, by id."""
        query = self.visible().where(any_of(Inventory.id, ids), Inventory.kind == "smart").order_by(Inventory.id)
        return [*await self.session.scalars(query)] if ids else []

    async def region_of(self, inventory: Inventory) -> str | None:
        """The name of the region that owns the inventory, if one does."""
        return await self.session.scalar(select(Region.name).where(Region.inventory_id == inventory.id))

    async def totals(self, inventory_ids: Iterable[int]) -> dict[int, Totals]:
        """Totals of many inventories in one statement. Smart inventories own no rows: theirs are 0 here."""
        ids = sorted(set(inventory_ids))
        found = {inventory_id: Totals() for inventory_id in ids}
        if not ids:
            return found
        zero = literal(0)
        parts = [
            select(
                Host.inventory_id.label("id"), func.count().label("hosts"), zero.label("groups"), zero.label("sources"),
                zero.label("failed"),
            ).where(Host.inventory_id.in_(ids)).group_by(Host.inventory_id),
            select(Group.inventory_id, zero, func.count(), zero, zero)
            .where(Group.inventory_id.in_(ids))
            .group_by(Group.inventory_id),
            select(
                InventorySource.inventory_id, zero, zero, func.count(),
                func.count(case((InventorySource.status.in_(FAILED), 1))),
            ).where(InventorySource.inventory_id.in_(ids)).group_by(InventorySource.inventory_id),
        ]  # fmt: skip
        rows = union_all(*parts).subquery()
        columns = (rows.c.hosts, rows.c.groups, rows.c.sources, rows.c.failed)
        summed = select(rows.c.id, *(func.sum(column) for column in columns)).group_by(rows.c.id)
        for inventory_id, *numbers in await self.session.execute(summed):
            found[inventory_id] = Totals(*map(int, numbers))
        return found


async def delete_content(session: AsyncSession, inventory_id: int) -> None:
    """Delete a marked inventory with all that is left in it; foreign keys take groups, sources and runs along."""
    await session.execute(delete(Inventory).where(Inventory.id == inventory_id, Inventory.pending_deletion))


async def unmark_deletion(session: AsyncSession, inventory_id: int) -> None:
    """The deletion was given up: the inventory is an ordinary one again."""
    await session.execute(update(Inventory).where(Inventory.id == inventory_id).values(pending_deletion=False))
