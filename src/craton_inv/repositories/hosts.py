"""Hosts in the database: by inventory, by group, by smart inventory."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select

from craton_inv.models import Host, HostSource, Membership
from craton_inv.repositories import nesting
from craton_inv.repositories.base import Order, Repository, Rows
from craton_inv.repositories.sets import any_of


class HostRepository(Repository[Host]):
    """Hosts of the caller's tenants. Never selects facts: those are `HostFactsRepository`'s."""

    model = Host
    label = "Host"
    unique_texts = {  # noqa: RUF012 - a constant of the class
        "uq_hosts_inventory_id_name": "Host with this Name and Inventory already exists."
    }

    async def find_named(self, inventory_id: int, name: str) -> Host | None:
        """The inventory's host of that name."""
        found: Host | None = await self.session.scalar(
            self.visible().where(Host.inventory_id == inventory_id, Host.name == name)
        )
        return found


class HostSearch(HostRepository):
    """Pages of a search: the matching hosts are found once, for the count and the page together.

    A plain page asks twice, and under ORDER BY ... LIMIT the planner walks an index in the hope of early matches. Here
    it must find them all, with the index of the search; only the page's own rows are then read whole.
    """

    async def page(
        self,
        *,
        where: Sequence[ColumnElement[bool]] = (),
        order: Order = (),
        offset: int = 0,
        limit: int = 25,
        count: bool = True,
    ) -> Rows[Host]:
        """As every page, in two statements: ids with the count of all, then their rows."""
        if not count:
            return await super().page(where=where, order=order, offset=offset, limit=limit, count=False)
        matching = select(Host.id, func.count().over().label("total")).where(self.visible_condition(), *where)
        found = (await self.session.execute(matching.order_by(*order).offset(offset).limit(limit))).all()
        if not found:
            total = 0 if not offset else await self._count(where)
            return Rows([], total)
        rows = await self.session.scalars(select(Host).where(any_of(Host.id, (row.id for row in found))))
        by_id = {row.id: row for row in rows}
        return Rows([by_id[row.id] for row in found if row.id in by_id], found[0].total)

    async def _count(self, where: Sequence[ColumnElement[bool]]) -> int:
        query = select(func.count()).select_from(Host).where(self.visible_condition(), *where)
        return await self.session.scalar(query) or 0


def in_inventory(inventory_id: int) -> ColumnElement[bool]:
    """Hosts that belong to an inventory."""
    return Host.inventory_id == inventory_id


def in_group(group_id: int) -> ColumnElement[bool]:
    """Direct members of a group."""
    return Host.id.in_(select(Membership.host_id).where(Membership.group_id == group_id))


def below_group(group_id: int) -> ColumnElement[bool]:
    """Members of a group or of any group below it."""
    groups = nesting.descendants(group_id)
    return Host.id.in_(select(Membership.host_id).where(Membership.group_id.in_(groups)))


def made_by(source_id: int) -> ColumnElement[bool]:
    """Hosts that a source delivers."""
    return Host.id.in_(select(HostSource.host_id).where(HostSource.inventory_source_id == source_id))


def in_smart_inventory(tenant_id: int, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The hosts of a smart inventory: `condition` within its organization, of equal names the lowest id."""
    lowest = select(func.min(Host.id)).where(Host.tenant_id == tenant_id, condition).group_by(Host.name)
    return Host.id.in_(lowest.correlate(None))
