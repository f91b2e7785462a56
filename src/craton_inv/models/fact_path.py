"""The catalogue of fact paths: what a tenant's facts can be searched by, kept whenever facts are written."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, SmallInteger, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base


class FactPath(Base):
    """One path that some host of a tenant has had. `kinds`: the JSON types seen there, a bit each (`filters.shapes`).

    `path` is written as a filter names it, `ansible_facts__…`. `example`: a short value, None where a value might be a
    secret. `last_seen` moves at most once a day, so that writing facts of a known shape writes no row here.
    """

    __tablename__ = "fact_paths"

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    # By bytes, so that the key also serves a search by prefix.
    path: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    kinds: Mapped[int] = mapped_column(SmallInteger)
    example: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    last_seen: Mapped[datetime] = mapped_column(server_default=func.now())
