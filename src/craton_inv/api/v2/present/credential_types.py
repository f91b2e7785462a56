"""Credential types as /v2 shows them."""

from collections.abc import Sequence

from craton_inv import models
from craton_inv.api.v2.present.base import Viewer, author_fields, load_authors, summary_of
from craton_inv.repositories import summaries
from craton_inv.schemas.v2.credential_types import CredentialType
from craton_inv.services.credential_types import definition_of

COPIED = ("id", "created", "modified", "name", "description", "kind", "namespace", "managed")


class CredentialTypePresenter:
    """Two statements for a page: organizations, authors."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def one(self, row: models.CredentialType) -> CredentialType:
        """A type."""
        return (await self.many([row]))[0]

    async def many(self, rows: Sequence[models.CredentialType]) -> list[CredentialType]:
        """Types, in the order given."""
        viewer, links = self.viewer, self.viewer.links
        tenants = await summaries.tenants(viewer.session, (row.tenant_id for row in rows))
        authors = await load_authors(viewer.session, rows)
        made = []
        for row in rows:
            definition = definition_of(row)
            tenant = tenants.get(row.tenant_id or 0)
            writable = not row.managed and viewer.may_manage(row.tenant_id)
            owner = {} if tenant is None else {"organization": summary_of(tenant, "id", "name", "description")}
            home = {} if row.tenant_id is None else {"organization": links.to("organization", row.tenant_id)}
            made.append(
                CredentialType(
                    **summary_of(row, *COPIED),
                    type="credential_type",
                    url=links.to("credential_type", row.id),
                    related={
                        **viewer.author_links(row),
                        **links.below("credential_type", row.id, ("credentials",)),
                        **home,
                    },
                    summary_fields={
                        **owner,
                        **author_fields(row, authors),
                        "user_capabilities": {"edit": writable, "delete": writable},
                    },
                    organization=row.tenant_id,
                    inputs=definition.inputs_as_json(),
                    injectors=definition.injectors_as_json(),
                )
            )
        return made
