"""Schedules: when a source is refreshed by itself, and each moment at which one was (AWX's Schedule)."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.db.types import name_column
from craton_inv.models.inventory_source import InventorySource
from craton_inv.models.inventory_update import InventoryUpdate
from craton_inv.models.parts import Authored, of_source
from craton_inv.models.relations import through, to_one
from craton_inv.models.tenant import Tenant


class Schedule(HasId, HasTimestamps, HasGeneration, Authored, Base):
    """A rule of recurrence for one source. `next_run`: when it fires next, null when never again or switched off.

    `dtstart` and `dtend` are the first and the last moment of the rule. `last_error`: why the last moment started no
    run; "" when it did.
    """

    __tablename__ = "schedules"
    __table_args__ = (
        UniqueConstraint("inventory_source_id", "name"),
        of_source(),
        Index("ix_schedules_tenant_id", "tenant_id", "id"),
        Index("ix_schedules_due", "next_run", postgresql_where=text("enabled")),
    )
    __search_fields__ = ("name", "description")
    __filter_names__ = {"unified_job_template": "inventory_source"}  # noqa: RUF012

    inventory_source_id: Mapped[int] = mapped_column()
    inventory_id: Mapped[int] = mapped_column()
    tenant_id: Mapped[int] = mapped_column()
    name: Mapped[str] = name_column()
    description: Mapped[str] = mapped_column(server_default="")
    enabled: Mapped[bool] = mapped_column(server_default="true")
    rrule: Mapped[str] = mapped_column(String(255))
    dtstart: Mapped[datetime] = mapped_column()
    dtend: Mapped[datetime | None] = mapped_column()
    next_run: Mapped[datetime | None] = mapped_column()
    last_error: Mapped[str] = mapped_column(server_default="")

    inventory_source: Mapped[InventorySource] = to_one("Schedule.inventory_source_id", "InventorySource")
    tenant: Mapped[Tenant] = to_one("Schedule.tenant_id", "Tenant")
    inventory_updates: Mapped[list[InventoryUpdate]] = through(
        "schedule_fires",
        "Schedule.id == ScheduleFire.schedule_id",
        "InventoryUpdate.id == ScheduleFire.inventory_update_id",
    )


class ScheduleFire(Base):
    """Schedule `schedule_id` fired for the moment `tick`: the row is what keeps two workers from firing it twice."""

    __tablename__ = "schedule_fires"

    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id", ondelete="CASCADE"), primary_key=True)
    tick: Mapped[datetime] = mapped_column(primary_key=True)
    inventory_update_id: Mapped[int | None] = mapped_column(
        ForeignKey("inventory_updates.id", ondelete="SET NULL"), index=True
    )
