"""Regions: where hosts stand. Each owns one inventory, made with it."""

from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.db.types import name_column
from craton_inv.models.parts import Authored
from craton_inv.models.tenant import Tenant


class Region(HasId, HasTimestamps, HasGeneration, Authored, Base):
    """A region of a tenant; its hosts land in `inventory_id` unless they name another inventory."""

    __tablename__ = "regions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        UniqueConstraint("id", "tenant_id"),
        # The inventory is of the same tenant; one that a region owns cannot move to another tenant.
        ForeignKeyConstraint(["inventory_id", "tenant_id"], ["inventories.id", "inventories.tenant_id"]),
    )
    __search_fields__ = ("name", "description")

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    inventory_id: Mapped[int] = mapped_column(unique=True)
    name: Mapped[str] = name_column()
    description: Mapped[str] = mapped_column(server_default="")
    variables: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")

    tenant: Mapped[Tenant] = relationship(lazy="raise", viewonly=True, info={"filter": True})
