"""Labels: words of a tenant that its inventories and hosts bear, to be found by."""

from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.db.types import name_column
from craton_inv.models.parts import Authored
from craton_inv.models.relations import through
from craton_inv.models.tenant import Tenant

if TYPE_CHECKING:
    from craton_inv.models.host import Host
    from craton_inv.models.inventory import Inventory


class Label(HasId, HasTimestamps, HasGeneration, Authored, Base):
    """A label of a tenant. One that was borne goes with the last link to it (trigger of the second migration)."""

    __tablename__ = "labels"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        UniqueConstraint("id", "tenant_id"),
    )
    __search_fields__ = ("name",)
    __filter_names__ = {"organization": "tenant", "organization_id": "tenant_id"}  # noqa: RUF012

    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    name: Mapped[str] = name_column()

    tenant: Mapped[Tenant] = relationship(lazy="raise", viewonly=True, info={"filter": True})
    inventories: Mapped[list["Inventory"]] = through(
        "inventory_labels", "Label.id == InventoryLabel.label_id", "Inventory.id == InventoryLabel.inventory_id"
    )
    hosts: Mapped[list["Host"]] = through(
        "host_labels", "Label.id == HostLabel.label_id", "Host.id == HostLabel.host_id"
    )


def _label_of_the_tenant() -> ForeignKeyConstraint:
    """The label is of the link's tenant, and stays as long as the link."""
    return ForeignKeyConstraint(["label_id", "tenant_id"], ["labels.id", "labels.tenant_id"])


def _inventory_of_the_tenant() -> ForeignKeyConstraint:
    """The inventory is of the link's tenant. Deferrable: one that moves to another tenant takes its links along."""
    return ForeignKeyConstraint(
        ["inventory_id", "tenant_id"],
        ["inventories.id", "inventories.tenant_id"],
        ondelete="CASCADE",
        deferrable=True,
        initially="IMMEDIATE",
    )


class InventoryLabel(Base):
    """Inventory `inventory_id` bears `label_id`: both are of `tenant_id`."""

    __tablename__ = "inventory_labels"
    __table_args__ = (
        _inventory_of_the_tenant(),
        _label_of_the_tenant(),
        Index("ix_inventory_labels_label_id", "label_id", "inventory_id"),
    )

    inventory_id: Mapped[int] = mapped_column(primary_key=True)
    label_id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column()


class HostLabel(Base):
    """Host `host_id` of `inventory_id` bears `label_id`: the inventory and the label are of `tenant_id`."""

    __tablename__ = "host_labels"
    __table_args__ = (
        ForeignKeyConstraint(["host_id", "inventory_id"], ["hosts.id", "hosts.inventory_id"], ondelete="CASCADE"),
        _inventory_of_the_tenant(),
        _label_of_the_tenant(),
        Index("ix_host_labels_label_id", "label_id", "host_id"),
        Index("ix_host_labels_inventory_id", "inventory_id"),
    )

    host_id: Mapped[int] = mapped_column(primary_key=True)
    label_id: Mapped[int] = mapped_column(primary_key=True)
    inventory_id: Mapped[int] = mapped_column()
    tenant_id: Mapped[int] = mapped_column()
