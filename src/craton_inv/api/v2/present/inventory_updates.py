"""Inventory updates as /v2 shows them, and their events."""

import uuid
from collections.abc import Sequence
from typing import Any

from craton_inv import models
from craton_inv.api.v2.present.base import Inventories, Viewer, author_fields, load_authors, summary_of
from craton_inv.api.v2.present.runs import elapsed, launched_by
from craton_inv.repositories import summaries
from craton_inv.repositories.credentials import summaries as credential_summaries
from craton_inv.repositories.inventories import FAILED
from craton_inv.schemas.v2.fields import show_time
from craton_inv.schemas.v2.inventory_updates import (
    InventoryUpdate,
    InventoryUpdateEvent,
    InventoryUpdateRow,
    InventoryUpdateStarted,
)
from craton_inv.schemas.v2.refreshes import InventoryUpdateTarget

SUB_RESOURCES = ("cancel", "changes", "events", "stdout", "targets", "credentials")
COPIED = (
    "id", "created", "modified", "name", "description", "kind", "launch_type", "status", "started", "finished",
    "canceled_on", "job_explanation", "execution_node", "result",
)  # fmt: skip
DETAIL = ("job_args", "job_cwd", "job_env", "result_traceback", "event_processing_finished")
# What the source said when the run started (before: when it was asked for), whatever becomes of the source.
DEFINITION: dict[str, Any] = {
    "source": "", "source_path": "", "source_vars": "", "scm_branch": "", "enabled_var": "", "enabled_value": "",
    "host_filter": "", "overwrite": False, "overwrite_vars": False, "timeout": 0, "verbosity": 1, "limit": "",
}  # fmt: skip
# What AWX shows of a run and this service has nothing of.
ABSENT: dict[str, Any] = {
    "controller_node": "", "work_unit_id": None, "execution_environment": None, "custom_virtualenv": None,
    "license_error": False, "org_host_limit_error": False, "source_project_update": None, "instance_group": None,
}  # fmt: skip
EVENT_SPACE = uuid.UUID("c5b7f1a0-5d0c-4c8e-9f0e-6a6f2b1c7d11")
STDOUT_SHOWN = 1024


class InventoryUpdatePresenter:
    """Five statements for a page: inventories, their totals, sources, credentials, authors."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def many(self, rows: Sequence[models.InventoryUpdate]) -> list[InventoryUpdateRow]:
        """Runs as lists show them."""
        return [InventoryUpdateRow(**values) for values in await self._values(rows)]

    async def one(self, row: models.InventoryUpdate) -> InventoryUpdate:
        """A run in full."""
        return InventoryUpdate(**(await self._values([row]))[0], **summary_of(row, *DETAIL))

    async def started(self, row: models.InventoryUpdate) -> InventoryUpdateStarted:
        """A run that was just asked for."""
        return InventoryUpdateStarted(**dict(await self.one(row)), inventory_update=row.id)

    async def _values(self, rows: Sequence[models.InventoryUpdate]) -> list[dict[str, Any]]:
        if not rows:
            return []
        viewer, links, session = self.viewer, self.viewer.links, self.viewer.session
        inventories = await Inventories.load(viewer, (row.inventory_id for row in rows))
        sources = await summaries.sources(session, (row.inventory_source_id for row in rows))
        credentials = await credential_summaries(session, (row.credential_id for row in rows))
        authors = await load_authors(session, rows)
        return [
            {
                **summary_of(row, *COPIED),
                **{name: row.source_definition.get(name, default) for name, default in DEFINITION.items()},
                **ABSENT,
                "type": "inventory_update",
                "url": links.to("inventory_update", row.id),
                "related": self._related(row),
                "summary_fields": {
                    **inventories.fields(row.inventory_id),
                    **author_fields(row, authors),
                    **self._source_fields(sources[row.inventory_source_id]),
                    **self._capabilities(row),
                    "credentials": [credentials[row.credential_id]] if row.credential_id in credentials else [],
                },
                "unified_job_template": row.inventory_source_id,
                "dry_run": row.purpose == "dry_run",
                "applies": row.dry_run_id,
                "failed": row.status in FAILED,
                "elapsed": elapsed(row),
                "launched_by": launched_by(viewer, row, authors),
                "inventory": row.inventory_id,
                "inventory_source": row.inventory_source_id,
                "credential": row.credential_id,
                "source_project": row.source_definition.get("source_project_id"),
                "scm_revision": row.scm_revision,
            }
            for row in rows
        ]

    def _related(self, row: models.InventoryUpdate) -> dict[str, str]:
        links = self.viewer.links
        related = {
            **self.viewer.author_links(row),
            **links.below("inventory_update", row.id, SUB_RESOURCES),
            "unified_job_template": links.to("inventory_source", row.inventory_source_id),
            "inventory_source": links.to("inventory_source", row.inventory_source_id),
            "inventory": links.to("inventory", row.inventory_id),
        }
        if row.purpose == "dry_run":
            related["apply"] = links.to("inventory_update", row.id, "apply")
        if row.dry_run_id:
            related["applies"] = links.to("inventory_update", row.dry_run_id)
        return related

    def _source_fields(self, source: Any) -> dict[str, Any]:
        """`summary_fields` of the source, under both of its names."""
        return {
            "inventory_source": {
                **summary_of(source, "id", "name", "source", "status"),
                "last_job_run": show_time(source.last_updated) if source.last_updated else None,
            },
            "unified_job_template": {**summary_of(source, "id", "name"), "unified_job_type": "inventory_update"},
        }

    def _capabilities(self, row: models.InventoryUpdate) -> dict[str, Any]:
        writable = self.viewer.may_write(row.tenant_id)
        return {"user_capabilities": {"start": writable, "delete": writable}}


class EventPresenter:
    """Events of one run. No statements. `truncate` cuts their output to 1024 characters."""

    def __init__(self, viewer: Viewer, update_id: int, *, truncate: bool) -> None:
        self.viewer = viewer
        self.update_id = update_id
        self.truncate = truncate

    async def many(self, rows: Sequence[models.InventoryUpdateEvent]) -> list[InventoryUpdateEvent]:
        """Events, in the order given."""
        run = self.viewer.links.to("inventory_update", self.update_id)
        return [
            InventoryUpdateEvent(
                id=row.id,
                type="inventory_update_event",
                url="",
                related={"inventory_update": run},
                summary_fields={},
                created=row.created,
                modified=row.created,
                event=row.event,
                counter=row.counter,
                event_display=row.event.replace("_", " ").capitalize(),
                event_data=row.event_data,
                failed=False,
                changed=False,
                uuid=str(uuid.uuid5(EVENT_SPACE, f"{self.update_id}/{row.counter}")),
                stdout=_cut(row.stdout) if self.truncate else row.stdout,
                start_line=row.start_line,
                end_line=row.end_line,
                verbosity=row.verbosity,
                inventory_update=self.update_id,
            )
            for row in rows
        ]


class TargetPresenter:
    """Targets of one run. No statements."""

    async def many(self, rows: Sequence[models.InventoryUpdateTarget]) -> list[InventoryUpdateTarget]:
        """Targets, in the order given."""
        return [
            InventoryUpdateTarget(
                type="inventory_update_target", **summary_of(row, "id", "association", "manager_ref", "created")
            )
            for row in rows
        ]


def _cut(text: str) -> str:
    return text if len(text) <= STDOUT_SHOWN else text[:STDOUT_SHOWN] + "…"
