"""Inventory updates: one run of a source each, with its events."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from craton_inv.db.base import Base, HasId, HasTimestamps
from craton_inv.db.types import name_column
from craton_inv.models import filtering
from craton_inv.models.credential import Credential
from craton_inv.models.inventory import Inventory
from craton_inv.models.inventory_source import InventorySource
from craton_inv.models.parts import Authored, of_inventory
from craton_inv.models.relations import to_one

ACTIVE = ("new", "pending", "waiting", "running")
ENDED = ("successful", "failed", "error", "canceled")


class InventoryUpdate(HasId, HasTimestamps, Authored, Base):
    """One run. `kind`: full or targeted; `result`: counts per collection; `options`: what the caller asked.

    `purpose`: update; dry_run, which writes nothing and keeps what was delivered; apply, which saves what the dry run
    `dry_run_id` kept.
    """

    __tablename__ = "inventory_updates"
    __table_args__ = (
        of_inventory(),
        Index("ix_inventory_updates_tenant_id", "tenant_id"),
        Index("ix_inventory_updates_inventory_id", "inventory_id"),
        Index("ix_inventory_updates_inventory_source_id", "inventory_source_id"),
        Index("ix_inventory_updates_dry_run_id", "dry_run_id", postgresql_where=text("dry_run_id IS NOT NULL")),
        # One run at a time and one waiting of each purpose: the database refuses a second of either.
        Index(
            "uq_inventory_updates_one_waiting",
            "inventory_source_id",
            "purpose",
            unique=True,
            postgresql_where=text("status IN ('new', 'pending', 'waiting')"),
        ),
        Index(
            "uq_inventory_updates_one_running",
            "inventory_source_id",
            unique=True,
            postgresql_where=text("status = 'running'"),
        ),
        CheckConstraint(
            "status IN ('new', 'pending', 'waiting', 'running', 'successful', 'failed', 'error', 'canceled')",
            name="status",
        ),
        CheckConstraint("kind IN ('full', 'targeted')", name="kind"),
        CheckConstraint("purpose IN ('update', 'dry_run', 'apply')", name="purpose"),
    )
    __search_fields__ = ("name", "description")
    __filter_names__ = {"unified_job_template": "inventory_source", "credentials": "credential"}  # noqa: RUF012
    __filter_columns__ = {"failed": filtering.failed}  # noqa: RUF012

    inventory_id: Mapped[int] = mapped_column()
    tenant_id: Mapped[int] = mapped_column()
    inventory_source_id: Mapped[int] = mapped_column(ForeignKey("inventory_sources.id", ondelete="CASCADE"))
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"), index=True)
    credential_id: Mapped[int | None] = mapped_column(ForeignKey("credentials.id", ondelete="SET NULL"), index=True)
    name: Mapped[str] = name_column()
    description: Mapped[str] = mapped_column(server_default="")
    kind: Mapped[str] = mapped_column(String(16), server_default="full")
    purpose: Mapped[str] = mapped_column(String(16), server_default="update")
    dry_run_id: Mapped[int | None] = mapped_column(ForeignKey("inventory_updates.id", ondelete="SET NULL"))
    launch_type: Mapped[str] = mapped_column(String(32), server_default="manual")
    status: Mapped[str] = mapped_column(String(16), server_default="pending")
    cancel_requested: Mapped[bool] = mapped_column(server_default="false")
    options: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    source_definition: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    started: Mapped[datetime | None] = mapped_column()
    finished: Mapped[datetime | None] = mapped_column()
    canceled_on: Mapped[datetime | None] = mapped_column()
    collected_at: Mapped[datetime | None] = mapped_column()
    job_explanation: Mapped[str] = mapped_column(server_default="")
    job_args: Mapped[str] = mapped_column(server_default="")
    job_cwd: Mapped[str] = mapped_column(server_default="")
    job_env: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}", info={"private": True})
    execution_node: Mapped[str] = mapped_column(server_default="")
    scm_revision: Mapped[str] = mapped_column(String(64), server_default="")
    result: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    result_traceback: Mapped[str] = mapped_column(server_default="")
    event_processing_finished: Mapped[bool] = mapped_column(server_default="false")

    inventory: Mapped[Inventory] = to_one("InventoryUpdate.inventory_id", "Inventory")
    credential: Mapped[Credential | None] = relationship(lazy="raise", viewonly=True, info={"filter": True})
    inventory_source: Mapped[InventorySource] = relationship(
        lazy="raise", viewonly=True, foreign_keys="InventoryUpdate.inventory_source_id", info={"filter": True}
    )


class InventoryUpdateEvent(HasId, Base):
    """A line or more of what a run said. `counter` orders them from 1; lines count over the whole run."""

    __tablename__ = "inventory_update_events"
    __table_args__ = (Index("uq_inventory_update_events_counter", "inventory_update_id", "counter", unique=True),)
    __search_fields__ = ("stdout",)

    inventory_update_id: Mapped[int] = mapped_column(ForeignKey("inventory_updates.id", ondelete="CASCADE"))
    counter: Mapped[int] = mapped_column()
    created: Mapped[datetime] = mapped_column(server_default=func.now())
    event: Mapped[str] = mapped_column(String(32), server_default="verbose")
    stdout: Mapped[str] = mapped_column(server_default="")
    start_line: Mapped[int] = mapped_column(server_default="0")
    end_line: Mapped[int] = mapped_column(server_default="0")
    verbosity: Mapped[int] = mapped_column(server_default="0")
    event_data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
