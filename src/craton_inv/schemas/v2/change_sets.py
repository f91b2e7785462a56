"""Change sets: what a run changed, row by row."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from craton_inv.schemas.v2.envelope import Page

EXAMPLE: dict[str, JsonValue] = {
    "id": 41000,
    "type": "inventory_change",
    "inventory_update": 7,
    "collection": "hosts",
    "action": "updated",
    "object_id": 12,
    "parent_id": None,
    "ref": "web1",
    "changes": {"enabled": [True, False]},
}


class InventoryChange(BaseModel):
    """One change of a run. Of a row that was written twice in one run there is one of each, in order."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: int
    type: str
    inventory_update: int
    collection: str = Field(description="The table: hosts, groups, memberships, group_edges, inventories, disks, …")
    action: Literal["created", "updated", "deleted"]
    object_id: int = Field(description="The row; of a link the host or the child group.")
    parent_id: int | None = Field(description="Of a link: the group that it is in.")
    ref: str = Field(description="What the row is known by: its name, the provider's id, or `group > host` of a link.")
    changes: dict[str, Any] = Field(
        description="updated: each column that changed, with its old and new value; deleted: the row as it was; "
        "created: nothing, or the row that a dry run would make."
    )


class InventoryChangeList(Page[InventoryChange]):
    """A page of changes, in the order they were made."""
