"""Groups of an inventory."""

from typing import Any

from pydantic import BaseModel, Field

from craton_inv.schemas.names import GroupName
from craton_inv.schemas.v1.base import Body, Id, Link, Shown, Text, Variables


class Group(Shown):
    """A group."""

    tenant_id: int
    inventory_id: int
    name: str
    description: str
    variables: dict[str, Any]


class GroupList(BaseModel):
    """A page of groups."""

    groups: list[Group]
    links: list[Link]


class GroupCreate(Body):
    """What a group is made from: a name, and a region (its inventory) or an inventory."""

    name: GroupName
    inventory_id: Id | None = None
    region_id: Id | None = None
    description: Text = ""
    variables: Variables = Field(default_factory=dict)


class GroupReplace(Body):
    """PUT: the name is required, what is left out stays. `inventory_id` may be repeated but not changed."""

    name: GroupName
    inventory_id: Id = 0
    description: Text = ""
    variables: Variables = Field(default_factory=dict)


class GroupUpdate(GroupReplace):
    """PATCH: what may change, each field by itself."""

    name: GroupName = ""
