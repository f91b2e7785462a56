"""Parents read from foreign keys, archives, keys of several columns, hooks: on tables of the test's own."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
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
from craton_inv.refresh.inventory_collection import InvalidCollection, InventoryCollection
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.ownership import Shared
from craton_inv.refresh.parents import Parent, parents_of
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


@pytest.fixture
async def _tables(refresh_engine: AsyncEngine) -> AsyncIterator[None]:
    async with refresh_engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    yield
    async with refresh_engine.begin() as connection:
        await connection.run_sync(METADATA.drop_all)


class Things(Parser):
    """Racks as (room, name, note), shelves as (room, rack, shelf), slots as (room, rack, shelf, slot)."""

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
        for room, rack, shelf, ref in self.delivered.get("slots", ()):
            link = shelves.lazy_find(racks.lazy_find(room, rack), shelf)
            yield self.of["slots"].build(ref=ref, shelf_id=link)


async def refresh(
    engine: AsyncEngine,
    targets: list[tuple[str, dict[str, str]]] | None = None,
    *,
    refresher: type[Refresher] = Refresher,
    changes: dict[str, dict[str, Any]] | None = None,
    **delivered: Any,
) -> dict[str, Counts]:
    """One refresh; `changes`: of declarations, by collection."""
    persister = Persister()
    for name, collection in ALL.items():
        persister.add_collection(collection, **(changes or {}).get(name, {}))
    items = frozenset(Target.of(SOURCE, name, ref) for name, ref in targets or ())
    made = refresher(Collector(Targets(SOURCE, items)), Things(persister, **delivered), persister)
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


def test_parents_are_read_from_foreign_keys() -> None:
    assert parents_of(RACKS_OF, ALL) == ()
    assert parents_of(SHELVES_OF, ALL) == (Parent("rack_id", "racks", owns=True),)
    assert parents_of(SLOTS_OF, ALL) == (Parent("shelf_id", "shelves", owns=True),)


def changed(collection: InventoryCollection, *parents: str) -> InventoryCollection:
    values = {name: getattr(collection, name) for name in ("table", "manager_ref", "attributes", "links", "scope")}
    return InventoryCollection(name=collection.name, parent_inventory_collections=parents, **values)


def test_parents_may_be_named_instead_and_none_is_an_answer() -> None:
    assert parents_of(changed(SLOTS_OF), ALL) == ()
    named = parents_of(changed(SLOTS_OF, "racks", "shelves"), ALL)
    assert named == (Parent("spare_id", "racks", owns=True), Parent("shelf_id", "shelves", owns=False))


def test_a_parent_that_no_link_leads_to_is_refused() -> None:
    with pytest.raises(InvalidCollection, match="parent_inventory_collections names slots"):
        parents_of(changed(SHELVES_OF, "slots"), ALL)


def loose(*key: Any, index: bool, parents: tuple[str, ...] | None = None) -> InventoryCollection:
    """A collection whose link to a rack has that foreign key, and an index or none."""
    made = Table(
        "p_loose",
        MetaData(),
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("source_id", BigInteger, nullable=False),
        Column("rack_id", BigInteger, *key, index=index, nullable=False),
        Column("ref", Text, nullable=False),
        UniqueConstraint("source_id", "ref"),
    )
    return InventoryCollection(
        "loose",
        made,
        ("ref",),
        attributes=("rack_id",),
        links={"rack_id": "racks"},
        scope=("source_id",),
        parent_inventory_collections=parents,
    )


def test_a_named_parent_without_a_foreign_key_is_refused() -> None:
    with pytest.raises(InvalidCollection, match="rack_id has no foreign key"):
        parents_of(loose(index=True, parents=("racks",)), ALL)


def test_a_parent_without_an_index_is_refused() -> None:
    with pytest.raises(InvalidCollection, match="rack_id leads no index"):
        parents_of(loose(ForeignKey(RACKS.c.id, ondelete="CASCADE"), index=False), ALL)


WHOLE: dict[str, Any] = {
    "racks": [("r1", "a", "1"), ("r1", "b", "1"), ("r2", "a", "1"), ("r2", "b", "1")],
    "shelves": [("r1", "a", "s1"), ("r1", "a", "s2"), ("r2", "b", "s1")],
    "slots": [("r1", "a", "s1", "x"), ("r1", "a", "s2", "y"), ("r2", "b", "s1", "z")],
}


@pytest.mark.usefixtures("_tables")
async def test_columns_of_a_target_stay_paired(refresh_engine: AsyncEngine) -> None:
    # Given racks a and b in two rooms, when a of the one and b of the other are gone, then the other two stay.
    await refresh(refresh_engine, **WHOLE)
    await refresh(refresh_engine, [("racks", {"room": "r1", "name": "a"}), ("racks", {"name": "b", "room": "r2"})])
    async with refresh_engine.connect() as connection:
        left = await connection.execute(select(RACKS.c.room, RACKS.c.name))
        assert {tuple(row) for row in left} == {("r1", "b"), ("r2", "a")}


@pytest.mark.usefixtures("_tables")
async def test_parts_of_parts_are_compared_too(refresh_engine: AsyncEngine) -> None:
    # Given a rack with two shelves and a slot in each, when it comes with one shelf and no slot, then three rows go.
    await refresh(refresh_engine, **WHOLE)
    counts = await refresh(
        refresh_engine,
        [("racks", {"room": "r1", "name": "a"})],
        racks=[("r1", "a", "2")],
        shelves=[("r1", "a", "s1")],
    )
    assert (counts["racks"].updated, counts["shelves"].deleted, counts["slots"].deleted) == (1, 1, 2)
    assert await names(refresh_engine, SLOTS, "ref") == ["z"]


@pytest.mark.usefixtures("_tables")
async def test_a_collection_without_parents_on_purpose_keeps_its_rows(refresh_engine: AsyncEngine) -> None:
    await refresh(refresh_engine, **WHOLE)
    await refresh(
        refresh_engine,
        [("racks", {"room": "r1", "name": "a"})],
        changes={"slots": {"parent_inventory_collections": ()}},
        racks=[("r1", "a", "2")],
        shelves=[("r1", "a", "s1"), ("r1", "a", "s2")],
    )
    assert await names(refresh_engine, SLOTS, "ref") == ["x", "y", "z"]


ARCHIVED = {"racks": {"retention": "archive"}}


async def archived(engine: AsyncEngine) -> dict[tuple[str, str], bool]:
    async with engine.connect() as connection:
        rows = await connection.execute(select(RACKS.c.room, RACKS.c.name, RACKS.c.archived_at))
        return {(row.room, row.name): row.archived_at is not None for row in rows}


@pytest.mark.usefixtures("_tables")
async def test_an_archived_row_is_kept_and_comes_back_when_it_is_delivered(refresh_engine: AsyncEngine) -> None:
    # Given two racks, when one is not delivered, then it is archived once; delivered again, it is the same row.
    await refresh(refresh_engine, changes=ARCHIVED, racks=[("r", "a", "1"), ("r", "b", "1")])
    ids = await names(refresh_engine, RACKS, "id")
    counts = await refresh(refresh_engine, changes=ARCHIVED, racks=[("r", "a", "1")])
    assert await archived(refresh_engine) == {("r", "a"): False, ("r", "b"): True}
    assert counts["racks"].deleted == 1
    counts = await refresh(refresh_engine, changes=ARCHIVED, racks=[("r", "a", "1")])
    assert counts["racks"].written == 0
    counts = await refresh(refresh_engine, changes=ARCHIVED, racks=[("r", "a", "1"), ("r", "b", "1")])
    assert await archived(refresh_engine) == {("r", "a"): False, ("r", "b"): False}
    assert (counts["racks"].created, counts["racks"].updated) == (0, 1)
    assert await names(refresh_engine, RACKS, "id") == ids


@pytest.mark.usefixtures("_tables")
async def test_archived_rows_do_not_count_for_the_guard(refresh_engine: AsyncEngine) -> None:
    many = [("r", f"n{number}", "1") for number in range(40)]
    await refresh(refresh_engine, changes=ARCHIVED, racks=many)
    await refresh(refresh_engine, changes=ARCHIVED, racks=many[:20])
    counts = await refresh(refresh_engine, changes=ARCHIVED, racks=many[:1])
    assert counts["racks"].deleted == 19


@pytest.mark.usefixtures("_tables")
async def test_a_target_that_is_gone_is_archived(refresh_engine: AsyncEngine) -> None:
    await refresh(refresh_engine, changes=ARCHIVED, racks=[("r", "a", "1"), ("r", "b", "1")])
    await refresh(refresh_engine, [("racks", {"room": "r", "name": "a"})], changes=ARCHIVED)
    assert await archived(refresh_engine) == {("r", "a"): True, ("r", "b"): False}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"retention": "forget"}, "retention is destroy or archive, not 'forget'"),
        ({"retention": "archive", "table": SHELVES, "manager_ref": ("rack_id", "ref")}, "needs archived_at, a time"),
        ({"version_column": "note", "attributes": ()}, "needs note, a time that may be null"),
        ({"version_column": "nothing"}, "needs nothing, a time that may be null"),
        ({"version_column": "archived_at", "attributes": ("archived_at",)}, "is set by the refresh itself"),
    ],
)
def test_an_archive_or_a_version_without_its_column_is_refused(changes: dict[str, Any], reason: str) -> None:
    good: dict[str, Any] = {"name": "x", "table": RACKS, "manager_ref": ("room", "name"), "scope": ("source_id",)}
    with pytest.raises(InvalidCollection, match=reason):
        InventoryCollection(**{**good, **changes})


def test_what_several_own_is_not_archived_by_one() -> None:
    with pytest.raises(InvalidCollection):
        InventoryCollection(
            "x", SHELVES, ("rack_id", "ref"), scope=("source_id",), ownership=Shared(), retention="archive"
        )


class Hooked(Refresher):
    """Notes its steps; asks for one rack more."""

    steps: list[str]

    async def before(self) -> None:
        """First of all."""
        type(self).steps = ["before"]

    async def before_targets(self, targets: Targets) -> Targets:
        """One more."""
        self.steps.append("before targets")
        return targets.including(Target.of(SOURCE, "racks", {"room": "r2", "name": "b"}))

    async def collect(self) -> None:
        """Overridden, as every step may be."""
        self.steps.append(f"collect {len(self.collector.targets.items)}")
        await super().collect()

    async def after_targets(self, targets: Targets, counts: dict[str, Counts]) -> None:
        """In the transaction."""
        self.steps.append(f"after targets {counts['racks'].deleted}")

    async def after(self, counts: dict[str, Counts]) -> None:
        """Last."""
        self.steps.append("after")


@pytest.mark.usefixtures("_tables")
async def test_hooks_run_before_and_after_the_targets_and_may_add_some(refresh_engine: AsyncEngine) -> None:
    await refresh(refresh_engine, **WHOLE)
    await refresh(refresh_engine, [("racks", {"room": "r1", "name": "a"})], refresher=Hooked)
    assert Hooked.steps == ["before", "before targets", "collect 2", "after targets 2", "after"]


@pytest.mark.usefixtures("_tables")
async def test_a_full_refresh_has_no_hooks_of_targets(refresh_engine: AsyncEngine) -> None:
    await refresh(refresh_engine, refresher=Hooked, **WHOLE)
    assert Hooked.steps == ["before", "collect 0", "after"]


def test_targets_are_equal_however_their_columns_were_written() -> None:
    one = Target.of(1, "racks", {"room": "r", "name": "a"})
    other = Target.of(1, "racks", {"name": "a", "room": "r"})
    assert {one, other} == {one}
    targets = Targets(1, frozenset({one, Target.of(1, "racks", {"name": "z"})}))
    assert targets.references("racks", "room", "name") == {("r", "a")}
    assert targets.values("racks", "name") == {"z"}
    assert targets.references("racks") == {("a", "r"), ("z",)}
    assert not targets.references("slots")
