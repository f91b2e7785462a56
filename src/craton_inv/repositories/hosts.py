"""Hosts in the database: by inventory, by group, by smart inventory."""

from sqlalchemy import ColumnElement, func, select

from craton_inv.models import Host, HostSource, Membership
from craton_inv.repositories import nesting
from craton_inv.repositories.base import Repository


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
