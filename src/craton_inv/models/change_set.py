"""Change sets: what each run changed, packed by the thousand, and what a dry run had delivered to it."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    func,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base, HasId

PART = 1000
"""Changes that a part holds at most: the id of a change is that of its part times this, plus its place in it."""


class InventoryChangePart(HasId, Base):
    """Up to a thousand changes of one kind, made by the triggers of the eleventh migration.

    row_ids     ids of the rows; of links that of what stands below (the host, the child)
    parent_ids  of links: ids of what stands above (the group, the parent)
    refs        what people know the rows by; null for links that were made, whose rows tell their names
    changes     updated: column -> [old, new]; deleted: the row; created: null, or the row in a dry run
    """

    __tablename__ = "inventory_change_parts"
    __table_args__ = (
        CheckConstraint("action IN ('created', 'updated', 'deleted')", name="action"),
        Index("ix_inventory_change_parts_update_id", "update_id", "id"),
    )

    update_id: Mapped[int] = mapped_column(ForeignKey("inventory_updates.id", ondelete="CASCADE"))
    created: Mapped[datetime] = mapped_column(server_default=func.now())
    collection: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(16))
    size: Mapped[int] = mapped_column()
    row_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    parent_ids: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    refs: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    changes: Mapped[list[dict[str, Any]] | None] = mapped_column(ARRAY(JSONB))


def _unpacked() -> Any:
    """The parts row by row."""
    parts: Any = InventoryChangePart.__table__
    rows = func.unnest(parts.c.row_ids, parts.c.parent_ids, parts.c.refs, parts.c.changes).table_valued(
        Column("row_id", BigInteger),
        Column("parent_id", BigInteger),
        Column("ref", Text),
        Column("changes", JSONB),
        with_ordinality="place",
        name="rows",
    )
    rows = rows.render_derived()
    return (
        select(
            (parts.c.id * PART + rows.c.place - 1).label("id"),
            parts.c.id.label("part_id"),
            parts.c.update_id,
            parts.c.created,
            parts.c.collection,
            parts.c.action,
            rows.c.row_id,
            rows.c.parent_id,
            rows.c.ref,
            rows.c.changes,
        )
        .select_from(parts.join(rows, true()))
        .subquery("inventory_changes")
    )


class InventoryChange(Base):
    """One change of a run: a row of `InventoryChangePart`, unpacked. Read only."""

    __tablename__ = "inventory_changes"  # its name in messages: there is no such table
    __table__ = _unpacked()
    __mapper_args__ = {"primary_key": [__table__.c.id], "eager_defaults": False}  # noqa: RUF012
    __search_fields__ = ("ref",)

    id: Mapped[int]
    part_id: Mapped[int]
    update_id: Mapped[int]
    collection: Mapped[str]
    action: Mapped[str]
    row_id: Mapped[int]
    parent_id: Mapped[int | None]
    ref: Mapped[str | None]
    changes: Mapped[dict[str, Any] | None]


class UpdateDelivery(Base):
    """What a dry run's source delivered, kept so that exactly this can be saved.

    generation            of the inventory, on which the dry run saved it
    applied_by_update_id  the run that saves, or saved, it
    details               targets, what was read partly, options, and how many objects each collection has
    """

    __tablename__ = "update_deliveries"
    __table_args__ = (Index("ix_update_deliveries_expires", "expires"),)

    update_id: Mapped[int] = mapped_column(
        ForeignKey("inventory_updates.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    generation: Mapped[int] = mapped_column()
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires: Mapped[datetime] = mapped_column()
    applied_by_update_id: Mapped[int | None] = mapped_column(
        ForeignKey("inventory_updates.id", ondelete="SET NULL"), index=True
    )
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")


class UpdateDeliveryChunk(Base):
    """A piece of a collection's delivered rows, compressed by itself; `number` counts from 0."""

    __tablename__ = "update_delivery_chunks"

    update_id: Mapped[int] = mapped_column(
        ForeignKey("update_deliveries.update_id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    collection: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)
