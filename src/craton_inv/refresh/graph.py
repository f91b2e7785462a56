"""The order of saving: collections in layers, each after those it links to, and cycles split into two passes.

Definition. Nodes are collections; there is an edge A -> B when a column of A links to B. An edge is *fixed* when no row
can be inserted without it: the column is part of A's identity or NOT NULL, or counts only for new rows. The others are
*free*: the row can be written first and the link set afterwards. Layer 0 holds the collections without outgoing edges;
layer n those whose edges end in layers below n. When edges form a cycle, free edges that close it are left out of the
first pass and saved by a second pass over their collection after all layers. A cycle of fixed edges alone has no order
and is refused.

A link is *transitive* when it needs a link of its target: it takes that column by key, or finds the target by a
secondary ref with that column. If the column waits for a second pass, so does the link, in a later one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from craton_inv.refresh.declaration import InvalidCollection, check_links
from craton_inv.refresh.inventory_collection import InventoryCollection

Edge = tuple[str, str, str]  # collection, column, collection it links to
Needs = Mapping[tuple[str, str], frozenset[str]]  # collection and link column: link columns of its target it needs


@dataclass(frozen=True)
class Plan:
    """`layers`: names of collections by layer. `deferred`: per collection the link columns of its second pass.

    `passes`: those columns in the order in which they are set.
    """

    layers: tuple[tuple[str, ...], ...]
    deferred: Mapping[str, tuple[str, ...]]
    passes: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def order(self) -> tuple[str, ...]:
        """The first pass as one list."""
        return tuple(name for layer in self.layers for name in layer)


def plan(collections: Mapping[str, InventoryCollection], needs: Needs | None = None) -> Plan:
    """The plan of saving `collections`, `needs` being known once objects came.

    Raises InvalidCollection for links to nowhere and for cycles that cannot be split.
    """
    needs = needs or {}
    names = list(collections)
    kept, free = _edges(collections)
    _refuse_cycle(names, kept)
    deferred: dict[tuple[str, str], str] = {}
    # Transitive ones last: what they need had better be there in the first pass.
    for edge in sorted(free, key=lambda item: bool(needs.get(item[:2]))):
        if edge[0] == edge[2] or _layers(names, [*kept, edge]) is None:
            deferred[edge[:2]] = edge[2]
        else:
            kept.append(edge)
    for edge in _waiting(kept, deferred, needs):
        if edge not in free:
            raise InvalidCollection(f"Cycle from {edge[0]}.{edge[1]}: it needs a link that is set only after it.")
        kept.remove(edge)
        deferred[edge[:2]] = edge[2]
    columns: dict[str, tuple[str, ...]] = {}
    for name, column in deferred:
        columns[name] = (*columns.get(name, ()), column)
    return Plan(_layers(names, kept) or (), columns, _passes(deferred, needs))


def _edges(collections: Mapping[str, InventoryCollection]) -> tuple[list[Edge], list[Edge]]:
    fixed: list[Edge] = []
    free: list[Edge] = []
    for collection in collections.values():
        check_links(collection, collections)
        fixed.extend(
            (collection.name, label, target)
            for label, targets in sorted(collection.dependency_attributes.items())
            for target in targets
        )
        saved = {*collection.manager_ref, *collection.written, *collection.on_create}
        for column, target in sorted(collection.links.items()):
            if column not in saved:
                continue
            is_fixed = column in collection.required or column in (*collection.manager_ref, *collection.on_create)
            (fixed if is_fixed else free).append((collection.name, column, target))
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


def _refuse_cycle(names: Sequence[str], edges: Sequence[Edge]) -> None:
    """Raise InvalidCollection naming a cycle of edges that no row can be inserted without."""
    if _layers(names, edges) is not None:
        return
    by_source: dict[str, list[Edge]] = {}
    for edge in edges:
        by_source.setdefault(edge[0], []).append(edge)
    # Whoever has a way into a cycle has an edge to follow for ever: a name that comes up again closes one.
    stuck = {name for name in names if name in by_source}
    while True:
        left = {name for name in stuck if any(edge[2] in stuck for edge in by_source[name])}
        if left == stuck:
            break
        stuck = left
    path: list[Edge] = []
    name = min(stuck)
    while name not in [edge[0] for edge in path]:
        path.append(next(edge for edge in by_source[name] if edge[2] in stuck))
        name = path[-1][2]
    cycle = path[[edge[0] for edge in path].index(name) :]
    steps = " to ".join(f"{source}.{column}" for source, column, _ in cycle)
    raise InvalidCollection(
        f"Cycle from {steps} to {name}: no row of these collections could be the first; make a link of them nullable "
        "and no part of the identity."
    )


def _waiting(kept: Sequence[Edge], deferred: Mapping[tuple[str, str], str], needs: Needs) -> list[Edge]:
    """Kept edges that need a column of a second pass, theirs or one that waits for such an edge."""
    waiting: list[Edge] = []
    late = set(deferred)
    while True:
        more = [
            edge
            for edge in kept
            if edge[:2] not in late and any((edge[2], column) in late for column in needs.get(edge[:2], ()))
        ]
        if not more:
            return waiting
        waiting += more
        late.update(edge[:2] for edge in more)


def _passes(deferred: Mapping[tuple[str, str], str], needs: Needs) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Second passes, each after those it needs. Raises InvalidCollection when a relation needs itself."""
    passes: list[tuple[str, tuple[str, ...]]] = []
    waiting = {
        key: {(target, column) for column in needs.get(key, ()) if (target, column) in deferred}
        for key, target in deferred.items()
    }
    while waiting:
        ready = [key for key, before in waiting.items() if not before & waiting.keys()]
        if not ready:
            steps = " to ".join(f"{name}.{column}" for name, column in sorted(waiting))
            raise InvalidCollection(f"Cycle from {steps}: a relation that needs itself has no value.")
        by_name: dict[str, tuple[str, ...]] = {}
        for name, column in ready:
            by_name[name] = (*by_name.get(name, ()), column)
            del waiting[name, column]
        passes.extend(by_name.items())
    return tuple(passes)
