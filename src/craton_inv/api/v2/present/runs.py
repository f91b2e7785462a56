"""What runs of sources and of projects show alike, and what sources and projects alike show of their runs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from craton_inv.api.v2.links import Links
from craton_inv.api.v2.present.base import Viewer, summary_of
from craton_inv.models import InventorySource, InventoryUpdate, Project, ProjectUpdate
from craton_inv.repositories.inventories import FAILED
from craton_inv.schemas.v2.fields import show_time

Run = InventoryUpdate | ProjectUpdate
Updated = InventorySource | Project


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


class CurrentAndLast:
    """The current and the last run of each row of a page. `kind`: what links call such a run; `runs`: by id."""

    def __init__(self, links: Links, kind: str, runs: Mapping[int, Any]) -> None:
        self.links = links
        self.kind = kind
        self.runs = runs

    def _known(self, row: Updated) -> dict[str, Any]:
        named = {"current_job": row.current_update_id, "last_job": row.last_update_id}
        known = {
            name: self.runs[run_id] for name, run_id in named.items() if run_id is not None and run_id in self.runs
        }
        # AWX's older names for the same two, which its clients still follow.
        return known | {name.replace("job", "update"): run for name, run in known.items()}

    def related(self, row: Updated) -> dict[str, str]:
        """Links to them."""
        return {name: self.links.to(self.kind, run.id) for name, run in self._known(row).items()}

    def fields(self, row: Updated) -> dict[str, Any]:
        """Their `summary_fields`."""
        return {
            name: {
                **summary_of(run, "id", "name", "description", "status"),
                "finished": show_time(run.finished) if run.finished is not None else None,
                "failed": run.status in FAILED,
            }
            for name, run in self._known(row).items()
        }

    def ended(self, row: Updated) -> dict[str, Any]:
        """When the last one ended, and whether it failed."""
        last = self.runs.get(row.last_update_id or 0)
        return {
            "last_job_run": last.finished if last is not None else None,
            "last_job_failed": last is not None and last.status in FAILED,
            "last_update_failed": row.status in FAILED,
        }
