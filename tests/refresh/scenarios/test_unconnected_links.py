"""Links that lead nowhere: kept with both ends, tried again by every later refresh, forgotten when settled."""

from typing import Any

from craton_inv.repositories.unconnected_links import unconnected_links
from tests.refresh.cloud import DISKS, FLAVORS, Cloud, Make, disk, flavor, machine, total
from tests.refresh.world import World


def linked(ref: str, uuid: str) -> Make:
    """A machine whose parent is named by its uuid."""
    return lambda cloud: cloud.machines.build(ref=ref, parent_id=cloud.machines.lazy_find(uuid, ref="by_uuid"))


async def test_given_a_link_to_nothing_when_saved_then_both_ends_are_kept(cloud: Cloud) -> None:
    await cloud.refresh(machine("m", flavor=("a", "b")))

    columns = ("collection", "object_ref", "attribute", "target_collection", "target_ref", "target_by")
    assert await cloud.unconnected(*columns) == [
        ("machines", {"ref": "m"}, "flavor_id", "flavors", {"family": "a", "name": "b"}, "manager_ref")
    ]


async def test_given_a_waiting_link_when_its_target_comes_alone_then_it_is_connected(cloud: Cloud) -> None:
    await cloud.refresh(machine("m", flavor=("a", "b")))

    counts = await cloud.stream(flavor("a", "b"))

    [(flavor_id,)] = await cloud.rows(FLAVORS, "id")
    assert await cloud.by_ref("flavor_id") == {"m": flavor_id}
    assert (counts["machines"].updated, await cloud.unconnected("id")) == (1, [])


async def test_given_a_waiting_link_by_a_secondary_ref_when_its_target_comes_then_it_is_connected(
    cloud: Cloud,
) -> None:
    await cloud.refresh(linked("m", "u"), machine("p"))

    await cloud.stream(machine("p", uuid="u"))

    assert (await cloud.by_ref("parent_id"))["m"] == (await cloud.by_ref("id"))["p"]
    assert await cloud.unconnected("id") == []


async def test_given_a_waiting_link_for_a_value_when_its_target_comes_then_the_value_is_taken(cloud: Cloud) -> None:
    cloud.changes = {"links": {"note": "flavors", "flavor_id": "flavors", "parent_id": "machines"}}
    await cloud.refresh(lambda c: c.machines.build(ref="m", note=c.flavors.lazy_find("a", "b", key="family")))

    await cloud.stream(flavor("a", "b"))

    assert await cloud.by_ref("note") == {"m": "a"}


async def test_given_a_waiting_link_through_relations_when_its_target_comes_then_it_is_connected(
    cloud: Cloud,
) -> None:
    cloud.changes = {
        "attributes": ("boot_disk_id",),
        "links": {"boot_disk_id": "disks"},
        "secondary_refs": {},
    }

    def booting(c: Cloud) -> Any:
        return c.machines.build(ref="m", boot_disk_id=c.disks.lazy_find(c.machines.lazy_find("m"), "0"))

    await cloud.refresh(booting)
    assert await cloud.unconnected("target_ref") == [({"machine_id": {"ref": "m"}, "slot": "0"},)]

    await cloud.stream(disk("m", "0"))

    assert (await cloud.by_ref("boot_disk_id"))["m"] is not None
    assert await cloud.unconnected("id") == []


async def test_given_a_waiting_link_when_nothing_changed_then_nothing_is_written(cloud: Cloud) -> None:
    objects = (machine("m", flavor=("a", "b")), linked("n", "nobody"))

    await cloud.refresh(*objects)

    before = await cloud.unconnected("id", "first_seen")
    assert total(await cloud.refresh(*objects)) == 0
    assert await cloud.unconnected("id", "first_seen") == before


async def test_given_a_waiting_link_when_the_object_sends_another_then_that_one_waits(cloud: Cloud) -> None:
    await cloud.refresh(machine("m", flavor=("a", "b")))

    await cloud.refresh(machine("m", flavor=("a", "c")))

    assert await cloud.unconnected("target_ref") == [({"family": "a", "name": "c"},)]


async def test_given_a_waiting_link_when_the_object_sends_none_then_it_is_forgotten(cloud: Cloud) -> None:
    await cloud.refresh(machine("m", flavor=("a", "b")))

    await cloud.refresh(machine("m", flavor_id=None))

    assert await cloud.unconnected("id") == []


async def test_given_a_waiting_link_when_the_object_does_not_send_the_column_then_it_waits_on(cloud: Cloud) -> None:
    await cloud.refresh(machine("m", flavor=("a", "b")))

    await cloud.refresh(machine("m", size=1))

    assert len(await cloud.unconnected("id")) == 1


async def test_given_a_waiting_link_when_its_object_is_gone_then_it_is_forgotten(cloud: Cloud) -> None:
    await cloud.refresh(machine("m", flavor=("a", "b")), machine("n"))

    await cloud.refresh(machine("n"))

    assert await cloud.unconnected("id") == []


async def test_given_a_link_when_its_target_goes_then_it_waits_again(cloud: Cloud) -> None:
    await cloud.refresh(machine("m", flavor=("a", "b")), flavor("a", "b"))
    await cloud.refresh(machine("m", flavor=("a", "b")))
    assert await cloud.unconnected("attribute", "target_ref") == [("flavor_id", {"family": "a", "name": "b"})]

    await cloud.refresh(machine("m", flavor=("a", "b")), flavor("a", "b"))

    assert await cloud.unconnected("id") == []
    assert (await cloud.by_ref("flavor_id"))["m"] is not None


async def test_given_an_object_that_needs_its_link_when_it_leads_nowhere_then_it_is_told_until_it_is_saved(
    cloud: Cloud,
) -> None:
    await cloud.refresh(disk("m", "0"))
    assert await cloud.unconnected("object_ref", "object_id") == [
        ({"machine_id": {"ref": "m"}, "slot": "0"}, None),
    ]

    await cloud.stream(machine("m"), disk("m", "0"))

    assert await cloud.unconnected("id") == []


async def test_given_an_object_that_was_never_saved_when_it_is_not_delivered_again_then_its_link_is_forgotten(
    cloud: Cloud,
) -> None:
    await cloud.refresh(disk("m", "0"))
    await cloud.refresh(disk("n", "0"))
    assert await cloud.unconnected("target_ref") == [({"ref": "n"},)]

    await cloud.refresh(machine("x"))

    assert await cloud.unconnected("id") == []


async def test_given_a_waiting_link_when_another_source_delivers_such_a_target_then_it_waits_on(
    cloud: Cloud, world: World
) -> None:
    other = Cloud(cloud.engine, await world.source("other"))
    await cloud.refresh(machine("m", flavor=("a", "b")))

    await other.refresh(flavor("a", "b"))

    assert len(await cloud.unconnected("id")) == 1


async def test_given_a_name_filter_when_links_lead_to_what_it_leaves_out_then_they_do_not_wait(cloud: Cloud) -> None:
    cloud.changes = {"name_filter": "web"}

    counts = await cloud.refresh(machine("web1"), machine("db1"), disk("web1", "0"), disk("db1", "0"))

    assert counts["disks"].created == 1
    assert await cloud.unconnected("id") == []


async def test_given_many_waiting_links_when_listed_then_the_oldest_are_told_with_how_many_there_are(
    cloud: Cloud, world: World
) -> None:
    await cloud.refresh(*(machine(f"m{n}", flavor=("a", "b")) for n in range(5)))

    async with world.factory() as session:
        listed = await unconnected_links(session, cloud.source_id, limit=2)
    assert (listed["total"], len(listed["links"])) == (5, 2)
    first = listed["links"][0]
    assert (first["collection"], first["target"]) == ("machines", {"family": "a", "name": "b"})
    assert not first["ambiguous"]


async def test_given_a_disk_whose_machine_is_not_delivered_when_the_machine_goes_then_the_disk_goes_and_is_told(
    cloud: Cloud,
) -> None:
    await cloud.refresh(machine("m"), machine("n"), disk("m", "0"))

    await cloud.refresh(machine("n"), disk("m", "0"))

    assert await cloud.rows(DISKS, "id") == []
    assert await cloud.unconnected("object_ref", "object_id", "target_ref") == [
        ({"machine_id": {"ref": "m"}, "slot": "0"}, None, {"ref": "m"})
    ]
