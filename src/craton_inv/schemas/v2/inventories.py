"""Inventories."""

from typing import Any

from pydantic import BaseModel, Field

from craton_inv.schemas.names import Name
from craton_inv.schemas.v2.envelope import Named, Page
from craton_inv.schemas.v2.fields import Flag, Id, Text, unset


class Inventory(Named):
    """An inventory. The totals of a smart one are those of its search; null when that takes too long to count."""

    organization: int
    kind: str = Field(description='"" for a regular inventory, "smart" for a stored search, "constructed".')
    host_filter: str | None = Field(description="The search of a smart inventory.")
    include_groups: bool = Field(description="Of a smart inventory: its script shows the groups of its hosts.")
    variables: str = Field(description="JSON or YAML, as it was written.")
    has_active_failures: bool
    total_hosts: int | None
    hosts_with_active_failures: int
    total_groups: int
    has_inventory_sources: bool
    total_inventory_sources: int
    inventory_sources_with_failures: int
    pending_deletion: bool
    prevent_instance_group_fallback: bool


class InventoryList(Page[Inventory]):
    """A page of inventories."""


class InventoryCreate(BaseModel):
    """A new inventory, or all of one that is there. `kind` and `host_filter` may be null, as clients send them."""

    name: Name
    organization: Id
    description: Text = ""
    kind: Text | None = ""
    host_filter: Text | None = None
    include_groups: Flag = Field(False, description="For smart inventories alone: show the groups of the hosts.")
    variables: Text = ""
    prevent_instance_group_fallback: Flag = False


class InventoryReplace(InventoryCreate):
    """All of an inventory that is there; its organization may be left out."""

    organization: Id = unset(int)


class InventoryPatch(BaseModel):
    """What to change of an inventory."""

    name: Name = unset()
    organization: Id = unset(int)
    description: Text = unset()
    kind: Text | None = Field(default_factory=str)
    host_filter: Text | None = Field(default_factory=str)
    include_groups: Flag = unset(bool)
    variables: Text = unset()
    prevent_instance_group_fallback: Flag = unset(bool)


class DeletionAccepted(BaseModel):
    """A worker deletes it; until then it answers with `pending_deletion`."""

    id: int
    pending_deletion: bool


Tree = list[dict[str, Any]]
