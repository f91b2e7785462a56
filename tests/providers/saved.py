"""What is saved of an inventory: the rows of a source by their identities, links told by identities as well."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from sqlalchemy import Table, delete, literal_column, select, update

from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.ownership import Layered, Shared
from craton_inv.refresh.parents import all_parents
from tests.refresh.world import World

LAYER = " layer"  # what a source said of a row that it shares: a row of its own, part of that row

# What is wrong in a column that has no value, by its type; a text elsewhere.
WRONG = {
    "INET": ip_address("192.0.2.9"), "BOOLEAN": True, "BIGINT": 7, "INTEGER": 7, "JSONB": {},
    "DATETIME": datetime(2001, 1, 1, tzinfo=UTC),
}  # fmt: skip


@dataclass(frozen=True)
class Key:
    """A row: its collection, and its identity with links as keys of other rows."""

    collection: str
    identity: tuple[Any, ...]


@dataclass(frozen=True)
class Row:
    """A saved row. `place`: its primary key; `version`: the transaction that wrote it; `links`: where columns lead."""

    table: Table
    place: Mapping[str, Any]
    version: str
    content: Mapping[str, Any]
    links: Mapping[str, Key | None]

    @property
    def shown(self) -> tuple[Mapping[str, Any], Mapping[str, Key | None]]:
        """All that two rows have to agree in; not their ids, nor when they were written."""
        return self.content, self.links


State = Mapping[Key, Row]
Collections = Mapping[str, InventoryCollection]


async def read(world: World, collections: Collections) -> dict[Key, Row]:
    """Every row of the world's inventory in these collections."""
    found: dict[str, list[tuple[Table, Mapping[str, Any]]]] = {}
    async with world.engine.connect() as connection:
        for name, collection in _rows_of_their_own(collections):
            table = collection.table
            wanted = select(table, literal_column(f"{table.name}.xmin::text").label("version"))
            wanted = wanted.where(table.c.inventory_id == world.inventory_id)
            for column, value in collection.fixed_scope.items():
                wanted = wanted.where(table.c[column] == value)
            found[name] = [(table, dict(row._mapping)) for row in await connection.execute(wanted)]
            if isinstance(collection.ownership, Layered):
                layer, row = collection.ownership.table, collection.ownership.row
                said = select(layer, literal_column(f"{layer.name}.xmin::text").label("version"))
                said = said.join(table, table.c.id == layer.c[row]).where(table.c.inventory_id == world.inventory_id)
                found[name + LAYER] = [(layer, dict(each._mapping)) for each in await connection.execute(said)]
    return _told(found, collections)


def _rows_of_their_own(collections: Collections) -> Iterator[tuple[str, InventoryCollection]]:
    """All but the inventory's own variables."""
    return ((name, each) for name, each in collections.items() if each.custom_save_block is None)


def _told(found: Mapping[str, list[tuple[Table, Mapping[str, Any]]]], collections: Collections) -> dict[Key, Row]:
    keys: dict[tuple[str, int], Key] = {}
    for name, collection in _rows_of_their_own(collections):
        if not set(collection.manager_ref) & collection.links.keys():
            for _, values in found[name]:
                keys[name, values["id"]] = Key(name, tuple(values[column] for column in collection.manager_ref))
    rows: dict[Key, Row] = {}
    for name, collection in _rows_of_their_own(collections):
        for table, values in found[name]:
            links = {
                column: None if values[column] is None else keys[target, values[column]]
                for column, target in collection.links.items()
            }
            key = Key(name, tuple(links.get(column, values[column]) for column in collection.manager_ref))
            kept = {*collection.attributes, *collection.on_create} - links.keys()
            rows[key] = _row(table, values, kept | {"variables_text"} & values.keys(), links)
        if isinstance(collection.ownership, Layered):
            for table, values in found[name + LAYER]:
                owner = keys[name, values[collection.ownership.row]]
                key = Key(name + LAYER, owner.identity)
                rows[key] = _row(table, values, {"ref", "digest", "variables"}, {collection.ownership.row: owner})
    return rows


def _row(table: Table, values: Mapping[str, Any], kept: Collection[str], links: Mapping[str, Key | None]) -> Row:
    place = {column.name: values[column.name] for column in table.primary_key}
    return Row(table, place, values["version"], {name: values[name] for name in sorted(kept)}, links)


def shown(state: State) -> dict[Key, tuple[Mapping[str, Any], Mapping[str, Key | None]]]:
    """The rows without ids and times."""
    return {key: row.shown for key, row in state.items()}


def touched(before: State, after: State) -> set[Key]:
    """Rows that were written in between: made, changed, written with equal values, or deleted."""
    either = before.keys() | after.keys()
    return {key for key in either if key not in before or key not in after or before[key].version != after[key].version}


def with_parts(key: Key, state: State, collections: Collections) -> set[Key]:
    """A row and the rows that are part of it, as foreign keys say."""
    parents = all_parents(collections)
    columns = {name: [parent.column for parent in found] for name, found in parents.items()}
    for name, collection in collections.items():
        if isinstance(collection.ownership, Layered):
            columns[name + LAYER] = [collection.ownership.row]
    whole = {key}
    while True:
        wider = whole | {
            each
            for each, row in state.items()
            if any(row.links[column] in whole for column in columns.get(each.collection, ()))
        }
        if wider == whole:
            return whole
        whole = wider


def with_links(keys: Collection[Key], state: State) -> set[Key]:
    """Rows, and all that they link to; what was said of a shared row comes with it."""
    found: set[Key] = set()
    more = set(keys)
    while more:
        found |= more
        layers = {Key(key.collection + LAYER, key.identity) for key in more} & state.keys()
        more = {to for key in more for to in state[key].links.values() if to is not None} | layers
        more -= found
    return found


def without(state: State, gone: Collection[Key]) -> dict[Key, tuple[Mapping[str, Any], Mapping[str, Key | None]]]:
    """What is shown once these rows are gone: links that led to them lead nowhere."""
    return {
        key: (row.content, {name: None if to in gone else to for name, to in row.links.items()})
        for key, row in state.items()
        if key not in gone
    }


async def remove(world: World, row: Row) -> None:
    """Delete a row, and so its parts."""
    async with world.engine.begin() as connection:
        await connection.execute(delete(row.table).where(*_at(row)))


async def change(world: World, row: Row, values: Mapping[str, Any]) -> None:
    """Write into a row."""
    async with world.engine.begin() as connection:
        await connection.execute(update(row.table).where(*_at(row)).values(**values))


def _at(row: Row) -> list[Any]:
    return [row.table.c[name] == value for name, value in row.place.items()]


async def damage(world: World, row: Row, collection: InventoryCollection, columns: Collection[str]) -> None:
    """Make a row wrong in these columns; a link without content of its own goes."""
    if isinstance(collection.ownership, Shared):
        await remove(world, row)
        return
    given = {**row.content, **row.links}
    await change(world, row, {name: wrong_value(collection, name, given[name]) for name in columns})


def wrong_value(collection: InventoryCollection, name: str, value: Any) -> Any:
    """Another value for a column, one that it takes."""
    column = collection.column(name)
    if name in collection.links or (value is not None and column.nullable):
        return None
    if value is None:
        return WRONG.get(str(column.type), "wrong")
    if isinstance(value, bool):
        return not value
    return {dict: {} if value else {"wrong": True}, list: [] if value else ["wrong"], int: 7}.get(type(value), "wrong")
