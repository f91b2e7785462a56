"""What every table shares: names of constraints, ids, timestamps and generations."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, FetchedValue, Identity, MetaData, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Declarative base. Server-made values come back with the statement that makes them (RETURNING)."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - read by SQLAlchemy, never changed
        int: BigInteger,
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
    }
    __mapper_args__ = {"eager_defaults": True}  # noqa: RUF012


class HasId:
    """An integer id, as AWX's clients demand it."""

    id: Mapped[int] = mapped_column(Identity(), primary_key=True, sort_order=-10)


class HasTimestamps:
    """`created` and `modified`, UTC; `modified` moves by the trigger `touch_row` (see the first migration)."""

    created: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=900)
    modified: Mapped[datetime] = mapped_column(
        server_default=func.now(), server_onupdate=FetchedValue(), sort_order=901
    )


class HasGeneration:
    """An integer that every change of the row moves up by the trigger `touch_row`: the ETag of the object."""

    generation: Mapped[int] = mapped_column(server_default="1", server_onupdate=FetchedValue(), sort_order=902)
