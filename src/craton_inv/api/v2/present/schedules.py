"""Schedules as /v2 shows them."""

from collections.abc import Sequence

from craton_inv import models
from craton_inv.api.v2.present.base import Viewer, author_fields, load_authors, summary_of
from craton_inv.repositories import summaries
from craton_inv.schemas.v2.schedules import Schedule
from craton_inv.services.recurrence import read_recurrence

COPIED = (
    "id", "created", "modified", "name", "description", "enabled", "rrule", "dtstart", "dtend", "next_run",
    "last_error",
)  # fmt: skip


class SchedulePresenter:
    """Three statements for a page: sources, inventories, authors."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def one(self, row: models.Schedule) -> Schedule:
        """A schedule."""
        return (await self.many([row]))[0]

    async def many(self, rows: Sequence[models.Schedule]) -> list[Schedule]:
        """Schedules, in the order given."""
        viewer, links = self.viewer, self.viewer.links
        sources = await summaries.sources(viewer.session, (row.inventory_source_id for row in rows))
        inventories = await summaries.inventories(viewer.session, {row.inventory_id for row in rows})
        authors = await load_authors(viewer.session, rows)
        made = []
        for row in rows:
            rule = read_recurrence(row.rrule)
            source, inventory = sources[row.inventory_source_id], inventories[row.inventory_id]
            writable = viewer.may_write(row.tenant_id)
            made.append(
                Schedule(
                    **summary_of(row, *COPIED),
                    type="schedule",
                    url=links.to("schedule", row.id),
                    related={
                        **viewer.author_links(row),
                        "unified_job_template": links.to("inventory_source", row.inventory_source_id),
                        "unified_jobs": links.to("schedule", row.id, "jobs"),
                        "inventory": links.to("inventory", row.inventory_id),
                    },
                    summary_fields={
                        "unified_job_template": {
                            **summary_of(source, "id", "name", "status"),
                            "unified_job_type": "inventory_update",
                        },
                        "inventory": {
                            **summary_of(inventory, "id", "name", "description", "kind"),
                            "organization_id": inventory.tenant_id,
                        },
                        **author_fields(row, authors),
                        "user_capabilities": {"edit": writable, "delete": writable},
                    },
                    unified_job_template=row.inventory_source_id,
                    timezone=rule.zone.key,
                    until=rule.until,
                )
            )
        return made
