"""Skeletons: a link to an object that was not delivered makes a placeholder, where the collection allows it."""

from typing import Any

import pytest

from tests.refresh.cloud import DISKS, FLAVORS, MACHINES, Cloud, Make, disk, flavor, machine, total


@pytest.fixture
def skeletal(cloud: Cloud) -> Cloud:
    """A cloud whose flavors and machines may be placeholders."""
    cloud.changes = {"skeletal": True}
    cloud.other_changes = {"flavors": {"skeletal": True, "default_values": {"cpus": 4}}}
    return cloud


async def test_given_a_link_to_nothing_when_saved_then_a_placeholder_has_the_identity_and_the_defaults(
    skeletal: Cloud,
) -> None:
    counts = await skeletal.refresh(machine("m", flavor=("a", "b")))

    [(flavor_id, *values)] = await skeletal.rows(FLAVORS, "id", "family", "name", "cpus")
    assert values == ["a", "b", 4]
    assert await skeletal.by_ref("flavor_id") == {"m": flavor_id}
    assert (counts["flavors"].delivered, counts["flavors"].created, counts["machines"].unconnected) == (0, 1, 0)


async def test_given_a_placeholder_when_its_object_is_delivered_then_it_is_promoted_in_place(skeletal: Cloud) -> None:
    await skeletal.refresh(machine("m", flavor=("a", "b")))
    [(before,)] = await skeletal.rows(FLAVORS, "id")

    await skeletal.refresh(machine("m", flavor=("a", "b")), flavor("a", "b", cpus=16))

    assert await skeletal.rows(FLAVORS, "id", "cpus") == [(before, 16)]


async def test_given_a_full_row_when_only_linked_to_then_it_is_not_touched(skeletal: Cloud) -> None:
    await skeletal.refresh(machine("m", flavor=("a", "b")), flavor("a", "b", cpus=16))

    counts = await skeletal.stream(machine("m", flavor=("a", "b")))

    assert total(counts) == 0
    assert await skeletal.rows(FLAVORS, "cpus") == [(16,)]


async def test_given_a_placeholder_when_nothing_links_to_it_any_more_then_it_goes(skeletal: Cloud) -> None:
    await skeletal.refresh(machine("m", flavor=("a", "b")))

    counts = await skeletal.refresh(machine("m", flavor=None, flavor_id=None))

    assert (counts["flavors"].deleted, await skeletal.rows(FLAVORS, "id")) == (1, [])


async def test_given_a_thousand_links_to_one_object_when_saved_then_one_placeholder_is_made(skeletal: Cloud) -> None:
    counts = await skeletal.refresh(*(machine(f"m{n}", flavor=("a", f"b{n % 2}")) for n in range(1200)))

    assert counts["flavors"].created == 2


async def test_given_a_part_of_an_object_that_is_not_delivered_when_saved_then_it_is_below_a_placeholder(
    skeletal: Cloud,
) -> None:
    await skeletal.refresh(disk("m", "0"))

    [(machine_id,)] = await skeletal.rows(MACHINES, "id")
    assert await skeletal.rows(DISKS, "machine_id") == [(machine_id,)]


async def test_given_a_link_within_a_collection_when_its_target_is_missing_then_it_makes_a_placeholder_too(
    skeletal: Cloud,
) -> None:
    await skeletal.refresh(machine("m", parent="p"))

    ids = await skeletal.by_ref("id")
    assert await skeletal.by_ref("parent_id") == {"m": ids["p"], "p": None}


async def test_given_an_identity_of_identities_when_nothing_of_it_is_delivered_then_each_level_gets_a_placeholder(
    skeletal: Cloud,
) -> None:
    skeletal.other_changes["disks"] = {"skeletal": True}

    def snapshot(cloud: Cloud) -> Any:
        return cloud.snapshots.build(disk_id=cloud.disks.lazy_find(cloud.machines.lazy_find("m"), "0"), name="s")

    counts = await skeletal.refresh(snapshot)

    assert [counts[name].created for name in ("machines", "disks", "snapshots")] == [1, 1, 1]
    assert total(await skeletal.refresh(snapshot)) == 0


@pytest.mark.parametrize("name", [None, ""])
async def test_given_a_blank_part_of_an_identity_when_linked_to_then_no_placeholder_is_made(
    skeletal: Cloud, name: str | None
) -> None:
    counts = await skeletal.refresh(machine("m", flavor=("a", name)))

    assert (counts["flavors"].created, counts["machines"].unconnected) == (0, 1)


async def test_given_a_link_by_a_secondary_ref_or_for_a_value_when_it_finds_nothing_then_no_placeholder_is_made(
    skeletal: Cloud,
) -> None:
    skeletal.changes["links"] = {"note": "flavors", "flavor_id": "flavors", "parent_id": "machines"}
    by_uuid: Make = lambda c: c.machines.build(  # noqa: E731
        ref="m1", parent_id=c.machines.lazy_find("u", ref="by_uuid")
    )
    by_key: Make = lambda c: c.machines.build(ref="m2", note=c.flavors.lazy_find("a", "b", key="family"))  # noqa: E731

    await skeletal.refresh(by_uuid, by_key)

    assert await skeletal.by_ref("parent_id") == {"m1": None, "m2": None}
    assert await skeletal.rows(FLAVORS, "id") == []


async def test_given_a_collection_that_is_not_skeletal_when_linked_to_then_it_gets_no_placeholder(cloud: Cloud) -> None:
    await cloud.refresh(machine("m", flavor=("a", "b")))

    assert await cloud.rows(FLAVORS, "id") == []


async def test_given_a_machine_with_two_disks_when_one_disk_comes_alone_then_its_placeholder_owns_no_delivery(
    skeletal: Cloud,
) -> None:
    await skeletal.refresh(machine("m", size=4), disk("m", "0"), disk("m", "1"))

    counts = await skeletal.stream(disk("m", "0", size=2))

    assert await skeletal.rows(DISKS, "slot", "size") == [("0", 2), ("1", None)]
    assert await skeletal.by_ref("size") == {"m": 4}
    assert counts["disks"].deleted == 0


async def test_given_a_disk_delivered_by_another_way_than_it_is_linked_by_when_saved_then_no_placeholder_hides_it(
    skeletal: Cloud,
) -> None:
    skeletal.other_changes["disks"] = {"skeletal": True}
    delivered: Make = lambda c: c.disks.build(  # noqa: E731
        machine_id=c.machines.lazy_find("u", ref="by_uuid"), slot="0", size=7
    )

    def snapshot(cloud: Cloud) -> Any:
        return cloud.snapshots.build(disk_id=cloud.disks.lazy_find(cloud.machines.lazy_find("m"), "0"), name="s")

    counts = await skeletal.refresh(machine("m", uuid="u"), delivered, snapshot)

    assert await skeletal.rows(DISKS, "slot", "size") == [("0", 7)]
    assert (counts["disks"].repeated, counts["snapshots"].created) == (0, 1)
