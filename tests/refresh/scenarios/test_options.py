"""Options of a collection at work: what is written of an object, and what is left alone."""

import pytest

from craton_inv.errors import UpdateFailed
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.reconnect import Reconnect
from craton_inv.refresh.saving import Saving
from tests.refresh.cloud import DISKS, FLAVORS, MACHINES, Cloud, disk, flavor, machine, total


async def test_given_create_only_when_refreshed_then_new_rows_come_and_nothing_else_happens(cloud: Cloud) -> None:
    await cloud.refresh(machine("m1", size=1), machine("m2", size=1))
    cloud.changes = {"create_only": True}

    counts = await cloud.refresh(machine("m2", size=2), machine("m3", size=2))

    assert await cloud.by_ref("size") == {"m1": 1, "m2": 1, "m3": 2}
    assert (counts["machines"].created, counts["machines"].updated, counts["machines"].deleted) == (1, 0, 0)


async def test_given_create_only_when_a_link_closes_a_cycle_then_only_new_rows_get_theirs(cloud: Cloud) -> None:
    await cloud.refresh(machine("m1"), machine("m2"))
    cloud.changes = {"create_only": True}

    await cloud.refresh(machine("m2", parent="m1"), machine("m3", parent="m1"))

    ids = await cloud.by_ref("id")
    assert await cloud.by_ref("parent_id") == {"m1": None, "m2": None, "m3": ids["m1"]}


async def test_given_default_values_when_an_object_does_not_send_them_then_they_are_taken(cloud: Cloud) -> None:
    cloud.changes = {"default_values": {"note": "none", "size": lambda persister: len(persister.collections)}}

    await cloud.refresh(machine("m1"), machine("m2", note="mine", size=9))

    assert await cloud.rows(MACHINES, "ref", "note", "size") == [("m1", "none", 1), ("m2", "mine", 9)]


async def test_given_a_blacklist_when_refreshed_then_its_attributes_are_not_written(cloud: Cloud) -> None:
    await cloud.refresh(machine("m", size=1, note="old"))
    cloud.changes = {"attributes_blacklist": ("note", "ref")}

    await cloud.refresh(machine("m", size=2, note="new"))

    assert await cloud.rows(MACHINES, "ref", "size", "note") == [("m", 2, "old")]


async def test_given_a_whitelist_when_refreshed_then_nothing_else_is_written(cloud: Cloud) -> None:
    cloud.changes = {"attributes_whitelist": ("note",)}

    await cloud.refresh(machine("m", size=1, note="n"))

    assert await cloud.rows(MACHINES, "ref", "size", "note") == [("m", None, "n")]


async def test_given_both_lists_when_refreshed_then_both_must_allow(cloud: Cloud) -> None:
    cloud.changes = {"attributes_whitelist": ("note", "size"), "attributes_blacklist": ("size",)}

    await cloud.refresh(machine("m", size=1, note="n", uuid="u"))

    assert await cloud.rows(MACHINES, "size", "note", "uuid") == [(None, "n", None)]


async def test_given_a_blacklist_when_the_table_declares_a_column_not_null_then_it_is_written_all_the_same(
    cloud: Cloud,
) -> None:
    cloud.other_changes["flavors"] = {"attributes_blacklist": ("cpus",)}

    await cloud.refresh(flavor("a", "b", cpus=8))

    assert await cloud.rows(FLAVORS, "cpus") == [(8,)]


async def test_given_an_identity_that_allows_no_null_when_a_part_is_null_then_it_is_refused_by_name(
    cloud: Cloud,
) -> None:
    cloud.other_changes["flavors"] = {"manager_ref_allowed_nil": ()}

    with pytest.raises(UpdateFailed, match=r"flavors 'a': name is null, but it is part of the identity \(family, name"):
        await cloud.refresh(flavor("a", None))


async def test_given_a_relation_in_an_identity_when_its_link_is_null_then_it_is_refused_by_name(cloud: Cloud) -> None:
    with pytest.raises(UpdateFailed, match=r"disks .*: machine_id is null, but it is part of the identity"):
        await cloud.refresh(lambda c: c.disks.build(machine_id=None, slot="0"))


async def test_given_many_objects_when_an_identity_is_repeated_then_it_is_found_and_the_last_one_wins(
    cloud: Cloud,
) -> None:
    many = [machine(f"m{n}", size=1) for n in range(1500)]

    counts = await cloud.refresh(*many, machine("m7", size=2))

    assert (counts["machines"].repeated, (await cloud.by_ref("size"))["m7"]) == (1, 2)


async def test_given_an_identity_through_a_link_when_it_is_repeated_then_it_is_counted(cloud: Cloud) -> None:
    counts = await cloud.refresh(machine("m"), disk("m", "0", size=1), disk("m", "1"), disk("m", "0", size=2))

    assert counts["disks"].repeated == 1
    assert await cloud.rows(DISKS, "slot", "size") == [("0", 2), ("1", None)]


async def test_given_a_custom_save_block_when_saved_then_it_replaces_the_saver_in_its_place_of_the_graph(
    cloud: Cloud,
) -> None:
    async def save_sizes(saving: Saving, counts: Counts) -> None:
        result = await saving.run(
            "INSERT INTO <table> (<scope>, ref, size) SELECT <values>, s.ref, 2 * s.size FROM <stage> s",
            scope=saving.scope_columns(),
            values=saving.scope_binds(),
        )
        counts.created += result.rowcount

    cloud.changes = {"custom_save_block": save_sizes}

    counts = await cloud.refresh(machine("m", size=21), disk("m", "0"))

    assert await cloud.by_ref("size") == {"m": 42}
    assert (counts["machines"].created, counts["disks"].created) == (1, 1)


async def reconnect_by_uuid(reconnect: Reconnect) -> None:
    """Machines that were registered anew keep their row, known by the uuid."""
    await reconnect.run("UPDATE <table> t SET ref = s.ref FROM <unmatched> s WHERE <scope> AND t.uuid = s.uuid")


async def test_given_a_reconnect_block_when_an_object_was_registered_anew_then_its_row_is_kept(cloud: Cloud) -> None:
    cloud.changes = {"custom_reconnect_block": reconnect_by_uuid}
    await cloud.refresh(machine("old", uuid="u", note="kept"), machine("other", uuid="v"), disk("old", "0"))
    ids = await cloud.by_ref("id")
    delivered = (machine("new", uuid="u", size=1), machine("other", uuid="v"), disk("new", "0"))

    counts = await cloud.refresh(*delivered)

    assert await cloud.by_ref("id") == {"new": ids["old"], "other": ids["other"]}
    assert await cloud.rows(MACHINES, "ref", "size", "note") == [("new", 1, "kept"), ("other", None, None)]
    assert (counts["machines"].created, counts["machines"].deleted, counts["disks"].deleted) == (0, 0, 0)
    assert total(await cloud.refresh(*delivered)) == 0


async def test_given_a_reconnect_block_when_refreshed_then_it_sees_only_what_no_row_matches(cloud: Cloud) -> None:
    seen: list[list[str]] = []

    async def look(reconnect: Reconnect) -> None:
        rows = await reconnect.run("SELECT s.ref FROM <unmatched> s ORDER BY s.ref")
        seen.append([ref for (ref,) in rows])

    cloud.changes = {"custom_reconnect_block": look}
    await cloud.refresh(machine("a"), machine("b"))

    await cloud.refresh(machine("b", size=2), machine("c"))

    assert seen == [["a", "b"], ["c"]]
