"""Labels as /v2 shows them."""

from collections.abc import Sequence

from craton_inv import models
from craton_inv.api.v2.present.base import Viewer, author_fields, load_authors, summary_of
from craton_inv.repositories import summaries
from craton_inv.schemas.v2.labels import Label


class LabelPresenter:
    """Two statements for a page: organizations, authors."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def one(self, row: models.Label) -> Label:
        """A label."""
        return (await self.many([row]))[0]

    async def many(self, rows: Sequence[models.Label]) -> list[Label]:
        """Labels, in the order given."""
        viewer, links = self.viewer, self.viewer.links
        tenants = await summaries.tenants(viewer.session, (row.tenant_id for row in rows))
        authors = await load_authors(viewer.session, rows)
        return [
            Label(
                id=row.id,
                type="label",
                url=links.to("label", row.id),
                related={
                    "named_url": links.named("label", row.name, tenants[row.tenant_id].name),
                    **viewer.author_links(row),
                    "organization": links.to("organization", row.tenant_id),
                },
                summary_fields={
                    "organization": summary_of(tenants[row.tenant_id], "id", "name", "description"),
                    **author_fields(row, authors),
                },
                created=row.created,
                modified=row.modified,
                name=row.name,
                organization=row.tenant_id,
            )
            for row in rows
        ]
