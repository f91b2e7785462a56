"""Credentials as /v2 shows them: never with a secret."""

from collections.abc import Sequence

from craton_inv import models
from craton_inv.api.v2.present.base import Viewer, author_fields, load_authors, summary_of
from craton_inv.repositories import summaries
from craton_inv.repositories.credentials import types_of
from craton_inv.schemas.v2.credentials import Credential
from craton_inv.services.credentials import shown_inputs


class CredentialPresenter:
    """Three statements for a page: organizations, types, authors."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def one(self, row: models.Credential) -> Credential:
        """A credential."""
        return (await self.many([row]))[0]

    async def many(self, rows: Sequence[models.Credential]) -> list[Credential]:
        """Credentials, in the order given."""
        viewer, links = self.viewer, self.viewer.links
        tenants = await summaries.tenants(viewer.session, (row.tenant_id for row in rows))
        types = await types_of(viewer.session, rows)
        authors = await load_authors(viewer.session, rows)
        made = []
        for row in rows:
            kind = types[row.credential_type_id]
            writable = viewer.may_manage(row.tenant_id)
            made.append(
                Credential(
                    **summary_of(row, "id", "created", "modified", "name", "description"),
                    type="credential",
                    url=links.to("credential", row.id),
                    related={
                        **viewer.author_links(row),
                        "organization": links.to("organization", row.tenant_id),
                        "credential_type": links.to("credential_type", kind.id),
                    },
                    summary_fields={
                        "organization": summary_of(tenants[row.tenant_id], "id", "name", "description"),
                        "credential_type": summary_of(kind, "id", "name", "description"),
                        **author_fields(row, authors),
                        "user_capabilities": {
                            "edit": writable,
                            "delete": writable,
                            "use": viewer.may_write(row.tenant_id),
                        },
                    },
                    organization=row.tenant_id,
                    credential_type=kind.id,
                    managed=False,
                    inputs=shown_inputs(row),
                    kind=kind.namespace,
                    cloud=kind.kind == "cloud",
                    kubernetes=kind.kind == "kubernetes",
                )
            )
        return made
