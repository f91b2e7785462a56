"""What only /v1's lists ask of hosts."""

from ipaddress import IPv4Address, IPv6Address

from sqlalchemy import ColumnElement, or_, select

from craton_inv.models import Group, GroupEdge, Host, Membership


def below_group_named(name: str) -> ColumnElement[bool]:
    """Members of any group of that name, or of a group below one; memberships never leave an inventory."""
    walk = select(Group.id.label("id")).where(Group.name == name).cte("named", recursive=True)
    walk = walk.union(select(GroupEdge.child_id).join(walk, GroupEdge.parent_id == walk.c.id))
    members = select(Membership.host_id).where(Membership.group_id.in_(select(walk.c.id)))
    return Host.id.in_(members)


def with_address(address: IPv4Address | IPv6Address) -> ColumnElement[bool]:
    """Hosts whose IPv4 or IPv6 address it is."""
    return or_(Host.ip_address == address, Host.ip6_address == address)
