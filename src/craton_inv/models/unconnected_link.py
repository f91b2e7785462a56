"""Links of a source that lead nowhere yet: kept to be listed, and tried again by the source's next refresh."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base, HasId


class UnconnectedLink(HasId, Base):
    """One link. `object_id`: the row whose `attribute` waits, None when it could not be saved without the link.

    `object_ref`, `target_ref`: what is known of both ends, columns to values; `object_key` is the digest of the first.
    `target_by`: the form of the link (`refresh.lookup`); `target_key`: the column to take, "" for the id. `ambiguous`:
    several rows fit. `inventory_update_id`: the run that first found it so.
    """

    __tablename__ = "unconnected_links"
    __table_args__ = (
        UniqueConstraint(
            "inventory_source_id", "collection", "attribute", "object_key", name="uq_unconnected_links_attribute"
        ),
    )

    inventory_source_id: Mapped[int] = mapped_column(ForeignKey("inventory_sources.id", ondelete="CASCADE"))
    inventory_update_id: Mapped[int | None] = mapped_column(
        ForeignKey("inventory_updates.id", ondelete="SET NULL"), index=True
    )
    collection: Mapped[str] = mapped_column()
    object_id: Mapped[int | None] = mapped_column()
    object_ref: Mapped[dict[str, Any]] = mapped_column()
    object_key: Mapped[UUID] = mapped_column()
    attribute: Mapped[str] = mapped_column()
    target_collection: Mapped[str] = mapped_column()
    target_ref: Mapped[dict[str, Any]] = mapped_column()
    target_by: Mapped[str] = mapped_column()
    target_key: Mapped[str] = mapped_column(server_default="")
    ambiguous: Mapped[bool] = mapped_column(server_default="false")
    first_seen: Mapped[datetime] = mapped_column(server_default=func.now())
