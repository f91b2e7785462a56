"""Inventories in the database, with the totals that every answer about them carries."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import case, func, literal, select, union_all

from craton_inv.models import Group, Host, Inventory, InventorySource
from craton_inv.repositories.base import Repository

FAILED = ("failed", "error", "canceled")


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
