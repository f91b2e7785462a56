"""Versions of rows: what was collected later wins, in whatever order refreshes of a source are saved.

The version of a refresh is the moment its collection began. A row keeps that of the refresh that wrote it; a refresh by
target also marks the layers of the rows that it found unchanged. A full refresh marks nothing: its own time stands for
every row of the source, so an unchanged one writes nothing. A row that is part of another is never older than that one:
whoever delivers a host delivers its disks. See decision 13.
"""

from collections.abc import Mapping

from craton_inv.refresh.counts import Counts
from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.ownership import Layered
from craton_inv.refresh.parents import Parent
from craton_inv.refresh.saving import SaveOptions, Saving
from craton_inv.refresh.sql import join, quote
from craton_inv.refresh.target_scope import bind_targets, grouped

Parents = Mapping[str, tuple[Parent, ...]]

_DROP = """
DELETE FROM <stage> s USING (<resolved>) r LEFT JOIN <table> t ON <scope> AND <same>
WHERE s.ctid = r.place AND (<newer>)
"""
_DROP_ASKED = "DELETE FROM <stage> s USING unnest(<arrays>) AS x(<columns>) WHERE <same>"
_DROP_RENAMED = """
DELETE FROM <stage> s USING <table> t WHERE <scope> AND t.<key> = s.<key> AND t.<key> <> '' AND (<newer>)
"""


def is_overtaken(options: SaveOptions) -> bool:
    """Whether a complete full refresh that began later was saved before: it has seen everything that this one has."""
    return None not in (options.version, options.newest_full) and options.version <= options.newest_full  # type: ignore[operator]


def looks_back(options: SaveOptions) -> bool:
    """Whether rows may be newer than this refresh. It spares the look where the caller knows that nothing is."""
    return options.version is not None and (options.newest is None or options.newest > options.version)


def unless_newer(savings: Mapping[str, Saving], parents: Parents, name: str, options: SaveOptions) -> str:
    """SQL: `AND` the saved row `t` is not newer than this refresh; empty where that cannot be."""
    newer = _newer(savings, parents, name, "t") if looks_back(options) else ""
    return f" AND NOT ({newer})" if newer else ""


async def drop_overtaken(saving: Saving, savings: Mapping[str, Saving], parents: Parents, counts: Counts) -> None:
    """Take rows out of the stage whose saved row, or the row they are part of, is newer: these are left as they are.

    So are those that somebody asked for later: what was not there any more left no row that could be newer.
    """
    name = saving.collection.name
    for (association, columns), targets in grouped(saving.options.later_targets).items():
        if association == name:
            same = " AND ".join(f"s.{quote(column)} = x.{quote(column)}" for column in columns)
            arrays = bind_targets(saving, columns, targets)
            dropped = await saving.run(_DROP_ASKED, arrays=arrays, columns=join(columns), same=same)
            counts.overtaken += dropped.rowcount
    owners = [parent for parent in parents[name] if parent.owns]
    ways = [way for way in (_newer(savings, parents, name, "t"),) if way]
    for number, owner in enumerate(owners):
        newer = _newer(savings, parents, owner.collection, f"o{number}")
        if newer:
            table = savings[owner.collection].table
            ways.append(
                f"EXISTS (SELECT FROM {table} o{number} WHERE o{number}.id = r.{quote(owner.column)} AND ({newer}))"
            )
    if not ways:
        return
    columns = tuple(dict.fromkeys((*saving.collection.manager_ref, *(owner.column for owner in owners))))
    result = await saving.run(
        _DROP,
        resolved=saving.resolved(columns),
        scope=saving.in_scope(),
        same=saving.same_ref("r"),
        newer=" OR ".join(ways),
    )
    counts.overtaken += result.rowcount
    if saving.collection.reconnect_by and saving.collection.version_column:
        key = quote(saving.collection.reconnect_by)
        newer = newer_than(saving.collection, "t", "version")
        renamed = await saving.run(_DROP_RENAMED, scope=saving.in_scope(), key=key, newer=newer)
        counts.overtaken += renamed.rowcount


def newer_than(collection: InventoryCollection, alias: str, bind: str) -> str:
    """SQL: the saved row `alias` was asked for later than the time bound as `bind`; a row without a time was not."""
    column = quote(collection.version_column)
    ownership = collection.ownership
    if not isinstance(ownership, Layered):
        return f"coalesce({alias}.{column} > :{bind}, false)"
    return (
        f"EXISTS (SELECT FROM {quote(ownership.table.name)} v WHERE v.inventory_source_id = :source "
        f"AND v.{quote(ownership.row)} = {alias}.id AND v.{column} > :{bind})"
    )


def _newer(savings: Mapping[str, Saving], parents: Parents, name: str, alias: str) -> str:
    """SQL: the saved row `alias` of a collection, or the row it is part of, is newer; empty without versions."""
    collection = savings[name].collection
    ways = [newer_than(collection, alias, "version")] if collection.version_column else []
    for parent in parents[name]:
        above = f"{alias}p"
        newer = _newer(savings, parents, parent.collection, above) if parent.owns else ""
        if newer:
            table = savings[parent.collection].table
            ways.append(
                f"EXISTS (SELECT FROM {table} {above} WHERE {above}.id = {alias}.{quote(parent.column)} AND ({newer}))"
            )
    return " OR ".join(ways)
