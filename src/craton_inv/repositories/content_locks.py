"""The order in which writers of an inventory's content lock: nesting, groups, hosts, links between them, inventory.

Every statement that writes content ends with the inventory's row, whose generation a trigger moves. So whoever writes
by several statements, or takes along what refers to a row, locks all of it before the first of them: with the
inventory's row in hand nobody waits for a row whose holder waits for the inventory's.
"""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.locks import lock_transaction
from craton_inv.models import Group, GroupEdge, Host, Membership
from craton_inv.repositories.sets import any_of


async def lock_nesting(session: AsyncSession, inventory_id: int) -> None:
    """One transaction at a time changes the nesting of an inventory: two could close a cycle together.

    Comes before all rows of the inventory, and is no row itself: writers of hosts do not wait for it.
    """
    await lock_transaction(session, f"nesting:{inventory_id}")


async def hold(session: AsyncSession, row: Group | Host) -> None:
    """Keep a row that something new is to be linked with from being deleted, before that is made (FOR KEY SHARE)."""
    model = type(row)
    await session.execute(select(model.id).where(model.id == row.id).with_for_update(read=True, key_share=True))


async def lock_groups(session: AsyncSession, ids: Iterable[int], *, hold: bool = False) -> None:
    """Lock groups of which some others are locked already; who locks several holds the nesting. `hold`: see there."""
    await session.execute(_locking(select(Group.id).where(any_of(Group.id, ids)).order_by(Group.id), hold))


async def lock_members(session: AsyncSession, group_ids: Iterable[int], *, hold: bool = False) -> None:
    """Lock the hosts in any of these groups, by id. `hold`: only keep them from being deleted."""
    members = select(Membership.host_id).where(any_of(Membership.group_id, group_ids))
    await session.execute(_locking(select(Host.id).where(Host.id.in_(members)).order_by(Host.id), hold))


async def lock_links(session: AsyncSession, group_ids: Collection[int], host_ids: Collection[int] = ()) -> None:
    """Lock all that goes with these groups and hosts: memberships and places in the nesting."""
    edges = or_(any_of(GroupEdge.parent_id, group_ids), any_of(GroupEdge.child_id, group_ids))
    order = (GroupEdge.parent_id, GroupEdge.child_id)
    await session.execute(select(*order).where(edges).order_by(*order).with_for_update())
    members = or_(any_of(Membership.group_id, group_ids), any_of(Membership.host_id, host_ids))
    columns = (Membership.group_id, Membership.host_id)
    await session.execute(select(*columns).where(members).order_by(*columns).with_for_update())


def _locking(query: Any, hold: bool) -> Any:
    return query.with_for_update(read=True, key_share=True) if hold else query.with_for_update()
