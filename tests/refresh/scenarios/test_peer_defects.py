"""Twelve defects of ManageIQ's inventory_refresh 2.4.0, each reproduced there: here every one of them passes."""

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError

from craton_inv.errors import UpdateFailed
from tests.refresh.cloud import DISKS, FLAVORS, MACHINES, Cloud, Make, disk, flavor, machine, total
from tests.refresh.world import World, document, written

AT_ONCE = 3000
ROUNDS = 8


async def test_1_given_key_parts_that_would_join_to_one_text_when_saved_then_they_are_two_objects(cloud: Cloud) -> None:
    await cloud.refresh(flavor("a__b", "c"), flavor("a", "b__c"))

    assert await cloud.rows(FLAVORS, "family", "name") == [("a", "b__c"), ("a__b", "c")]


async def test_2_given_null_and_empty_text_when_they_are_keys_then_they_are_two_objects(cloud: Cloud) -> None:
    await cloud.refresh(flavor("a", None, cpus=1), flavor("a", "", cpus=2), flavor("a", "\\N", cpus=3))

    assert await cloud.rows(FLAVORS, "name", "cpus") == [("", 2), ("\\N", 3), (None, 1)]


async def test_3_given_attributes_that_only_a_neighbour_sends_when_saved_then_they_stay_as_they_are(
    cloud: Cloud,
) -> None:
    await cloud.refresh(machine("m1", size=1, note="n1"), machine("m2", size=1, note="n2"), machine("m3", size=1))

    await cloud.refresh(machine("m1", size=2), machine("m2", note="changed"), machine("m3", size=3, note="n3"))

    assert await cloud.rows(MACHINES, "ref", "size", "note") == [("m1", 2, "n1"), ("m2", 1, "changed"), ("m3", 3, "n3")]


async def test_4_given_a_disk_that_cannot_be_saved_when_its_machine_could_then_nothing_is_saved(cloud: Cloud) -> None:
    with pytest.raises(DBAPIError):
        await cloud.refresh(machine("m1"), disk("m1", "0", size=-1))

    assert await cloud.rows(MACHINES, "ref") == []


async def test_5_given_a_dangling_link_when_refreshed_in_full_again_then_the_placeholder_keeps_its_id(
    cloud: Cloud,
) -> None:
    cloud.other_changes = {"flavors": {"skeletal": True, "default_values": {"cpus": 4}}}
    await cloud.refresh(machine("m", flavor=("a", "b")))
    before = await cloud.rows(FLAVORS, "id")

    again = [total(await cloud.refresh(machine("m", flavor=("a", "b")))) for _ in range(2)]

    assert again == [0, 0]
    assert await cloud.rows(FLAVORS, "id") == before


@pytest.mark.parametrize(("stored", "taken"), [(False, False), (None, True), (True, True)])
async def test_6_given_a_link_for_a_value_with_a_default_when_the_value_is_false_then_false_stays(
    cloud: Cloud, stored: bool | None, taken: bool
) -> None:
    cloud.changes = {"links": {"shared": "flavors", "flavor_id": "flavors", "parent_id": "machines"}}

    await cloud.refresh(
        flavor("a", "b", shared=stored),
        lambda c: c.machines.build(ref="m", shared=c.flavors.lazy_find("a", "b", key="shared", default=True)),
    )

    assert await cloud.by_ref("shared") == {"m": taken}


async def test_7_given_an_inventory_when_the_provider_answers_with_nothing_then_it_is_not_emptied(world: World) -> None:
    await world.refresh(document({"h": {"a": 1}}))

    with pytest.raises(UpdateFailed, match="delivered nothing, but the inventory has 1 objects"):
        await world.refresh({"_meta": {"hostvars": {}}, "all": {"vars": {"x": 1}}})

    assert await world.hosts() == {"h": {"a": 1}}
    assert (await world.inventory()).variables == {}


async def test_8_given_nothing_changed_when_refreshed_again_then_no_row_is_written(world: World) -> None:
    delivery = document({"web1": {"a": 1}, "web2": {"a": 2}}, {"web": ["web1", "web2"]}, {"dns": "x"})
    await world.refresh(delivery)
    before = await world.row_versions()

    counts = await world.refresh(delivery)

    assert written(counts) == 0
    assert await world.row_versions() == before


async def test_9_given_a_null_in_a_unique_key_when_saved_again_then_there_is_no_second_row(cloud: Cloud) -> None:
    await cloud.refresh(flavor("a", None, cpus=1))

    counts = [await cloud.stream(flavor("a", None, cpus=cpus), delete=False) for cpus in (1, 2)]

    assert [total(each) for each in counts] == [0, 1]
    assert await cloud.rows(FLAVORS, "name", "cpus") == [(None, 2)]


async def test_10_given_a_repeated_identity_when_saved_then_it_is_counted_and_the_last_one_wins(cloud: Cloud) -> None:
    counts = await cloud.refresh(machine("m", size=1), machine("n"), machine("m", size=2), machine("m", size=3))

    assert (counts["machines"].repeated, counts["machines"].delivered) == (2, 4)
    assert await cloud.by_ref("size") == {"m": 3, "n": None}


async def test_11_given_two_rows_of_one_secondary_ref_when_linked_by_it_then_it_is_told_and_never_guessed(
    cloud: Cloud,
) -> None:
    def child(cloud: Cloud) -> object:
        return cloud.machines.build(ref="m3", parent_id=cloud.machines.lazy_find("u", ref="by_uuid"))

    counts = await cloud.refresh(machine("m1", uuid="u"), machine("m2", uuid="u"), child)  # type: ignore[arg-type]

    assert (counts["machines"].unconnected, counts["machines"].ambiguous) == (1, 1)
    assert (await cloud.by_ref("parent_id"))["m3"] is None
    assert await cloud.unconnected("attribute", "target_by", "ambiguous") == [("parent_id", "by_uuid", True)]


def delivery(size: int, numbers: range) -> list[Make]:
    """Machines with a disk each, in the order of `numbers`; no smaller collection before makes the runs take turns."""
    return [machine(f"m{n}", size=size) for n in numbers] + [disk(f"m{n}", "0", size=size) for n in numbers]


@pytest.mark.full
async def test_12_given_two_runs_in_opposite_order_when_they_save_at_once_then_none_is_a_victim(cloud: Cloud) -> None:
    forward, backward = range(AT_ONCE), range(AT_ONCE - 1, -1, -1)

    for size in range(1, ROUNDS + 1):
        await asyncio.gather(
            cloud.stream(*delivery(size, forward), delete=False),
            cloud.stream(*delivery(size, backward), delete=False),
        )
        assert set((await cloud.by_ref("size")).values()) == {size}

    assert len(await cloud.rows(DISKS, "id")) == AT_ONCE


async def test_12_given_two_runs_that_insert_the_same_at_once_when_saved_then_each_row_is_there_once_and_whole(
    cloud: Cloud,
) -> None:
    numbers = range(200)

    await asyncio.gather(
        cloud.stream(*(machine(f"m{n}", size=n) for n in numbers), delete=False),
        cloud.stream(*(machine(f"m{n}", note=f"n{n}") for n in reversed(numbers)), delete=False),
    )

    assert await cloud.by_ref("size") == {f"m{n}": n for n in numbers}
    assert await cloud.by_ref("note") == {f"m{n}": f"n{n}" for n in numbers}
