"""Mapped classes of the filter tests' own, following the conventions that the real models follow."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Select,
    Table,
    Text,
    select,
)
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from craton_inv.filters.paths import JsonRoot


class Base(DeclarativeBase):
    """The base of this world: what filters compile to is read here, the rows are those of the real models."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInteger,
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
    }


class Named(Base):
    """An id, a name and a description."""

    __abstract__ = True
    __search_fields__ = ("name", "description")
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")


class Person(Base):
    """Somebody, with a secret."""

    __tablename__ = "person"
    __search_fields__ = ("username",)
    __filter_names__: ClassVar = {"password": "password_hash"}
    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    username: Mapped[str]
    password_hash: Mapped[str] = mapped_column(info={"private": True})
    note: Mapped[str] = mapped_column(default="", info={"filter": False})


class Tenant(Named):
    """An owner."""

    __tablename__ = "tenant"


class Inventory(Named):
    """What hosts belong to."""

    __tablename__ = "inventory"
    __filter_names__: ClassVar = {"organization": "tenant"}
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    tenant: Mapped[Tenant] = relationship(info={"filter": True}, lazy="raise")
    hosts: Mapped[list["Host"]] = relationship(info={"filter": True}, lazy="raise", viewonly=True)
    inventory_sources: Mapped[list["InventorySource"]] = relationship(
        info={"filter": True}, lazy="raise", viewonly=True
    )


class InventorySource(Named):
    """Where an inventory is refreshed from."""

    __tablename__ = "inventory_source"
    source: Mapped[str]
    inventory_id: Mapped[int] = mapped_column(ForeignKey("inventory.id"))


membership = Table(
    "membership",
    Base.metadata,
    Column("host_id", ForeignKey("host.id"), primary_key=True),
    Column("group_id", ForeignKey("host_group.id"), primary_key=True),
)
edge = Table(
    "edge",
    Base.metadata,
    Column("parent_id", ForeignKey("host_group.id"), primary_key=True),
    Column("child_id", ForeignKey("host_group.id"), primary_key=True),
)
host_source = Table(
    "host_source",
    Base.metadata,
    Column("host_id", ForeignKey("host.id"), primary_key=True),
    Column("source_id", ForeignKey("inventory_source.id"), primary_key=True),
)


class Group(Named):
    """A group of hosts and groups."""

    __tablename__ = "host_group"
    inventory_id: Mapped[int | None] = mapped_column(ForeignKey("inventory.id"))
    inventory: Mapped[Inventory | None] = relationship(info={"filter": True}, lazy="raise")
    parents: Mapped[list["Group"]] = relationship(
        secondary=edge,
        primaryjoin=lambda: Group.id == edge.c.child_id,
        secondaryjoin=lambda: Group.id == edge.c.parent_id,
        info={"filter": True},
        lazy="raise",
        viewonly=True,
    )
    hosts: Mapped[list["Host"]] = relationship(secondary=membership, info={"filter": True}, lazy="raise", viewonly=True)


@dataclass(frozen=True)
class AllGroups:
    """Groups of a host and their ancestors."""

    name: str = "all_groups"

    @property
    def target(self) -> type[Any]:
        """Groups."""
        return Group

    def subquery(self, where: ColumnElement[bool]) -> Select[Any]:
        """Hosts whose groups, or ancestors of these, match."""
        under = select(Group.id).where(where).correlate(None).cte(recursive=True)
        under = under.union(select(edge.c.child_id).join(under, edge.c.parent_id == under.c.id))
        return select(membership.c.host_id).where(membership.c.group_id.in_(select(under.c.id)))


class Host(Named):
    """A host with facts in a table of their own."""

    __tablename__ = "host"
    __filter_names__: ClassVar = {"organization": "tenant"}
    __filter_relations__: ClassVar = {"all_groups": AllGroups()}
    __filter_json__: ClassVar[dict[str, Callable[[Any], JsonRoot]]] = {
        "variables": lambda _: JsonRoot(Host.variables, text_column=Host.variables_text),
        "ansible_facts": lambda _: JsonRoot(HostFacts.facts, table_key=HostFacts.host_id),
    }
    inventory_id: Mapped[int] = mapped_column(ForeignKey("inventory.id"))
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("tenant.id"))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    enabled: Mapped[bool] = mapped_column(default=True)
    created: Mapped[datetime] = mapped_column(default=datetime(2024, 5, 1, tzinfo=UTC))
    ip_address: Mapped[str | None] = mapped_column(INET)
    state: Mapped[str | None]
    variables: Mapped[dict[str, Any]] = mapped_column(default=dict)
    variables_text: Mapped[str] = mapped_column(default="")
    inventory: Mapped[Inventory] = relationship(info={"filter": True}, lazy="raise")
    tenant: Mapped[Tenant | None] = relationship(info={"filter": True}, lazy="raise")
    created_by: Mapped[Person | None] = relationship(info={"filter": True}, lazy="raise")
    groups: Mapped[list[Group]] = relationship(
        secondary=membership, info={"filter": True, "aliases": ("group",)}, lazy="raise"
    )
    inventory_sources: Mapped[list[InventorySource]] = relationship(
        secondary=host_source, info={"filter": True}, lazy="raise"
    )


class HostFacts(Base):
    """The facts of a host."""

    __tablename__ = "host_facts"
    __table_args__ = (Index("ix_facts", "facts", postgresql_using="gin", postgresql_ops={"facts": "jsonb_path_ops"}),)
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id"), primary_key=True)
    facts: Mapped[dict[str, Any]]
