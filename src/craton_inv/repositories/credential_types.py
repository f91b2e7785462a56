"""Credential types in the database: AWX's managed ones, and custom ones of tenants or of all."""

from sqlalchemy import ColumnElement, or_, select

from craton_inv.errors import Forbidden
from craton_inv.models import Credential, CredentialType
from craton_inv.repositories.base import Repository
from craton_inv.repositories.scope import ADMIN


class CredentialTypeRepository(Repository[CredentialType]):
    """Types of the caller's tenants, and those that all have. Changed by a tenant's admins, and by system ones."""

    model = CredentialType
    label = "CredentialType"
    write_roles = ADMIN
    unique_texts = {  # noqa: RUF012 - a constant of the class
        "uq_credential_types_tenant_id_name_kind": "Credential type with this Name and Kind already exists."
    }

    def visible_condition(self) -> ColumnElement[bool]:
        """Everybody's, and those of the caller's tenants."""
        return or_(CredentialType.tenant_id.is_(None), self.scope.where(CredentialType))

    def authorize(self, row: CredentialType) -> None:
        """Raise unless the caller may write this type."""
        if row.managed:
            raise Forbidden("Modifications not allowed for managed credential types", code="managed")
        if row.tenant_id is None:
            self.scope.require_superuser()
        else:
            self.scope.require(row.tenant_id, ADMIN, "credential types")

    async def in_use(self, row: CredentialType) -> bool:
        """Whether credentials of it are there."""
        query = select(Credential.id).where(Credential.credential_type_id == row.id).limit(1)
        return await self.session.scalar(query) is not None
