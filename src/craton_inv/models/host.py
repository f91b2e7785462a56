"""Hosts, their facts, their memberships, and what each source says of them."""

from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Select,
    String,
    UniqueConstraint,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from craton_inv.db.base import Base, HasGeneration, HasId, HasTimestamps
from craton_inv.db.types import HasVariables, name_column
from craton_inv.filters.paths import JsonRoot
from craton_inv.models.disk import Disk
from craton_inv.models.filtering import variables_root
from craton_inv.models.flavor import Flavor
from craton_inv.models.group import Group, GroupEdge
from craton_inv.models.hypervisor import Hypervisor
from craton_inv.models.image import Image
from craton_inv.models.inventory import Inventory
from craton_inv.models.inventory_source import InventorySource
from craton_inv.models.label import Label
from craton_inv.models.network_port import NetworkPort
from craton_inv.models.parts import Authored, Delivered, SourceLayer, of_inventory, of_same_inventory
from craton_inv.models.region import Region
from craton_inv.models.relations import through, to_many, to_one
from craton_inv.models.smart_membership import SmartInventories
from craton_inv.models.tenant import Tenant


class Host(HasId, HasTimestamps, HasGeneration, HasVariables, Authored, Base):
    """A host of one inventory, optionally in a region of the same tenant. `manual`: a refresh never deletes the row."""

    __tablename__ = "hosts"
    __table_args__ = (
        UniqueConstraint("inventory_id", "name"),
        UniqueConstraint("id", "inventory_id"),
        of_inventory(),
        ForeignKeyConstraint(["region_id", "tenant_id"], ["regions.id", "regions.tenant_id"]),
        of_same_inventory("parent_host_id", "hypervisors"),
        of_same_inventory("flavor_id", "flavors"),
        of_same_inventory("image_id", "images"),
        # Most hosts of most inventories have none of these: they cost nothing there.
        Index("ix_hosts_parent_host_id", "parent_host_id", postgresql_where=text("parent_host_id IS NOT NULL")),
        Index("ix_hosts_flavor_id", "flavor_id", postgresql_where=text("flavor_id IS NOT NULL")),
        Index("ix_hosts_image_id", "image_id", postgresql_where=text("image_id IS NOT NULL")),
        Index("ix_hosts_tenant_id", "tenant_id", "id"),
        Index("ix_hosts_region_id", "region_id"),
        Index("ix_hosts_instance_id", "inventory_id", "instance_id"),
        Index("ix_hosts_ip_address", "ip_address"),
        Index("ix_hosts_name", "name", postgresql_ops={"name": "text_pattern_ops"}),
        Index("ix_hosts_name_trgm", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
        Index(
            "ix_hosts_description_trgm",
            "description",
            postgresql_using="gin",
            postgresql_ops={"description": "gin_trgm_ops"},
        ),
        Index(
            "ix_hosts_variables",
            "variables",
            postgresql_using="gin",
            postgresql_ops={"variables": "jsonb_path_ops"},
        ),
    )
    __search_fields__ = ("name", "description")
    __filter_names__ = {"organization": "tenant"}  # noqa: RUF012
    __filter_relations__ = {  # noqa: RUF012
        "all_groups": lambda model: AllGroups(),
        "smart_inventories": lambda model: SmartInventories(model),
    }
    __filter_json__ = {  # noqa: RUF012
        "variables": variables_root,
        "ansible_facts": lambda model: JsonRoot(HostFacts.facts, table_key=HostFacts.host_id),
    }

    inventory_id: Mapped[int] = mapped_column()
    tenant_id: Mapped[int] = mapped_column()
    region_id: Mapped[int | None] = mapped_column()
    parent_host_id: Mapped[int | None] = mapped_column()
    flavor_id: Mapped[int | None] = mapped_column()
    image_id: Mapped[int | None] = mapped_column()
    name: Mapped[str] = name_column()
    description: Mapped[str] = mapped_column(server_default="")
    enabled: Mapped[bool] = mapped_column(server_default="true")
    manual: Mapped[bool] = mapped_column(server_default="true")
    instance_id: Mapped[str] = mapped_column(String(1024), server_default="")
    ip_address: Mapped[IPv4Address | IPv6Address | None] = mapped_column(INET)
    ip6_address: Mapped[IPv4Address | IPv6Address | None] = mapped_column(INET)
    fqdn: Mapped[str | None] = mapped_column()
    mac_address: Mapped[str | None] = mapped_column()
    asset_id: Mapped[str | None] = mapped_column()
    os_family: Mapped[str | None] = mapped_column()
    device_type: Mapped[str | None] = mapped_column()
    state: Mapped[str | None] = mapped_column()
    last_seen_at: Mapped[datetime | None] = mapped_column()
    ansible_facts_modified: Mapped[datetime | None] = mapped_column()

    inventory: Mapped[Inventory] = to_one("Host.inventory_id", "Inventory")
    tenant: Mapped[Tenant] = to_one("Host.tenant_id", "Tenant")
    region: Mapped[Region | None] = to_one("Host.region_id", "Region")
    parent_host: Mapped[Hypervisor | None] = to_one("Host.parent_host_id", "Hypervisor")
    flavor: Mapped[Flavor | None] = to_one("Host.flavor_id", "Flavor")
    image: Mapped[Image | None] = to_one("Host.image_id", "Image")
    disks: Mapped[list[Disk]] = to_many("Host", "Disk.host_id")
    network_ports: Mapped[list[NetworkPort]] = to_many("Host", "NetworkPort.host_id")
    groups: Mapped[list[Group]] = through(
        "memberships", "Host.id == Membership.host_id", "Group.id == Membership.group_id", aliases=("group",)
    )
    inventory_sources: Mapped[list[InventorySource]] = through(
        "host_sources", "Host.id == HostSource.host_id", "InventorySource.id == HostSource.inventory_source_id"
    )
    labels: Mapped[list[Label]] = through(
        "host_labels", "Host.id == HostLabel.host_id", "Label.id == HostLabel.label_id"
    )


class HostFacts(Base):
    """Facts of a host, kilobytes each, in a table of their own so that no list ever drags them along."""

    __tablename__ = "host_facts"
    __table_args__ = (
        Index("ix_host_facts_facts", "facts", postgresql_using="gin", postgresql_ops={"facts": "jsonb_path_ops"}),
    )

    host_id: Mapped[int] = mapped_column(ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)


class Membership(Delivered, Base):
    """Host `host_id` is a direct member of `group_id`. `source_ids`: who delivers it; `manual`: a person made it."""

    __tablename__ = "memberships"
    __table_args__ = (
        ForeignKeyConstraint(["group_id", "inventory_id"], ["groups.id", "groups.inventory_id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["host_id", "inventory_id"], ["hosts.id", "hosts.inventory_id"], ondelete="CASCADE"),
        Index("ix_memberships_host_id", "host_id"),
        Index("ix_memberships_inventory_id", "inventory_id"),
    )

    group_id: Mapped[int] = mapped_column(primary_key=True)
    host_id: Mapped[int] = mapped_column(primary_key=True)


class AllGroups:
    """The relation `all_groups` of filters: the groups of a host and all their ancestors."""

    name = "all_groups"
    target = Group

    def subquery(self, where: ColumnElement[bool]) -> Select[Any]:
        """Ids of the hosts in a matching group or in any group below one."""
        # Without a name of its own: a filter may ask for all_groups twice.
        under = select(Group.id).where(where).correlate(None).cte(recursive=True)
        under = under.union(select(GroupEdge.child_id).where(GroupEdge.parent_id == under.c.id))
        return select(Membership.host_id).where(Membership.group_id.in_(select(under.c.id)))

    def related(self, ids: Any) -> Select[Any]:
        """Ids of the groups that the hosts of these ids (a select or a list) are in, and of all groups above these."""
        over = select(Membership.group_id).where(Membership.host_id.in_(ids)).correlate(None).cte(recursive=True)
        over = over.union(select(GroupEdge.parent_id).where(GroupEdge.child_id == over.c.group_id))
        return select(over.c.group_id)


class HostSource(SourceLayer, Base):
    """What one source says of one host: its variables as a layer, and the digest by which an unchanged row is known."""

    __tablename__ = "host_sources"

    host_id: Mapped[int] = mapped_column(ForeignKey("hosts.id", ondelete="CASCADE"), primary_key=True, index=True)
