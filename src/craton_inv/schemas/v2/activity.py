"""The activity stream: who did what, in AWX's shape."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from craton_inv.schemas.v2.envelope import Page
from craton_inv.schemas.v2.fields import Time

EXAMPLE: dict[str, JsonValue] = {
    "id": 90,
    "type": "activity_stream",
    "url": "/v2/activity_stream/90/",
    "related": {"actor": "/v2/users/3/", "host": ["/v2/hosts/12/"]},
    "summary_fields": {
        "actor": {"id": 3, "username": "ada", "first_name": "", "last_name": ""},
        "host": [{"id": 12, "name": "web1"}],
    },
    "timestamp": "2026-01-31T12:00:00.000000Z",
    "operation": "update",
    "changes": {"enabled": [True, False]},
    "object1": "host",
    "object2": "",
    "object_association": "",
    "object_type": "",
    "action_node": "node1",
}


class ActivityStream(BaseModel):
    """One entry. It outlives what it speaks of, so its links may lead to what is gone."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: int
    type: str
    url: str
    related: dict[str, Any] = Field(description="Paths of the actor, and of the objects as a list by kind.")
    summary_fields: dict[str, Any] = Field(description="The actor, and the objects by kind, as they were called then.")
    timestamp: Time
    operation: Literal["create", "update", "delete", "associate", "disassociate"]
    changes: dict[str, Any] = Field(
        description="create: values; update: old and new value of each field; a run: its counts. Secrets are hidden."
    )
    object1: str = Field(description="The kind of object.")
    object2: str = Field(description="The kind of what it was linked to.")
    object_association: str = Field(description="The list that the link belongs to: hosts, children, labels.")
    object_type: str
    action_node: str = Field(description="The machine that did it.")


class ActivityStreamList(Page[ActivityStream]):
    """A page of entries, the oldest first; `?order_by=-timestamp` turns it."""
