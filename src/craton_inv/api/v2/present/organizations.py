"""Organizations as /v2 shows them."""

from collections.abc import Sequence

from craton_inv import models
from craton_inv.api.v2.present.base import Viewer, author_fields, load_authors
from craton_inv.schemas.v2.organizations import Organization


class OrganizationPresenter:
    """One statement for a page: authors."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def one(self, row: models.Tenant) -> Organization:
        """An organization."""
        return (await self.many([row]))[0]

    async def many(self, rows: Sequence[models.Tenant]) -> list[Organization]:
        """Organizations, in the order given."""
        viewer, links = self.viewer, self.viewer.links
        authors = await load_authors(viewer.session, rows)
        made = []
        for row in rows:
            writable = "admin" in viewer.scope.roles_in(row.id) and not viewer.scope.read_only
            made.append(
                Organization(
                    id=row.id,
                    type="organization",
                    url=links.to("organization", row.id),
                    related={
                        "named_url": links.named("organization", row.name),
                        **viewer.author_links(row),
                        **links.below("organization", row.id, ("inventories", "credentials")),
                    },
                    summary_fields={
                        **author_fields(row, authors),
                        "user_capabilities": {"edit": writable, "delete": writable},
                    },
                    created=row.created,
                    modified=row.modified,
                    name=row.name,
                    description=row.description,
                    pending_deletion=row.pending_deletion,
                )
            )
        return made
