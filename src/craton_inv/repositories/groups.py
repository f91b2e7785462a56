"""Groups in the database: by inventory, by host, by their place in the nesting."""

from sqlalchemy import ColumnElement, delete, exists, select, true
from sqlalchemy.dialects.postgresql import insert

from craton_inv.models import Group, GroupEdge, GroupSource, Host, Membership
from craton_inv.repositories import content_locks, nesting, protection
from craton_inv.repositories.base import Repository
from craton_inv.repositories.sets import any_of, integer, none_of


class GroupRepository(Repository[Group]):
    """Groups of the caller's tenants."""

    model = Group
    label = "Group"
    unique_texts = {  # noqa: RUF012 - a constant of the class
        "uq_groups_inventory_id_name": "Group with this Name and Inventory already exists."
    }

    async def save(self, row: Group) -> Group:
        """As every repository; raises Conflict for what a read-only source provides, too."""
        await protection.refuse_change(self.session, row)
        return await super().save(row)

    async def find_named(self, inventory_id: int, name: str) -> Group | None:
        """The inventory's group of that name."""
        found: Group | None = await self.session.scalar(
            self.visible().where(Group.inventory_id == inventory_id, Group.name == name)
        )
        return found

    async def delete_recursive(self, group: Group) -> None:
        """Delete the group, what below it has no other parent, and the hosts left in no group (AWX's DELETE).

        One statement for each level of nesting, then nine. The caller holds the nesting and has locked the group.
        """
        self.authorize(group)
        groups = await self._orphaned_below(group.id)
        await content_locks.lock_groups(self.session, groups)
        await content_locks.lock_members(self.session, groups)
        inside = any_of(Membership.group_id, groups)
        members = select(Membership.host_id).where(inside)
        elsewhere = exists().where(Membership.host_id == Host.id, ~inside)
        hosts = [*await self.session.scalars(select(Host.id).where(Host.id.in_(members), ~elsewhere))]
        await protection.refuse_deletion(self.session, hosts=hosts, groups=groups)
        await content_locks.lock_links(self.session, groups, hosts)
        await self.session.execute(delete(Host).where(any_of(Host.id, hosts)))
        await self.session.execute(delete(Group).where(any_of(Group.id, groups)))

    async def _orphaned_below(self, group_id: int) -> list[int]:
        """The group, and every group below it that has no parent left once those are gone."""
        marked = [group_id]
        while True:
            survivor = exists().where(GroupEdge.child_id == Group.id, none_of(GroupEdge.parent_id, marked))
            below = select(GroupEdge.child_id).where(any_of(GroupEdge.parent_id, marked))
            found = await self.session.scalars(
                select(Group.id).where(Group.id.in_(below), none_of(Group.id, marked), ~survivor)
            )
            fresh = list(found)
            if not fresh:
                return marked
            marked.extend(fresh)

    async def delete_promoting(self, group: Group) -> None:
        """Delete the group after giving its children and hosts to each of its parents (AWX's detach without an id).

        The caller holds the nesting and has locked the group.
        """
        self.authorize(group)
        await protection.refuse_deletion(self.session, groups=[group.id])
        await self._hold_around(group.id)
        inventory = integer(group.inventory_id)
        parents = select(GroupEdge.parent_id).where(GroupEdge.child_id == group.id).subquery()
        children = select(GroupEdge.child_id).where(GroupEdge.parent_id == group.id).subquery()
        edges = select(parents.c.parent_id, children.c.child_id, inventory).join_from(
            parents, children, parents.c.parent_id != children.c.child_id
        )
        members = select(Membership.host_id).where(Membership.group_id == group.id).subquery()
        memberships = select(parents.c.parent_id, members.c.host_id, inventory).join_from(parents, members, true())
        # Memberships first: somebody else may be making one of them and wait for the inventory's row.
        for table, key, rows in ((Membership, "host_id", memberships), (GroupEdge, "child_id", edges)):
            parent = "parent_id" if table is GroupEdge else "group_id"
            await self.session.execute(
                insert(table).from_select([parent, key, "inventory_id"], rows).on_conflict_do_nothing()
            )
        await self.session.execute(delete(Group).where(Group.id == group.id))

    async def _hold_around(self, group_id: int) -> None:
        """Hold what gets new links in the place of a group's, and lock those that go with it."""
        around = select(GroupEdge.parent_id).where(GroupEdge.child_id == group_id)
        below = select(GroupEdge.child_id).where(GroupEdge.parent_id == group_id)
        await content_locks.lock_groups(self.session, await self.session.scalars(around.union(below)), hold=True)
        await content_locks.lock_members(self.session, [group_id], hold=True)
        await content_locks.lock_links(self.session, [group_id])


def in_inventory(inventory_id: int) -> ColumnElement[bool]:
    """Groups that belong to an inventory."""
    return Group.inventory_id == inventory_id


def roots_of(inventory_id: int) -> ColumnElement[bool]:
    """Groups of an inventory that no group has as a child."""
    return (Group.inventory_id == inventory_id) & ~exists().where(GroupEdge.child_id == Group.id)


def of_host(host_id: int) -> ColumnElement[bool]:
    """Groups a host is a direct member of."""
    return Group.id.in_(select(Membership.group_id).where(Membership.host_id == host_id))


def over_host(host_id: int) -> ColumnElement[bool]:
    """Groups a host is a member of, directly or through groups below."""
    return Group.id.in_(nesting.groups_over(host_id))


def children_of(group_id: int) -> ColumnElement[bool]:
    """Direct children of a group."""
    return Group.id.in_(select(GroupEdge.child_id).where(GroupEdge.parent_id == group_id))


def potential_children_of(group: Group) -> ColumnElement[bool]:
    """Groups of the same inventory that are neither the group, nor above, nor below it."""
    return (
        (Group.inventory_id == group.inventory_id)
        & Group.id.not_in(nesting.ancestors(group.id))
        & Group.id.not_in(nesting.descendants(group.id))
    )


def made_by(source_id: int) -> ColumnElement[bool]:
    """Groups that a source delivers."""
    return Group.id.in_(select(GroupSource.group_id).where(GroupSource.inventory_source_id == source_id))
