"""The activity stream: who did what to what, in AWX's words."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from craton_inv.db.base import Base, HasId
from craton_inv.models.tenant import Tenant
from craton_inv.models.user import User


class ActivityStream(HasId, Base):
    """One entry. `object1`, `object2`: kinds of what it speaks of, which may be gone by now; `changes`: what changed.

    `tenant_id`: null for what belongs to no tenant, a user for instance, and for the end of a tenant itself.
    `inventory_id`: the inventory that they belong to. Nothing refers to these objects: entries outlive them.
    """

    __tablename__ = "activity_stream"
    __table_args__ = (
        CheckConstraint("operation IN ('create', 'update', 'delete', 'associate', 'disassociate')", name="operation"),
        Index("ix_activity_stream_tenant_id", "tenant_id", "id"),
        Index("ix_activity_stream_actor_id", "actor_id"),
        Index("ix_activity_stream_inventory_id", "inventory_id", "id"),
        Index("ix_activity_stream_object1", "object1", "object1_id", "id"),
        Index(
            "ix_activity_stream_object2",
            "object2",
            "object2_id",
            "id",
            postgresql_where=text("object2_id IS NOT NULL"),
        ),
    )
    __search_fields__ = ("object1_name", "object2_name", "actor_name")
    __filter_names__ = {"organization": "tenant", "created": "timestamp"}  # noqa: RUF012

    timestamp: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    actor_name: Mapped[str] = mapped_column(server_default="")
    operation: Mapped[str] = mapped_column(String(16))
    object1: Mapped[str] = mapped_column(String(64))
    object1_id: Mapped[int] = mapped_column()
    object1_name: Mapped[str] = mapped_column(server_default="")
    object2: Mapped[str] = mapped_column(String(64), server_default="")
    object2_id: Mapped[int | None] = mapped_column()
    object2_name: Mapped[str] = mapped_column(server_default="")
    inventory_id: Mapped[int | None] = mapped_column()
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    action_node: Mapped[str] = mapped_column(server_default="")

    tenant: Mapped[Tenant | None] = relationship(lazy="raise", viewonly=True, info={"filter": True})
    actor: Mapped[User | None] = relationship(lazy="raise", viewonly=True, info={"filter": True})
