"""Attaching and detaching: hosts in groups, groups below groups. AWX's rules and sentences."""

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import BadRequest, Conflict
from craton_inv.models import Group, Host
from craton_inv.repositories.activity import record
from craton_inv.repositories.content_locks import hold, lock_nesting
from craton_inv.repositories.groups import GroupRepository
from craton_inv.repositories.memberships import MembershipRepository
from craton_inv.repositories.scope import Scope


async def begin_hosts(session: AsyncSession, linked: Group | Host) -> None:
    """To be called before a host is made for a group, or a group for a host, that it is attached to then."""
    await hold(session, linked)


async def begin_children(session: AsyncSession, parent: Group) -> None:
    """To be called before a group is made that is put below `parent` then."""
    await lock_nesting(session, parent.inventory_id)
    await hold(session, parent)


async def attach_host(session: AsyncSession, scope: Scope, group: Group, host: Host) -> None:
    """Put a host into a group of its inventory; again is no error."""
    GroupRepository(session, scope).authorize(group)
    _same_inventory(group, host)
    await MembershipRepository(session).add_host(group, host)
    await record(session, "associate", group, host)


async def detach_host(session: AsyncSession, scope: Scope, group: Group, host: Host) -> None:
    """Take a host out of a group; a host that is not in it is no error."""
    GroupRepository(session, scope).authorize(group)
    await MembershipRepository(session).remove_host(group, host)
    await record(session, "disassociate", group, host)


async def attach_child(session: AsyncSession, scope: Scope, parent: Group, child: Group) -> None:
    """Put a group below another of its inventory. Raises Conflict for a cycle."""
    GroupRepository(session, scope).authorize(parent)
    _same_inventory(parent, child)
    links = MembershipRepository(session)
    await lock_nesting(session, parent.inventory_id)
    if await links.is_above(parent, child):
        raise Conflict("Cyclical Group association.", code="cycle")
    await links.add_child(parent, child)
    await record(session, "associate", parent, child)


async def detach_child(session: AsyncSession, scope: Scope, parent: Group, child: Group) -> None:
    """Take a group from below another; one that is not there is no error."""
    GroupRepository(session, scope).authorize(parent)
    links = MembershipRepository(session)
    await lock_nesting(session, parent.inventory_id)
    await links.remove_child(parent, child)
    await record(session, "disassociate", parent, child)


def _same_inventory(one: Group, other: Group | Host) -> None:
    if one.inventory_id != other.inventory_id:
        raise BadRequest("Cannot associate two items from different inventories.", code="cross_inventory")
