"""Credentials: what sources log in with, and the types that say which inputs one has and where they go."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.db.types import name_column
from craton_inv.models.parts import Authored
from craton_inv.models.relations import to_many
from craton_inv.models.sealed import Sealed, sealed_rules
from craton_inv.models.tenant import Tenant

if TYPE_CHECKING:
    from craton_inv.models.inventory_source import InventorySource


class CredentialType(HasId, HasTimestamps, HasGeneration, Authored, Base):
    """A type. `managed`: one of AWX's, known by its `namespace`, the same for all; others are of a tenant, or of all.

    `inputs` and `injectors` of managed types are those of the release (`providers.credential_types`), not of the row.
    """

    __tablename__ = "credential_types"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name", "kind", postgresql_nulls_not_distinct=True),
        UniqueConstraint("namespace"),
        CheckConstraint("managed = (namespace IS NOT NULL)", name="namespace"),
        CheckConstraint("NOT managed OR tenant_id IS NULL", name="managed"),
    )
    __search_fields__ = ("name", "description")
    __filter_names__ = {"organization": "tenant", "organization_id": "tenant_id"}  # noqa: RUF012
    __filter_label__ = "CredentialType"

    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    name: Mapped[str] = name_column()
    description: Mapped[str] = mapped_column(server_default="")
    kind: Mapped[str] = mapped_column(String(32))
    namespace: Mapped[str | None] = mapped_column(String(64))
    managed: Mapped[bool] = mapped_column(server_default="false")
    inputs: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}", info={"filter": False})
    injectors: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}", info={"filter": False})

    tenant: Mapped[Tenant | None] = relationship(lazy="raise", viewonly=True, info={"filter": True})


class Credential(HasId, HasTimestamps, HasGeneration, Authored, Sealed, Base):
    """A credential of a tenant. Plain inputs stand in `inputs`, all secret ones sealed together as one JSON text.

    `secret_fields` names the secret inputs that are there, so that answers need no key.
    """

    __tablename__ = "credentials"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name", "credential_type_id"),
        UniqueConstraint("id", "tenant_id"),
        Index("ix_credentials_credential_type_id", "credential_type_id"),
        Index("ix_credentials_key_id", "key_id"),
        *sealed_rules(),
    )
    __search_fields__ = ("name", "description")
    __filter_names__ = {"organization": "tenant", "organization_id": "tenant_id"}  # noqa: RUF012

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    credential_type_id: Mapped[int] = mapped_column(ForeignKey("credential_types.id"))
    name: Mapped[str] = name_column()
    description: Mapped[str] = mapped_column(server_default="")
    inputs: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}", info={"private": True})
    secret_fields: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}", info={"filter": False})

    tenant: Mapped[Tenant] = relationship(lazy="raise", viewonly=True, info={"filter": True})
    credential_type: Mapped[CredentialType] = relationship(lazy="raise", viewonly=True, info={"filter": True})
    inventory_sources: Mapped[list["InventorySource"]] = to_many("Credential", "InventorySource.credential_id")
