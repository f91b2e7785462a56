"""Links within one inventory: hosts in groups, groups below groups. Each write is one set statement."""

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Group, GroupEdge, Host, Membership
from craton_inv.repositories import nesting, protection


class MembershipRepository:
    """Adds and removes links between rows that the caller already got, and may write, through their repositories."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def add_host(self, group: Group, host: Host) -> None:
        """Make `host` a member of `group`; a link that a source made becomes a person's as well."""
        statement = insert(Membership).values(
            group_id=group.id, host_id=host.id, inventory_id=group.inventory_id, manual=True
        )
        await self.session.execute(
            statement.on_conflict_do_update(
                index_elements=[Membership.group_id, Membership.host_id],
                set_={"manual": True},
                where=Membership.manual.is_(False),
            )
        )

    async def remove_host(self, group: Group, host: Host) -> None:
        """Take `host` out of `group`; nothing happens when it is not in."""
        link = (Membership.group_id == group.id, Membership.host_id == host.id)
        await protection.refuse_unlinking(self.session, Membership, *link)
        await self.session.execute(delete(Membership).where(*link))

    async def add_child(self, parent: Group, child: Group) -> None:
        """Put `child` below `parent`. The caller has ruled out a cycle."""
        statement = insert(GroupEdge).values(
            parent_id=parent.id, child_id=child.id, inventory_id=parent.inventory_id, manual=True
        )
        await self.session.execute(
            statement.on_conflict_do_update(
                index_elements=[GroupEdge.parent_id, GroupEdge.child_id],
                set_={"manual": True},
                where=GroupEdge.manual.is_(False),
            )
        )

    async def remove_child(self, parent: Group, child: Group) -> None:
        """Take `child` from below `parent`; nothing happens when it is not there."""
        link = (GroupEdge.parent_id == parent.id, GroupEdge.child_id == child.id)
        await protection.refuse_unlinking(self.session, GroupEdge, *link)
        await self.session.execute(delete(GroupEdge).where(*link))

    async def is_above(self, group: Group, other: Group) -> bool:
        """Whether `other` is `group` or one of its ancestors."""
        above = nesting.ancestors(group.id).subquery()
        return await self.session.scalar(select(above.c.id).where(above.c.id == other.id)) is not None

    async def edges_of(self, inventory_id: int) -> list[tuple[int, int]]:
        """All (parent, child) pairs of an inventory."""
        rows = await self.session.execute(
            select(GroupEdge.parent_id, GroupEdge.child_id).where(GroupEdge.inventory_id == inventory_id)
        )
        return [(parent, child) for parent, child in rows]
