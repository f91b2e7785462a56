"""Constructed inventories: an inventory with what its one source takes."""

from pydantic import BaseModel, Field

from craton_inv.schemas.names import Name
from craton_inv.schemas.v2.envelope import Named, Page
from craton_inv.schemas.v2.fields import Flag, Id, Integer, Text, unset

EXPRESSIONS = "What Ansible's `constructed` plugin takes, as JSON or YAML: groups, compose, keyed_groups, strict."
AGE = "Seconds for which an update is good enough."
PATTERN = "A host pattern of Ansible: only these hosts are taken."


class ConstructedInventory(Named):
    """An inventory that Ansible puts together from its input inventories."""

    organization: int
    kind: str
    variables: str = Field(description="JSON or YAML, as it was written; the next update replaces it.")
    has_active_failures: bool
    total_hosts: int | None
    hosts_with_active_failures: int
    total_groups: int
    has_inventory_sources: bool
    total_inventory_sources: int
    inventory_sources_with_failures: int
    pending_deletion: bool
    prevent_instance_group_fallback: bool
    source_vars: str = Field(description=EXPRESSIONS)
    update_cache_timeout: int = Field(description=AGE)
    limit: str = Field(description=PATTERN)
    verbosity: int


class ConstructedInventoryList(Page[ConstructedInventory]):
    """A page of constructed inventories."""


class ConstructedInventoryCreate(BaseModel):
    """A new constructed inventory, or all of one that is there. Null means not given."""

    name: Name
    organization: Id
    description: Text = ""
    variables: Text = ""
    prevent_instance_group_fallback: Flag = False
    source_vars: Text | None = Field(None, description=EXPRESSIONS)
    update_cache_timeout: Integer | None = Field(None, description=AGE)
    limit: Text | None = Field(None, description=PATTERN)
    verbosity: Integer | None = Field(None, description="0, 1 or 2.")


class ConstructedInventoryReplace(ConstructedInventoryCreate):
    """All of a constructed inventory that is there; its organization may be left out."""

    organization: Id = unset(int)


class ConstructedInventoryPatch(ConstructedInventoryReplace):
    """What to change of a constructed inventory."""

    name: Name = unset()
