"""Tenants: who owns inventories. The same row is /v2's organization."""

from typing import Any

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.db.types import name_column
from craton_inv.models.parts import Authored


class Tenant(HasId, HasTimestamps, HasGeneration, Authored, Base):
    """A tenant. `customer` is a free label: one customer may have many tenants (Craton)."""

    __tablename__ = "tenants"
    __search_fields__ = ("name", "description")
    __filter_label__ = "Organization"

    name: Mapped[str] = name_column(unique=True)
    description: Mapped[str] = mapped_column(server_default="")
    customer: Mapped[str] = mapped_column(server_default="")
    pending_deletion: Mapped[bool] = mapped_column(server_default="false")
    variables: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
