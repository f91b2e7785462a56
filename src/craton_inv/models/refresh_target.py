"""What updates are asked for beside whole sources: single objects by reference, and the events that asked for them."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base, HasId


class InventoryUpdateTarget(HasId, Base):
    """One object that a targeted update refreshes. `manager_ref`: columns with their values; it need not exist yet.

    `digest` is that of the reference with sorted keys: the same object asked for twice is one row.
    """

    __tablename__ = "inventory_update_targets"
    __table_args__ = (
        UniqueConstraint("inventory_update_id", "association", "digest", name="uq_inventory_update_targets_object"),
    )
    __search_fields__ = ("association",)

    inventory_update_id: Mapped[int] = mapped_column(ForeignKey("inventory_updates.id", ondelete="CASCADE"))
    association: Mapped[str] = mapped_column(String(64))
    manager_ref: Mapped[dict[str, Any]] = mapped_column()
    digest: Mapped[bytes] = mapped_column(LargeBinary, info={"private": True})
    created: Mapped[datetime] = mapped_column(server_default=func.now())


class SourceEvent(Base):
    """An event of a provider that was taken, kept so that the same one again costs nothing.

    `uid`: digest of what tells the event from others. `key`: digest of its content without id and time; what comes too
    often with one key is a flood.
    """

    __tablename__ = "source_events"
    __table_args__ = (
        CheckConstraint("length(uid) = 32 AND length(key) = 32", name="digests"),
        Index("ix_source_events_key", "inventory_source_id", "key", "seen"),
        Index("ix_source_events_seen", "seen"),
    )

    inventory_source_id: Mapped[int] = mapped_column(
        ForeignKey("inventory_sources.id", ondelete="CASCADE"), primary_key=True
    )
    uid: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)
    seen: Mapped[datetime] = mapped_column(server_default=func.now())
