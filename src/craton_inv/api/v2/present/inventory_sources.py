"""Inventory sources as /v2 shows them."""

from collections.abc import Sequence
from typing import Any

from craton_inv import models
from craton_inv.api.v2.present.base import Inventories, Viewer, author_fields, load_authors, summary_of
from craton_inv.api.v2.present.runs import CurrentAndLast
from craton_inv.repositories import summaries
from craton_inv.repositories.credentials import summaries as credential_summaries
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.repositories.projects import project_summaries
from craton_inv.repositories.schedules import next_runs
from craton_inv.schemas.v2.fields import show_time
from craton_inv.schemas.v2.inventory_sources import InventorySource

SUB_RESOURCES = (
    "update", "events", "inventory_updates", "hosts", "groups", "resources", "upload", "credentials", "schedules",
)  # fmt: skip
COPIED = (
    "id", "created", "modified", "name", "description", "source", "source_path", "source_vars", "scm_branch",
    "enabled_var", "enabled_value", "host_filter", "overwrite", "overwrite_vars", "timeout", "verbosity", "limit",
    "trusted_connection_vars",
    "update_on_launch", "update_cache_timeout", "read_only", "pending_deletion", "status", "last_updated",
)  # fmt: skip


class InventorySourcePresenter:
    """Eight statements a page: inventories, their totals, runs, uploads, credentials, authors, projects, schedules."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def one(self, row: models.InventorySource) -> InventorySource:
        """A source."""
        return (await self.many([row]))[0]

    async def many(self, rows: Sequence[models.InventorySource]) -> list[InventorySource]:
        """Sources, in the order given."""
        if not rows:
            return []
        viewer, links, session = self.viewer, self.viewer.links, self.viewer.session
        inventories = await Inventories.load(viewer, (row.inventory_id for row in rows))
        found = await summaries.updates(
            session, [i for row in rows for i in (row.current_update_id, row.last_update_id)]
        )
        runs = CurrentAndLast(links, "inventory_update", found)
        uploads = await InventorySourceRepository(session, viewer.scope).uploads(row.id for row in rows)
        credentials = await credential_summaries(session, (row.credential_id for row in rows))
        authors = await load_authors(session, rows)
        projects = await project_summaries(session, (row.source_project_id for row in rows))
        firing = await next_runs(session, (row.id for row in rows))
        made = []
        for row in rows:
            writable = viewer.may_write(row.tenant_id)
            fields: dict[str, Any] = {
                **inventories.fields(row.inventory_id),
                **author_fields(row, authors),
                **runs.fields(row),
                "user_capabilities": {"edit": writable, "delete": writable, "start": writable, "schedule": writable},
                "credentials": [credentials[row.credential_id]] if row.credential_id in credentials else [],
            }
            project = projects.get(row.source_project_id or 0)
            if project is not None:
                fields["source_project"] = summary_of(project, "id", "name", "description", "status", "scm_type")
            if row.last_error:
                fields["last_error"] = row.last_error
            if row.events_blocked_at is not None:
                fields["blocked_events"] = {"count": row.events_blocked, "last": show_time(row.events_blocked_at)}
            upload = uploads.get(row.id)
            if upload is not None:
                fields["upload"] = {
                    **summary_of(upload, "filename", "sha256", "size"),
                    "modified": show_time(upload.modified),
                }
            made.append(
                InventorySource(
                    **summary_of(row, *COPIED),
                    type="inventory_source",
                    url=links.to("inventory_source", row.id),
                    related={
                        "named_url": links.named("inventory_source", row.name, *inventories.names(row.inventory_id)),
                        **viewer.author_links(row),
                        **links.below("inventory_source", row.id, SUB_RESOURCES),
                        "inventory": links.to("inventory", row.inventory_id),
                        **runs.related(row),
                        **({"source_project": links.to("project", project.id)} if project is not None else {}),
                        **({"next_schedule": links.to("schedule", firing[row.id][1])} if row.id in firing else {}),
                    },
                    summary_fields=fields,
                    inventory=row.inventory_id,
                    credential=row.credential_id,
                    custom_virtualenv=None,
                    execution_environment=None,
                    source_project=row.source_project_id,
                    **runs.ended(row),
                    next_job_run=firing[row.id][0] if row.id in firing else None,
                )
            )
        return made
