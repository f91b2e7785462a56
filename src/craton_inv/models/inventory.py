"""Inventories: what hosts and groups belong to (AWX's Inventory)."""

from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.db.types import HasVariables, name_column
from craton_inv.models.filtering import variables_root
from craton_inv.models.parts import Authored
from craton_inv.models.relations import through, to_many
from craton_inv.models.tenant import Tenant

if TYPE_CHECKING:
    from craton_inv.models.group import Group
    from craton_inv.models.host import Host
    from craton_inv.models.inventory_source import InventorySource
    from craton_inv.models.label import Label


class Inventory(HasId, HasTimestamps, HasGeneration, HasVariables, Authored, Base):
    """An inventory of a tenant.

    `generation` moves with every change of the inventory or of a host, group, membership or edge in it, in the writing
    transaction (triggers of the first migration), so a reader that has seen it has seen all.
    """

    __tablename__ = "inventories"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        UniqueConstraint("id", "tenant_id"),
        CheckConstraint("kind IN ('', 'smart', 'constructed')", name="kind"),
        CheckConstraint("kind <> 'smart' OR host_filter IS NOT NULL", name="smart_has_filter"),
        Index("ix_inventories_smart", "tenant_id", postgresql_where=text("kind = 'smart'")),
    )
    __search_fields__ = ("name", "description")
    __filter_names__ = {"organization": "tenant", "organization_id": "tenant_id"}  # noqa: RUF012
    __filter_json__ = {"variables": variables_root}  # noqa: RUF012

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    name: Mapped[str] = name_column()
    description: Mapped[str] = mapped_column(server_default="")
    kind: Mapped[str] = mapped_column(String(32), server_default="")
    host_filter: Mapped[str | None] = mapped_column()
    include_groups: Mapped[bool] = mapped_column(server_default="false")
    prevent_instance_group_fallback: Mapped[bool] = mapped_column(server_default="false")
    pending_deletion: Mapped[bool] = mapped_column(server_default="false")

    tenant: Mapped[Tenant] = relationship(lazy="raise", viewonly=True, info={"filter": True})
    hosts: Mapped[list["Host"]] = to_many("Inventory", "Host.inventory_id")
    groups: Mapped[list["Group"]] = to_many("Inventory", "Group.inventory_id")
    inventory_sources: Mapped[list["InventorySource"]] = to_many("Inventory", "InventorySource.inventory_id")
    labels: Mapped[list["Label"]] = through(
        "inventory_labels", "Inventory.id == InventoryLabel.inventory_id", "Label.id == InventoryLabel.label_id"
    )
    input_inventories: Mapped[list["Inventory"]] = through(
        "input_inventories",
        "Inventory.id == InputInventory.inventory_id",
        "Inventory.id == InputInventory.input_inventory_id",
    )
