"""The menu of standard collections: hosts, groups, memberships, nesting and the inventory's own variables."""

from typing import cast

from sqlalchemy import Table

from craton_inv.models import Group, GroupEdge, GroupSource, Host, HostSource, Inventory, Membership
from craton_inv.providers.inventory_variables import save_inventory_variables
from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.ownership import Layered, Shared
from craton_inv.refresh.persister import Persister

IMPORTED = "imported"  # the description of a new row that brings none (AWX)


def table_of(model: type) -> Table:
    """The table of a model."""
    return cast(Table, model.__table__)  # type: ignore[attr-defined]


INVENTORY = InventoryCollection(
    name="inventory",
    table=table_of(Inventory),
    manager_ref=("id",),
    attributes=("variables",),
    custom_save=save_inventory_variables,
)
GROUPS = InventoryCollection(
    name="groups",
    table=table_of(Group),
    manager_ref=("name",),
    attributes=("variables",),
    on_create=("description",),
    scope=("inventory_id", "tenant_id"),
    ownership=Layered(table_of(GroupSource), "group_id"),
)
HOSTS = InventoryCollection(
    name="hosts",
    table=table_of(Host),
    manager_ref=("name",),
    attributes=("variables", "enabled", "instance_id"),
    on_create=("description",),
    scope=("inventory_id", "tenant_id"),
    ownership=Layered(table_of(HostSource), "host_id"),
    reconnect_by="instance_id",
)
MEMBERSHIPS = InventoryCollection(
    name="memberships",
    table=table_of(Membership),
    manager_ref=("group_id", "host_id"),
    links={"group_id": "groups", "host_id": "hosts"},
    scope=("inventory_id",),
    ownership=Shared(),
)
GROUP_EDGES = InventoryCollection(
    name="group_edges",
    table=table_of(GroupEdge),
    manager_ref=("parent_id", "child_id"),
    links={"parent_id": "groups", "child_id": "groups"},
    scope=("inventory_id",),
    ownership=Shared(),
)


class InventoryPersister(Persister):
    """All standard collections. `host_filter`: hosts whose name does not match it from the start are left out."""

    def __init__(self, inventory_id: int, host_filter: str = "") -> None:
        super().__init__()
        self.inventory_id = inventory_id
        self.inventory = self.add_collection(INVENTORY)
        self.groups = self.add_collection(GROUPS)
        self.hosts = self.add_collection(HOSTS, name_filter=host_filter)
        self.memberships = self.add_collection(MEMBERSHIPS)
        self.group_edges = self.add_collection(GROUP_EDGES)
