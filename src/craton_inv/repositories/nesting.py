"""Walks over the nesting of groups: recursive queries that end on cycles too, since each group is met once."""

from collections.abc import Iterable

from sqlalchemy import BigInteger, Select, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from craton_inv.models import GroupEdge, Membership
from craton_inv.repositories.sets import integer


def descendants(group_id: int) -> Select[tuple[int]]:
    """Ids of a group and all groups below it."""
    walk = select(integer(group_id).label("id")).cte("below", recursive=True)
    walk = walk.union(select(GroupEdge.child_id).join(walk, GroupEdge.parent_id == walk.c.id))
    return select(walk.c.id)


def ancestors(group_id: int) -> Select[tuple[int]]:
    """Ids of a group and all groups above it."""
    walk = select(integer(group_id).label("id")).cte("above", recursive=True)
    walk = walk.union(select(GroupEdge.parent_id).join(walk, GroupEdge.child_id == walk.c.id))
    return select(walk.c.id)


def with_ancestors(group_ids: Iterable[int]) -> Select[tuple[int]]:
    """Ids of groups and of all groups above any of them."""
    given = func.unnest(literal(list(group_ids), ARRAY(BigInteger)), type_=BigInteger).label("id")
    walk = select(given).cte("with_ancestors", recursive=True)
    walk = walk.union(select(GroupEdge.parent_id).join(walk, GroupEdge.child_id == walk.c.id))
    return select(walk.c.id)


def groups_over(host_id: int) -> Select[tuple[int]]:
    """Ids of the groups a host is in, and of all groups above those."""
    walk = select(Membership.group_id.label("id")).where(Membership.host_id == host_id).cte("over", recursive=True)
    walk = walk.union(select(GroupEdge.parent_id).join(walk, GroupEdge.child_id == walk.c.id))
    return select(walk.c.id)
