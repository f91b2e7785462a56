"""Groups."""

from pydantic import BaseModel, Field

from craton_inv.schemas.names import GroupName
from craton_inv.schemas.v2.envelope import Named, Page
from craton_inv.schemas.v2.fields import Id, Text, unset


class Group(Named):
    """A group."""

    inventory: int
    variables: str = Field(description="JSON or YAML, as it was written.")


class GroupTree(Group):
    """A group with all that is below it."""

    children: list["GroupTree"]


class GroupList(Page[Group]):
    """A page of groups."""


class GroupContent(BaseModel):
    """A group without saying where: for lists below an inventory, host or group."""

    name: GroupName
    description: Text = ""
    variables: Text = Field("", description="JSON or YAML text of a mapping.")


class GroupCreate(GroupContent):
    """A new group."""

    inventory: Id


class GroupReplace(GroupContent):
    """All of a group that is there. Its inventory cannot change and may be left out."""

    inventory: Id = unset(int)


class GroupPatch(BaseModel):
    """What to change of a group. Its inventory may be named but not changed."""

    name: GroupName = unset()
    inventory: Id = unset(int)
    description: Text = unset()
    variables: Text = unset()
