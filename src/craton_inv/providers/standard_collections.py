"""The menu of standard collections: hosts, groups and their links, and what providers link hosts to."""

from collections.abc import Mapping
from typing import cast

from sqlalchemy import Table

from craton_inv.models import (
    Disk,
    Flavor,
    Group,
    GroupEdge,
    GroupSource,
    Host,
    HostSource,
    Hypervisor,
    Image,
    Inventory,
    Membership,
    Network,
    NetworkPort,
    Resource,
)
from craton_inv.providers.inventory_variables import save_inventory_variables
from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.ownership import Layered, Shared

# What the saver, the database or the scope fills in.
FILLED_IN = frozenset({"id", "created", "modified", "generation", "collected_at"})
SOURCE_SCOPE = ("inventory_source_id", "inventory_id", "tenant_id")


def table_of(model: type) -> Table:
    """The table of a model."""
    return cast(Table, model.__table__)  # type: ignore[attr-defined]


def of_source(
    name: str, model: type, links: Mapping[str, str] | None = None, *, fixed_scope: Mapping[str, str] | None = None
) -> InventoryCollection:
    """A collection that one source owns alone, found by the provider's id `ref`; it takes every column of its table."""
    table = table_of(model)
    scope = (*SOURCE_SCOPE, *(fixed_scope or {}))
    taken = FILLED_IN | {"ref", *scope}
    return InventoryCollection(
        name=name,
        table=table,
        manager_ref=("ref",),
        attributes=tuple(column.name for column in table.columns if column.name not in taken),
        links=links or {},
        scope=scope,
        fixed_scope=fixed_scope or {},
        version_column="collected_at",
    )


INVENTORY = InventoryCollection(
    name="inventory",
    table=table_of(Inventory),
    manager_ref=("id",),
    attributes=("variables",),
    custom_save_block=save_inventory_variables,
)
GROUPS = InventoryCollection(
    name="groups",
    table=table_of(Group),
    manager_ref=("name",),
    attributes=("variables",),
    on_create=("description",),
    scope=("inventory_id", "tenant_id"),
    ownership=Layered(table_of(GroupSource), "group_id"),
    version_column="collected_at",
)
HOSTS = InventoryCollection(
    name="hosts",
    table=table_of(Host),
    manager_ref=("name",),
    attributes=("variables", "enabled", "instance_id"),
    on_create=("description",),
    scope=("inventory_id", "tenant_id"),
    ownership=Layered(table_of(HostSource), "host_id"),
    version_column="collected_at",
    secondary_refs={"by_instance_id": ("instance_id",)},
    reconnect_by="instance_id",
)
MEMBERSHIPS = InventoryCollection(
    name="memberships",
    table=table_of(Membership),
    manager_ref=("group_id", "host_id"),
    links={"group_id": "groups", "host_id": "hosts"},
    parent_inventory_collections=("hosts", "groups"),
    scope=("inventory_id",),
    ownership=Shared(),
)
GROUP_EDGES = InventoryCollection(
    name="group_edges",
    table=table_of(GroupEdge),
    manager_ref=("parent_id", "child_id"),
    links={"parent_id": "groups", "child_id": "groups"},
    parent_inventory_collections=(),  # who delivers a group need not know what it is nested in
    scope=("inventory_id",),
    ownership=Shared(),
)
HYPERVISORS = of_source("hypervisors", Hypervisor)
FLAVORS = of_source("flavors", Flavor)
IMAGES = of_source("images", Image)
NETWORKS = of_source("networks", Network)
DISKS = of_source("disks", Disk, {"host_id": "hosts"})
NETWORK_PORTS = of_source("network_ports", NetworkPort, {"host_id": "hosts", "network_id": "networks"})

ALWAYS = (INVENTORY, GROUPS, HOSTS, MEMBERSHIPS, GROUP_EDGES)
ON_DEMAND = (HYPERVISORS, FLAVORS, IMAGES, NETWORKS, DISKS, NETWORK_PORTS)
MENU = {collection.name: collection for collection in (*ALWAYS, *ON_DEMAND)}
# Columns that lead to a collection on demand: their collection has them when that one is declared as well.
OPTIONAL_LINKS = {
    ("hosts", "parent_host_id"): "hypervisors",
    ("hosts", "flavor_id"): "flavors",
    ("hosts", "image_id"): "images",
    ("network_ports", "network_id"): "networks",
}


def resource_collection(name: str) -> InventoryCollection:
    """A collection of the provider's own, kept in the generic table `resources`; its `links` are JSON, not resolved."""
    return of_source(name, Resource, fixed_scope={"collection": name})
