"""Inventory sources: where an inventory's content is refreshed from (ManageIQ's manager, AWX's InventorySource)."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.db.types import name_column
from craton_inv.models import filtering
from craton_inv.models.inventory import Inventory
from craton_inv.models.parts import Authored, of_inventory
from craton_inv.models.relations import to_one

if TYPE_CHECKING:
    from craton_inv.models.credential import Credential
    from craton_inv.models.inventory_update import InventoryUpdate
    from craton_inv.models.project import Project


class InventorySource(HasId, HasTimestamps, HasGeneration, Authored, Base):
    """A definition to refresh from. `source` names the provider kind, "" is manual; `source_vars` is text as written.

    `events_blocked`: how many events the guard against floods has dropped so far, the last `events_blocked_at`.
    `inventory_vars` is what the source said of the inventory itself at its last refresh (a layer, as for hosts).
    """

    __tablename__ = "inventory_sources"
    __table_args__ = (
        UniqueConstraint("inventory_id", "name"),
        UniqueConstraint("id", "inventory_id", "tenant_id"),
        of_inventory(),
        # A project of the source's own tenant; without it the source stays, and cannot be updated.
        ForeignKeyConstraint(
            ["source_project_id", "tenant_id"],
            ["projects.id", "projects.tenant_id"],
            ondelete="SET NULL (source_project_id)",
        ),
        Index("ix_inventory_sources_source_project_id", "source_project_id"),
        Index("ix_inventory_sources_tenant_id", "tenant_id"),
        Index(
            "uq_inventory_sources_constructed",
            "inventory_id",
            unique=True,
            postgresql_where=text("source = 'constructed'"),
        ),
        ForeignKeyConstraint(
            ["credential_id", "tenant_id"],
            ["credentials.id", "credentials.tenant_id"],
            ondelete="SET NULL (credential_id)",
        ),
        CheckConstraint("verbosity BETWEEN 0 AND 2", name="verbosity"),
        CheckConstraint("update_cache_timeout >= 0", name="update_cache_timeout"),
    )
    __search_fields__ = ("name", "description")
    # AWX's names for the same, the older ones too.
    __filter_names__ = {  # noqa: RUF012
        "current_job": "current_update",
        "last_job": "last_update",
        "credentials": "credential",
    }
    __filter_columns__ = {  # noqa: RUF012
        "last_job_failed": filtering.last_run_failed,
        "last_job_run": filtering.last_run_finished,
        "last_update_failed": filtering.failed,
    }

    inventory_id: Mapped[int] = mapped_column()
    tenant_id: Mapped[int] = mapped_column()
    name: Mapped[str] = name_column()
    description: Mapped[str] = mapped_column(server_default="")
    source: Mapped[str] = mapped_column(String(64), server_default="")
    source_path: Mapped[str] = mapped_column(String(1024), server_default="")
    source_vars: Mapped[str] = mapped_column(server_default="")
    source_project_id: Mapped[int | None] = mapped_column()
    scm_branch: Mapped[str] = mapped_column(String(1024), server_default="")
    enabled_var: Mapped[str] = mapped_column(server_default="")
    enabled_value: Mapped[str] = mapped_column(server_default="")
    host_filter: Mapped[str] = mapped_column(server_default="")
    overwrite: Mapped[bool] = mapped_column(server_default="false")
    overwrite_vars: Mapped[bool] = mapped_column(server_default="false")
    timeout: Mapped[int] = mapped_column(server_default="0")
    verbosity: Mapped[int] = mapped_column(server_default="1")
    limit: Mapped[str] = mapped_column(server_default="")
    update_on_launch: Mapped[bool] = mapped_column(server_default="false")
    update_cache_timeout: Mapped[int] = mapped_column(server_default="0")
    read_only: Mapped[bool] = mapped_column(server_default="false")
    pending_deletion: Mapped[bool] = mapped_column(server_default="false")
    credential_id: Mapped[int | None] = mapped_column(index=True)
    trusted_connection_vars: Mapped[bool] = mapped_column(server_default="false")
    inventory_vars: Mapped[str] = mapped_column(server_default="{}")

    status: Mapped[str] = mapped_column(String(32), server_default="never updated")
    last_updated: Mapped[datetime | None] = mapped_column()
    last_error: Mapped[str] = mapped_column(server_default="")
    events_blocked: Mapped[int] = mapped_column(server_default="0")
    events_blocked_at: Mapped[datetime | None] = mapped_column()
    current_update_id: Mapped[int | None] = mapped_column(
        ForeignKey("inventory_updates.id", ondelete="SET NULL", use_alter=True), index=True
    )
    last_update_id: Mapped[int | None] = mapped_column(
        ForeignKey("inventory_updates.id", ondelete="SET NULL", use_alter=True), index=True
    )

    inventory: Mapped[Inventory] = relationship(lazy="raise", viewonly=True, info={"filter": True})
    credential: Mapped["Credential | None"] = to_one("InventorySource.credential_id", "Credential")
    source_project: Mapped["Project | None"] = to_one("InventorySource.source_project_id", "Project")
    current_update: Mapped["InventoryUpdate | None"] = relationship(
        lazy="raise", viewonly=True, foreign_keys=[current_update_id], info={"filter": True}
    )
    last_update: Mapped["InventoryUpdate | None"] = relationship(
        lazy="raise", viewonly=True, foreign_keys=[last_update_id], info={"filter": True}
    )


class InventorySourceUpload(HasTimestamps, Base):
    """The inventory file uploaded to a source of kind `file`, kept in the database so that any worker can read it."""

    __tablename__ = "inventory_source_uploads"

    inventory_source_id: Mapped[int] = mapped_column(
        ForeignKey("inventory_sources.id", ondelete="CASCADE"), primary_key=True
    )
    filename: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column()
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class InventorySourceState(HasTimestamps, Base):
    """What a provider remembers of a source between two refreshes, such as the ETag of what it read last.

    `generation`: the inventory's when that refresh had been saved. Once it moved, the rows are no longer what was
    read, and nothing remembered may spare a refresh.
    """

    __tablename__ = "inventory_source_states"

    inventory_source_id: Mapped[int] = mapped_column(
        ForeignKey("inventory_sources.id", ondelete="CASCADE"), primary_key=True
    )
    generation: Mapped[int] = mapped_column()
    state: Mapped[dict[str, Any]] = mapped_column(JSONB)
