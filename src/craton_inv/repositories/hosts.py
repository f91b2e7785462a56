"""Hosts in the database: by inventory, by group, by smart inventory."""

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, func, select

from craton_inv.models import Host, HostSource, Membership
from craton_inv.repositories import nesting, protection
from craton_inv.repositories.base import MAX_ID, Repository
from craton_inv.repositories.sets import any_of, any_text


class HostRepository(Repository[Host]):
    """Hosts of the caller's tenants. Never selects facts: those are `HostFactsRepository`'s."""

    model = Host
    label = "Host"
    unique_texts = {  # noqa: RUF012 - a constant of the class
        "uq_hosts_inventory_id_name": "Host with this Name and Inventory already exists."
    }

    async def save(self, row: Host) -> Host:
        """As every repository; raises Conflict for what a read-only source provides, too."""
        await protection.refuse_change(self.session, row)
        return await super().save(row)

    async def delete(self, row: Host) -> None:
        """As every repository; raises Conflict for a host of a read-only source, too."""
        self.authorize(row)
        await protection.refuse_deletion(self.session, hosts=[row.id])
        await super().delete(row)

    async def find_named(self, inventory_id: int, name: str) -> Host | None:
        """The inventory's host of that name."""
        found: Host | None = await self.session.scalar(
            self.visible().where(Host.inventory_id == inventory_id, Host.name == name)
        )
        return found

    async def ids_of(self, where: ColumnElement[bool], wanted: Collection[str | int]) -> dict[str | int, int]:
        """The ids of hosts among those of `where`, by what they were asked for: a name or an id. Absent ones lack."""
        names = [each for each in wanted if isinstance(each, str)]
        ids = [each for each in wanted if isinstance(each, int) and 0 < each <= MAX_ID]
        found: dict[str | int, int] = {}
        scoped = select(Host.id, Host.name).where(self.visible_condition(), where)
        if names:
            rows = await self.session.execute(scoped.where(any_text(Host.name, names)))
            found.update({row.name: row.id for row in rows})
        if ids:
            found.update({row.id: row.id for row in await self.session.execute(scoped.where(any_of(Host.id, ids)))})
        return found

    async def lock_all(self, ids: Iterable[int]) -> set[int]:
        """Lock these hosts in the order of their ids, and so without deadlocks. Returns those that are still there.

        Raises Forbidden when the caller may not write one of them.
        """
        query = select(Host.id, Host.tenant_id).where(self.visible_condition(), any_of(Host.id, set(ids)))
        rows = (await self.session.execute(query.order_by(Host.id).with_for_update(key_share=True))).all()
        for tenant_id in {row.tenant_id for row in rows}:
            self.scope.require(tenant_id, self.write_roles, self.label.lower())
        return {row.id for row in rows}


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


def first_of_each_name(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Of the hosts that fulfil all conditions, the lowest id of each name: which of several twins a search means."""
    lowest = select(func.min(Host.id)).where(*conditions).group_by(Host.name)
    return Host.id.in_(lowest.correlate(None))
