"""Entries of the activity stream as /v2 shows them."""

from collections.abc import Sequence
from typing import Any

from craton_inv import models
from craton_inv.api.v2.links import PLURALS
from craton_inv.api.v2.present.base import Viewer, summary_of
from craton_inv.repositories import summaries
from craton_inv.schemas.v2.activity import ActivityStream

ASSOCIATIONS = {
    ("group", "host"): "hosts",
    ("group", "group"): "children",
    ("inventory", "inventory"): "input_inventories",
}
LINKS = ("associate", "disassociate")


class ActivityStreamPresenter:
    """One statement for a page: the actors."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def many(self, rows: Sequence[models.ActivityStream]) -> list[ActivityStream]:
        """These entries, in their order."""
        actors = await summaries.users(self.viewer.session, [row.actor_id for row in rows if row.actor_id])
        return [self._shown(row, actors.get(row.actor_id or 0)) for row in rows]

    async def one(self, row: models.ActivityStream) -> ActivityStream:
        """One entry."""
        return (await self.many([row]))[0]

    def _shown(self, row: models.ActivityStream, actor: Any) -> ActivityStream:
        links = self.viewer.links
        related: dict[str, Any] = {}
        summary: dict[str, Any] = {}
        if actor is not None:
            related["actor"] = links.to("user", actor.id)
            summary["actor"] = summary_of(actor, "id", "username", "first_name", "last_name")
        elif row.actor_name:
            summary["actor"] = {"id": None, "username": row.actor_name, "first_name": "", "last_name": ""}
        for kind, row_id, name in (
            (row.object1, row.object1_id, row.object1_name),
            (row.object2, row.object2_id, row.object2_name),
        ):
            if row_id is None:
                continue
            if kind in PLURALS:
                related.setdefault(kind, []).append(links.to(kind, row_id))
            summary.setdefault(kind, []).append({"id": row_id, "name": name})
        association = ""
        if row.operation in LINKS:
            association = ASSOCIATIONS.get((row.object1, row.object2), f"{row.object2}s")
        return ActivityStream.model_validate(
            {
                **summary_of(row, "id", "timestamp", "operation", "changes", "object1", "object2", "action_node"),
                "type": "activity_stream",
                "url": links.to("activity_stream", row.id),
                "related": related,
                "summary_fields": summary,
                "object_association": association,
                "object_type": "",
            }
        )
