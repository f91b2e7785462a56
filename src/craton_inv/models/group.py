"""Groups, their nesting, and what each source says of them."""

from typing import TYPE_CHECKING

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.db.types import HasVariables, name_column
from craton_inv.models.filtering import variables_root
from craton_inv.models.inventory import Inventory
from craton_inv.models.parts import Authored, Delivered, SourceLayer, of_inventory
from craton_inv.models.relations import through

if TYPE_CHECKING:
    from craton_inv.models.host import Host


class Group(HasId, HasTimestamps, HasGeneration, HasVariables, Authored, Base):
    """A group of one inventory. `manual`: made by a person or an API client; a refresh never deletes such a row."""

    __tablename__ = "groups"
    __table_args__ = (
        UniqueConstraint("inventory_id", "name"),
        UniqueConstraint("id", "inventory_id"),
        of_inventory(),
        Index("ix_groups_tenant_id", "tenant_id"),
        Index("ix_groups_name_trgm", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
    )
    __search_fields__ = ("name", "description")
    __filter_json__ = {"variables": variables_root}  # noqa: RUF012

    inventory_id: Mapped[int] = mapped_column()
    tenant_id: Mapped[int] = mapped_column()
    name: Mapped[str] = name_column()
    description: Mapped[str] = mapped_column(server_default="")
    manual: Mapped[bool] = mapped_column(server_default="true")

    inventory: Mapped[Inventory] = relationship(lazy="raise", viewonly=True, info={"filter": True})
    hosts: Mapped[list["Host"]] = through(
        "memberships", "Group.id == Membership.group_id", "Host.id == Membership.host_id"
    )
    children: Mapped[list["Group"]] = through(
        "group_edges", "Group.id == GroupEdge.parent_id", "Group.id == GroupEdge.child_id"
    )
    parents: Mapped[list["Group"]] = through(
        "group_edges", "Group.id == GroupEdge.child_id", "Group.id == GroupEdge.parent_id"
    )


class GroupEdge(Delivered, Base):
    """Group `child_id` is a child of `parent_id`. `source_ids`: who delivers it; `manual`: a person made it."""

    __tablename__ = "group_edges"
    __table_args__ = (
        ForeignKeyConstraint(["parent_id", "inventory_id"], ["groups.id", "groups.inventory_id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["child_id", "inventory_id"], ["groups.id", "groups.inventory_id"], ondelete="CASCADE"),
        CheckConstraint("parent_id <> child_id", name="not_itself"),
        Index("ix_group_edges_child_id", "child_id"),
        Index("ix_group_edges_inventory_id", "inventory_id"),
    )

    parent_id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(primary_key=True)


class GroupSource(SourceLayer, Base):
    """What one source says of one group: its variables as a layer, and the digest that tells an unchanged row."""

    __tablename__ = "group_sources"

    group_id: Mapped[int] = mapped_column(ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True, index=True)
