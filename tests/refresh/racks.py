"""Racks with shelves and slots in tables of the tests' own: parts of parts, by targets of several columns."""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    select,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv.refresh.collector import Collector
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser
from craton_inv.refresh.persister import Persister
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.saving import SaveOptions
from craton_inv.refresh.target import Target, Targets

METADATA = MetaData()
RACKS = Table(
    "p_racks",
    METADATA,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source_id", BigInteger, nullable=False),
    Column("room", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("note", Text),
    Column("archived_at", DateTime(timezone=True)),
    UniqueConstraint("source_id", "room", "name"),
)
SHELVES = Table(
    "p_shelves",
    METADATA,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source_id", BigInteger, nullable=False),
    Column("rack_id", BigInteger, ForeignKey("p_racks.id", ondelete="CASCADE"), nullable=False),
    Column("ref", Text, nullable=False),
    UniqueConstraint("rack_id", "ref"),
)
SLOTS = Table(
    "p_slots",
    METADATA,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source_id", BigInteger, nullable=False),
    Column("shelf_id", BigInteger, ForeignKey("p_shelves.id", ondelete="CASCADE"), index=True, nullable=False),
    Column("spare_id", BigInteger, ForeignKey("p_racks.id", ondelete="SET NULL"), index=True),
    Column("ref", Text, nullable=False),
    UniqueConstraint("source_id", "ref"),
)
RACKS_OF = InventoryCollection("racks", RACKS, ("room", "name"), attributes=("note",), scope=("source_id",))
SHELVES_OF = InventoryCollection(
    "shelves", SHELVES, ("rack_id", "ref"), links={"rack_id": "racks"}, scope=("source_id",)
)
SLOTS_OF = InventoryCollection(
    "slots",
    SLOTS,
    ("ref",),
    attributes=("shelf_id", "spare_id"),
    links={"shelf_id": "shelves", "spare_id": "racks"},
    scope=("source_id",),
)
ALL = {collection.name: collection for collection in (RACKS_OF, SHELVES_OF, SLOTS_OF)}
SOURCE = 1
WHOLE: dict[str, Any] = {
    "racks": [("r1", "a", "1"), ("r1", "b", "1"), ("r2", "a", "1"), ("r2", "b", "1")],
    "shelves": [("r1", "a", "s1"), ("r1", "a", "s2"), ("r2", "b", "s1")],
    "slots": [("r1", "a", "s1", "x"), ("r1", "a", "s2", "y"), ("r2", "b", "s1", "z")],
}


class Things(Parser):
    """Racks as (room, name, note), shelves as (room, rack, shelf), slots as (room, rack, shelf, slot).

    `noted`: shelves as (note of their rack, shelf), for racks that are found by it.
    """

    def __init__(self, persister: Persister, **delivered: Any) -> None:
        self.of = persister.collections
        self.delivered = delivered

    async def parse(self) -> AsyncIterator[InventoryObject]:
        """Everything."""
        racks, shelves = self.of["racks"], self.of["shelves"]
        for room, name, note in self.delivered.get("racks", ()):
            yield racks.build(room=room, name=name, note=note)
        for room, rack, ref in self.delivered.get("shelves", ()):
            yield shelves.build(rack_id=racks.lazy_find(room, rack), ref=ref)
        for note, ref in self.delivered.get("noted", ()):
            yield shelves.build(rack_id=racks.lazy_find(note, ref="by_note"), ref=ref)
        for room, rack, shelf, ref in self.delivered.get("slots", ()):
            link = shelves.lazy_find(racks.lazy_find(room, rack), shelf)
            yield self.of["slots"].build(ref=ref, shelf_id=link)


async def refresh(
    engine: AsyncEngine,
    targets: list[tuple[str, dict[str, str]]] | None = None,
    *,
    refresher: type[Refresher] = Refresher,
    changes: dict[str, dict[str, Any]] | None = None,
    listed: list[dict[str, str]] | None = None,
    **delivered: Any,
) -> dict[str, Counts]:
    """One refresh; `changes`: of declarations, by collection. `listed`: all racks there are, beside a partial one."""
    persister = Persister()
    for name, collection in ALL.items():
        persister.add_collection(collection, **(changes or {}).get(name, {}))
    if listed is not None:
        persister.list_all("racks", listed)
    items = frozenset(Target.of(SOURCE, name, ref) for name, ref in targets or ())
    made = refresher(
        Collector(Targets(SOURCE, items, partial=listed is not None)), Things(persister, **delivered), persister
    )
    try:
        await made.gather()
        async with engine.begin() as connection:
            return await made.save(connection, SaveOptions(SOURCE, {"source_id": SOURCE}, delete=True))
    finally:
        await made.close()


async def names(engine: AsyncEngine, table: Table, column: str) -> list[str]:
    """The values of a column, sorted."""
    async with engine.connect() as connection:
        return sorted(await connection.scalars(select(table.c[column])))
