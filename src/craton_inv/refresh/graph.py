"""The order of saving: collections in layers, each after those it links to, and cycles split into two passes.

Definition. Nodes are collections; there is an edge A -> B when a column of A links to B. An edge is *fixed* when the
column is part of A's identity: the row cannot be written without it. The others are *free*: the row can be written
first and the link set afterwards. Layer 0 holds the collections without outgoing edges; layer n those whose edges end
in layers below n. When edges form a cycle, free edges that close it are left out of the first pass and saved by a
second pass over their collection after all layers. A cycle of fixed edges alone has no order and is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from craton_inv.refresh.inventory_collection import InvalidCollection, InventoryCollection


@dataclass(frozen=True)
class Plan:
    """`layers`: names of collections by layer. `deferred`: per collection the link columns of its second pass."""

    layers: tuple[tuple[str, ...], ...]
    deferred: Mapping[str, tuple[str, ...]]

    @property
    def order(self) -> tuple[str, ...]:
        """The first pass as one list."""
        return tuple(name for layer in self.layers for name in layer)


Edge = tuple[str, str, str]  # collection, column, collection it links to


def _edges(collections: Mapping[str, InventoryCollection]) -> tuple[list[Edge], list[Edge]]:
    fixed: list[Edge] = []
    free: list[Edge] = []
    for collection in collections.values():
        for column, target in sorted(collection.links.items()):
            if target not in collections:
                raise InvalidCollection(
                    f"Collection {collection.name} links {column} to {target}, which is not declared."
                )
            if collections[target].fixed_scope:
                raise InvalidCollection(
                    f"{collection.name}.{column} links to {target}, whose table holds other collections too."
                )
            if any(name in collections[target].links for name in collections[target].manager_ref):
                raise InvalidCollection(
                    f"{collection.name}.{column} links to {target}, whose identity is itself a link."
                )
            (fixed if column in collection.manager_ref else free).append((collection.name, column, target))
    return fixed, free


def _layers(names: Sequence[str], edges: Sequence[Edge]) -> tuple[tuple[str, ...], ...] | None:
    """The layers, or None when the edges have a cycle."""
    waiting = {name: {target for source, _, target in edges if source == name} for name in names}
    layers: list[tuple[str, ...]] = []
    while waiting:
        ready = tuple(name for name, targets in waiting.items() if not targets & waiting.keys())
        if not ready:
            return None
        layers.append(ready)
        for name in ready:
            del waiting[name]
    return tuple(layers)


def plan(collections: Mapping[str, InventoryCollection]) -> Plan:
    """The plan of saving `collections`. Raises InvalidCollection for links to nowhere and for cycles of identities."""
    names = list(collections)
    kept, free = _edges(collections)
    if _layers(names, kept) is None:
        raise InvalidCollection(
            "Collections identify one another in a cycle: " + ", ".join(sorted({e[0] for e in kept}))
        )
    deferred: dict[str, tuple[str, ...]] = {}
    for edge in free:
        if _layers(names, [*kept, edge]) is None:
            deferred[edge[0]] = (*deferred.get(edge[0], ()), edge[1])
        else:
            kept.append(edge)
    layers = _layers(names, kept)
    return Plan(layers or (), deferred)
