"""Whose part a row is: read from the foreign keys, or named and checked against them, and compared with its parent."""

from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, ForeignKey, Identity, MetaData, Table, Text, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv.refresh.inventory_collection import InvalidCollection, InventoryCollection
from craton_inv.refresh.parents import Parent, parents_of
from tests.refresh.racks import ALL, RACKS, RACKS_OF, SHELVES_OF, SLOTS, SLOTS_OF, WHOLE, names, refresh


def test_given_foreign_keys_that_cascade_or_are_not_null_when_declared_then_they_tell_the_parents() -> None:
    assert parents_of(RACKS_OF, ALL) == ()
    assert parents_of(SHELVES_OF, ALL) == (Parent("rack_id", "racks", owns=True),)
    assert parents_of(SLOTS_OF, ALL) == (Parent("shelf_id", "shelves", owns=True),)


def changed(collection: InventoryCollection, *parents: str) -> InventoryCollection:
    values = {name: getattr(collection, name) for name in ("table", "manager_ref", "attributes", "links", "scope")}
    return InventoryCollection(name=collection.name, parent_inventory_collections=parents, **values)


def test_given_named_parents_or_none_on_purpose_when_declared_then_these_count() -> None:
    assert parents_of(changed(SLOTS_OF), ALL) == ()

    named = parents_of(changed(SLOTS_OF, "racks", "shelves"), ALL)

    assert named == (Parent("spare_id", "racks", owns=True), Parent("shelf_id", "shelves", owns=False))


def test_given_a_parent_that_no_link_leads_to_when_declared_then_it_is_refused() -> None:
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


def test_given_a_named_parent_without_a_foreign_key_when_declared_then_it_is_refused() -> None:
    with pytest.raises(InvalidCollection, match="rack_id has no foreign key"):
        parents_of(loose(index=True, parents=("racks",)), ALL)


def test_given_a_parent_without_an_index_when_declared_then_it_is_refused() -> None:
    with pytest.raises(InvalidCollection, match="rack_id leads no index"):
        parents_of(loose(ForeignKey(RACKS.c.id, ondelete="CASCADE"), index=False), ALL)


@pytest.mark.usefixtures("rack_tables")
async def test_given_targets_of_two_columns_when_they_are_gone_then_the_columns_stay_paired(
    refresh_engine: AsyncEngine,
) -> None:
    await refresh(refresh_engine, **WHOLE)

    await refresh(refresh_engine, [("racks", {"room": "r1", "name": "a"}), ("racks", {"name": "b", "room": "r2"})])

    async with refresh_engine.connect() as connection:
        left = await connection.execute(select(RACKS.c.room, RACKS.c.name))
        assert {tuple(row) for row in left} == {("r1", "b"), ("r2", "a")}


@pytest.mark.usefixtures("rack_tables")
async def test_given_parts_of_parts_when_their_owner_is_asked_for_then_they_are_compared_too(
    refresh_engine: AsyncEngine,
) -> None:
    await refresh(refresh_engine, **WHOLE)

    counts = await refresh(
        refresh_engine,
        [("racks", {"room": "r1", "name": "a"})],
        racks=[("r1", "a", "2")],
        shelves=[("r1", "a", "s1")],
    )

    assert (counts["racks"].updated, counts["shelves"].deleted, counts["slots"].deleted) == (1, 1, 2)
    assert await names(refresh_engine, SLOTS, "ref") == ["z"]


@pytest.mark.usefixtures("rack_tables")
async def test_given_no_parents_on_purpose_when_the_owner_is_asked_for_then_the_rows_stay(
    refresh_engine: AsyncEngine,
) -> None:
    await refresh(refresh_engine, **WHOLE)

    await refresh(
        refresh_engine,
        [("racks", {"room": "r1", "name": "a"})],
        changes={"slots": {"parent_inventory_collections": ()}},
        racks=[("r1", "a", "2")],
        shelves=[("r1", "a", "s1"), ("r1", "a", "s2")],
    )

    assert await names(refresh_engine, SLOTS, "ref") == ["x", "y", "z"]
