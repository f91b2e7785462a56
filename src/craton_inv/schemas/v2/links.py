"""Bodies of AWX's association lists: `{"id"}` attaches, `{"id", "disassociate"}` detaches, anything else creates."""

from typing import Annotated, Any

from pydantic import BaseModel, Field, WithJsonSchema

from craton_inv.schemas.v2.groups import GroupPatch
from craton_inv.schemas.v2.hosts import HostPatch
from craton_inv.schemas.v2.labels import LabelPatch

# Any value is taken here: what is no integer is refused in AWX's own words, by the association itself.
LinkId = Annotated[Any, WithJsonSchema({"type": "integer", "minimum": 1})]
Mark = Annotated[Any, WithJsonSchema({})]


class Link(BaseModel):
    """Which object to attach or detach."""

    id: LinkId = Field(default_factory=int, description="The object to attach, or to detach with `disassociate`.")
    disassociate: Mark = Field(default_factory=bool, description="Present: detach. Its value is ignored.")
    associate: Mark = Field(default_factory=bool, description="Ignored.")


class InputInventoryLink(Link):
    """Attach or detach an input of a constructed inventory."""


class HostLink(HostPatch, Link):
    """Attach, detach or create a host."""


class GroupLink(GroupPatch, Link):
    """Attach, detach or create a group."""


class LabelLink(LabelPatch, Link):
    """Attach a label by id, or by name within the organization (made when it is not there), or detach it."""
