"""The persister of inventories: standard collections, more of them on demand, and a provider's own."""

import re
from collections.abc import Container
from dataclasses import replace
from typing import Any

from craton_inv.models import UnconnectedLink
from craton_inv.providers.standard_collections import (
    ALWAYS,
    GROUP_EDGES,
    GROUPS,
    HOSTS,
    INVENTORY,
    MEMBERSHIPS,
    MENU,
    OPTIONAL_LINKS,
    resource_collection,
    table_of,
)
from craton_inv.refresh.inventory_collection import InvalidCollection, InventoryCollection
from craton_inv.refresh.persister import Persister

__all__ = ["GROUPS", "GROUP_EDGES", "HOSTS", "IMPORTED", "INVENTORY", "MEMBERSHIPS", "InventoryPersister"]

IMPORTED = "imported"  # the description of a new row that brings none (AWX)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")


class InventoryPersister(Persister):
    """Hosts, groups, their links and the inventory's variables; `add_collection` takes more from the menu.

    `host_filter`: hosts whose name does not match it from the start are left out. `persister["disks"]` is a collection.
    """

    def __init__(self, inventory_id: int, host_filter: str = "") -> None:
        super().__init__(table_of(UnconnectedLink))
        self.inventory_id = inventory_id
        for collection in ALWAYS:
            super().add_collection(collection)
        self.collections["hosts"] = replace(HOSTS, name_filter=host_filter)

    def __getitem__(self, name: str) -> InventoryCollection:
        """A declared collection. Raises InvalidCollection."""
        if name not in self.collections:
            raise InvalidCollection(f"Collection {name} is not declared; there are {', '.join(self.collections)}.")
        return self.collections[name]

    @property
    def inventory(self) -> InventoryCollection:
        """The inventory's own variables."""
        return self.collections["inventory"]

    @property
    def groups(self) -> InventoryCollection:
        """Groups."""
        return self.collections["groups"]

    @property
    def hosts(self) -> InventoryCollection:
        """Hosts."""
        return self.collections["hosts"]

    @property
    def memberships(self) -> InventoryCollection:
        """Which host is in which group."""
        return self.collections["memberships"]

    @property
    def group_edges(self) -> InventoryCollection:
        """Which group is below which."""
        return self.collections["group_edges"]

    def add_collection(self, collection: InventoryCollection | str, **changes: Any) -> InventoryCollection:
        """Take a collection of the menu by its name, or a new one, with changed properties if wanted.

        What is there already may be taken again to change it: `add_collection("hosts", attributes=(...))`. Columns that
        link two collections of the menu come and go with them: `hosts.flavor_id` with "flavors". Raises
        InvalidCollection.
        """
        if isinstance(collection, str):
            known = self.collections.pop(collection, None) or MENU.get(collection)
            if known is None:
                raise InvalidCollection(f"The menu has no {collection}; it has {', '.join(MENU)}.")
            collection = _with_links(known, ())
        added = super().add_collection(collection, **changes)
        for owner in {owner for owner, _ in OPTIONAL_LINKS} & self.collections.keys():
            self.collections[owner] = _with_links(self.collections[owner], self.collections)
        return self.collections[added.name]

    def add_resource_collection(self, name: str, **changes: Any) -> InventoryCollection:
        """Take a collection of the provider's own, whose objects have `ref`, `name`, `attributes` and `links` (JSON).

        Its rows are read at /v2/resources/?collection=<name>. Raises InvalidCollection for a name that is taken, or
        other than lower-case letters, digits and underscores, at most 40.
        """
        if name in MENU or not _NAME.match(name):
            raise InvalidCollection(f"{name!r} is no name for a collection of resources.")
        return self.add_collection(resource_collection(name), **changes)


def _with_links(collection: InventoryCollection, declared: Container[str]) -> InventoryCollection:
    """The collection with the optional links that lead to declared collections, and no other ones."""
    optional = {column: target for (owner, column), target in OPTIONAL_LINKS.items() if owner == collection.name}
    links = {column: target for column, target in optional.items() if target in declared}
    return replace(
        collection,
        attributes=(*(name for name in collection.attributes if name not in optional), *links),
        links={**{name: to for name, to in collection.links.items() if name not in optional}, **links},
    )
