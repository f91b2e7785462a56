"""What runs of sources and runs of projects show alike: how long they took, and who started them."""

from datetime import UTC, datetime
from typing import Any

from craton_inv.api.v2.present.base import Viewer
from craton_inv.models import InventoryUpdate, ProjectUpdate

Run = InventoryUpdate | ProjectUpdate


def elapsed(row: Run) -> float:
    """Seconds from start to end, or to now; 0 before the start."""
    if row.started is None:
        return 0.0
    return round(((row.finished or datetime.now(UTC)) - row.started).total_seconds(), 3)


def launched_by(viewer: Viewer, row: Run, authors: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """`launched_by`: the user who asked for the run; {} when nobody did, or he is gone."""
    user = authors.get(row.created_by_id or 0)
    if user is None:
        return {}
    return {"id": user["id"], "name": user["username"], "type": "user", "url": viewer.links.to("user", user["id"])}
