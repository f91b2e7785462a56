"""What becomes of rows that are no longer delivered: deleted, or archived and out of the scope until they return."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv.refresh.inventory_collection import InvalidCollection, InventoryCollection
from craton_inv.refresh.ownership import Shared
from tests.refresh.racks import RACKS, SHELVES, names, refresh

ARCHIVED = {"racks": {"retention": "archive"}}


async def archived(engine: AsyncEngine) -> dict[tuple[str, str], bool]:
    async with engine.connect() as connection:
        rows = await connection.execute(select(RACKS.c.room, RACKS.c.name, RACKS.c.archived_at))
        return {(row.room, row.name): row.archived_at is not None for row in rows}


@pytest.mark.usefixtures("rack_tables")
async def test_given_an_archive_when_a_row_is_gone_and_comes_back_then_it_is_archived_once_and_the_same_row(
    refresh_engine: AsyncEngine,
) -> None:
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


@pytest.mark.usefixtures("rack_tables")
async def test_given_archived_rows_when_more_go_then_they_do_not_count_for_the_guard(
    refresh_engine: AsyncEngine,
) -> None:
    many = [("r", f"n{number}", "1") for number in range(40)]
    await refresh(refresh_engine, changes=ARCHIVED, racks=many)
    await refresh(refresh_engine, changes=ARCHIVED, racks=many[:20])

    counts = await refresh(refresh_engine, changes=ARCHIVED, racks=many[:1])

    assert counts["racks"].deleted == 19


@pytest.mark.usefixtures("rack_tables")
async def test_given_an_archive_when_a_target_is_gone_then_it_is_archived(refresh_engine: AsyncEngine) -> None:
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
def test_given_an_archive_or_a_version_without_its_column_when_declared_then_it_is_refused(
    changes: dict[str, Any], reason: str
) -> None:
    good: dict[str, Any] = {"name": "x", "table": RACKS, "manager_ref": ("room", "name"), "scope": ("source_id",)}

    with pytest.raises(InvalidCollection, match=reason):
        InventoryCollection(**{**good, **changes})


def test_given_rows_of_several_owners_when_declared_to_be_archived_then_that_is_refused() -> None:
    with pytest.raises(InvalidCollection):
        InventoryCollection(
            "x", SHELVES, ("rack_id", "ref"), scope=("source_id",), ownership=Shared(), retention="archive"
        )


@pytest.mark.usefixtures("rack_tables")
async def test_given_an_archived_row_when_only_linked_to_then_it_is_linked_and_stays_archived(
    refresh_engine: AsyncEngine,
) -> None:
    skeletal = {"racks": {"retention": "archive", "skeletal": True}}
    await refresh(refresh_engine, changes=skeletal, racks=[("r", "a", "1"), ("r", "b", "1")])
    await refresh(refresh_engine, changes=skeletal, racks=[("r", "b", "1")])

    counts = await refresh(
        refresh_engine, changes=skeletal, racks=[("r", "b", "1")], shelves=[("r", "a", "s"), ("r", "c", "s")]
    )

    assert await archived(refresh_engine) == {("r", "a"): True, ("r", "b"): False, ("r", "c"): False}
    assert (counts["racks"].created, counts["racks"].updated, counts["shelves"].created) == (1, 0, 2)


@pytest.mark.usefixtures("rack_tables")
async def test_given_archived_rows_when_a_list_lacks_them_then_the_guard_does_not_count_them(
    refresh_engine: AsyncEngine,
) -> None:
    many = [("r", f"n{number}", "1") for number in range(60)]
    for count in (60, 30, 20):
        await refresh(refresh_engine, changes=ARCHIVED, racks=many[:count])

    listed = [{"room": "r", "name": f"n{number}"} for number in range(15)]
    counts = await refresh(refresh_engine, changes=ARCHIVED, listed=listed)

    assert counts["racks"].deleted == 5
    assert sum(archive for archive in (await archived(refresh_engine)).values()) == 45


@pytest.mark.usefixtures("rack_tables")
@pytest.mark.parametrize("active", [True, False], ids=["registered anew", "archived alone"])
async def test_given_an_archived_row_when_linked_by_a_secondary_ref_then_an_active_row_comes_first(
    refresh_engine: AsyncEngine, *, active: bool
) -> None:
    by_note = {"racks": {"retention": "archive", "secondary_refs": {"by_note": ("note",)}}}
    racks = [("r", "other", ""), *([("r", "new", "serial")] if active else [])]
    await refresh(refresh_engine, changes=by_note, racks=[("r", "old", "serial"), ("r", "other", "")])
    await refresh(refresh_engine, changes=by_note, racks=racks)

    counts = await refresh(refresh_engine, changes=by_note, racks=racks, noted=[("serial", "s")])

    async with refresh_engine.connect() as connection:
        owners = await connection.scalars(select(RACKS.c.name).join(SHELVES, SHELVES.c.rack_id == RACKS.c.id))
        assert owners.all() == ["new" if active else "old"]
    assert (counts["shelves"].unconnected, counts["shelves"].ambiguous) == (0, 0)
