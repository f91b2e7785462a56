"""Whose part a row is: parents of collections, read from the foreign keys of their tables and checked.

A disk is part of its host: when a host is refreshed by target, all its disks are compared with what was delivered. The
foreign key says so: it goes with the row it leads to (ON DELETE CASCADE), or it cannot be without one (NOT NULL).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ForeignKeyConstraint, Index, PrimaryKeyConstraint, UniqueConstraint

from craton_inv.refresh.inventory_collection import InvalidCollection, InventoryCollection

Collections = Mapping[str, InventoryCollection]


@dataclass(frozen=True)
class Parent:
    """`column` leads to the row of `collection` that a row is part of.

    `owns`: whoever delivers such a row delivers its parts, all of them. Else that holds only for rows asked for by
    target: a group that comes along with a host brings one member, not all.
    """

    column: str
    collection: str
    owns: bool


def parents_of(collection: InventoryCollection, collections: Collections) -> tuple[Parent, ...]:
    """The parents of a collection: those it names, else those its foreign keys name; of several, none owns.

    Raises InvalidCollection for a named parent that no foreign key leads to, and for one that no index leads back from.
    """
    if collection.custom_save_block is not None:
        return ()
    named = collection.parent_inventory_collections
    columns = _inferred(collection, collections) if named is None else _named(collection, collections, named)
    for column in columns:
        if not _is_indexed(collection, column):
            raise InvalidCollection(
                f"Collection {collection.name}: its rows are found by their parent, but {column} leads no index of "
                f"table {collection.table.name}."
            )
    first = columns[:1] if named is not None or len(columns) == 1 else ()
    return tuple(Parent(column, collection.links[column], column in first) for column in columns)


def all_parents(collections: Collections) -> dict[str, tuple[Parent, ...]]:
    """The parents of every collection. Raises InvalidCollection."""
    return {name: parents_of(collection, collections) for name, collection in collections.items()}


def dependents(names: frozenset[str], parents: Mapping[str, tuple[Parent, ...]]) -> frozenset[str]:
    """These collections and all whose rows are parts of theirs."""
    while True:
        wider = names | {name for name, found in parents.items() if any(parent.collection in names for parent in found)}
        if wider == names:
            return names
        names = wider


def _inferred(collection: InventoryCollection, collections: Collections) -> list[str]:
    """Columns by which a row is part of another. A link to the own collection is an order among equals."""
    found = []
    for column, target in collection.links.items():
        key = _foreign_key(collection, column, collections)
        if key is None or target == collection.name:
            continue
        if (key.ondelete or "").upper() == "CASCADE" or not collection.column(column).nullable:
            found.append(column)
    return found


def _named(collection: InventoryCollection, collections: Collections, named: tuple[str, ...]) -> list[str]:
    found = []
    for entry in named:
        name, _, only = entry.partition(".")
        columns = [column for column, target in collection.links.items() if target == name and only in ("", column)]
        if len(columns) != 1:
            problem = "several links lead there, name one as collection.column" if columns else "no link leads there"
            raise InvalidCollection(f"Collection {collection.name} names {entry} as a parent, but {problem}.")
        if _foreign_key(collection, columns[0], collections) is None:
            raise InvalidCollection(
                f"Collection {collection.name} names {entry} as a parent, but {columns[0]} has no foreign key to its "
                "table."
            )
        found.append(columns[0])
    return found


def _foreign_key(collection: InventoryCollection, column: str, collections: Collections) -> ForeignKeyConstraint | None:
    """The foreign key of a link column to the `id` of the table it leads to."""
    target = collections.get(collection.links[column])
    if target is None:
        return None
    for constraint in collection.table.foreign_key_constraints:
        for element in constraint.elements:
            if element.parent.name == column and element.target_fullname == f"{target.table.fullname}.id":
                return constraint
    return None


def _is_indexed(collection: InventoryCollection, column: str) -> bool:
    keys = (
        key
        for key in (*collection.table.indexes, *collection.table.constraints)
        if isinstance(key, Index | PrimaryKeyConstraint | UniqueConstraint)
    )
    return any(next((each.name for each in key.columns), None) == column for key in keys)
