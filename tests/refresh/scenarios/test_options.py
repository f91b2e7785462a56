"""Options of a collection at work: what is written of an object, and what is left alone."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select

from craton_inv.errors import UpdateFailed
from craton_inv.models import Resource
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.inventory_collection import InvalidCollection
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.persister import Persister
from craton_inv.refresh.saving import SaveOptions
from tests.refresh.cloud import ADDRESSES, ADDRESSES_OF, DISKS, FLAVORS, MACHINES, Cloud, disk, flavor, machine
from tests.refresh.deliveries import CloudPersister, Make, deliver, group, host, member, thing
from tests.refresh.world import World


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


async def test_given_a_default_value_that_is_a_function_when_declared_then_it_gets_the_persister(cloud: Cloud) -> None:
    seen: list[Persister] = []
    cloud.changes = {"default_values": {"note": seen.append}}

    persister = cloud.persister()

    assert seen == [persister]


async def test_given_two_sources_when_one_is_refreshed_then_the_complement_of_its_own_scope_goes(
    cloud: Cloud, world: World
) -> None:
    other = Cloud(cloud.engine, await world.source("other"))
    await other.refresh(machine("m1"))
    await cloud.refresh(machine("m1"), machine("m2"), disk("m2", "0"))

    counts = await cloud.refresh(machine("m1"))

    assert (counts["machines"].deleted, counts["disks"].deleted) == (1, 1)
    assert await other.rows(MACHINES, "ref") == [("m1",)]
    assert await cloud.rows(MACHINES, "ref") == [("m1",)]


async def test_given_a_row_that_appears_while_objects_are_gathered_when_saved_then_it_is_compared_too(
    cloud: Cloud,
) -> None:
    persister = cloud.persister()
    persister.add(cloud.machines.build(ref="m1"))
    async with cloud.engine.begin() as connection:
        await connection.execute(insert(MACHINES).values(source_id=cloud.source_id, ref="late"))

    async with cloud.engine.begin() as connection:
        scope = {"source_id": cloud.source_id}
        counts = await persister.save(connection, SaveOptions(cloud.source_id, scope, delete=True), nobody)
    persister.close()

    assert counts["machines"].deleted == 1
    assert await cloud.by_ref("size") == {"m1": None}


async def nobody(_: str, __: Counts) -> None:
    """Nobody listens."""


async def test_given_two_collections_in_one_table_when_one_loses_an_object_then_the_other_is_left_alone(
    world: World,
) -> None:
    def resources(*refs: tuple[str, str]) -> tuple[InventoryPersister, list[Make]]:
        persister = InventoryPersister(world.inventory_id)
        for name in ("stacks", "zones"):
            persister.add_resource_collection(name)
        return persister, [thing(name, ref) for name, ref in refs]

    async def deliver_all(*refs: tuple[str, str]) -> None:
        persister, make = resources(*refs)
        await deliver(world, *make, persister=persister)

    await deliver_all(("stacks", "a"), ("stacks", "b"), ("zones", "a"), ("zones", "b"))

    await deliver_all(("stacks", "a"), ("zones", "a"), ("zones", "b"))

    async with world.engine.connect() as connection:
        query = select(Resource.collection, Resource.ref).where(Resource.inventory_id == world.inventory_id)
        left = {tuple(row) for row in await connection.execute(query)}
    assert left == {("stacks", "a"), ("zones", "a"), ("zones", "b")}


async def test_given_a_collection_that_is_not_complete_when_refreshed_then_nothing_of_it_goes(cloud: Cloud) -> None:
    await cloud.refresh(machine("m1"), machine("m2"))
    cloud.changes = {"complete": False}

    await cloud.refresh(machine("m2", size=1), machine("m3"))

    assert await cloud.rows(MACHINES, "ref", "size") == [("m1", None), ("m2", 1), ("m3", None)]


async def test_given_a_collection_that_is_only_linked_to_when_refreshed_then_its_rows_are_found_and_stay(
    cloud: Cloud,
) -> None:
    await cloud.refresh(flavor("a", "b", cpus=4), machine("m1"))
    cloud.other_changes["flavors"] = {"complete": False}

    counts = await cloud.refresh(machine("m1", flavor=("a", "b")))

    [(flavor_id, cpus)] = await cloud.rows(FLAVORS, "id", "cpus")
    assert (await cloud.by_ref("flavor_id"), cpus) == ({"m1": flavor_id}, 4)
    assert counts["flavors"].written == 0


async def test_given_update_only_when_refreshed_then_rows_are_neither_created_nor_deleted(cloud: Cloud) -> None:
    await cloud.refresh(machine("m1"), machine("m2"))
    cloud.changes = {"update_only": True}

    await cloud.refresh(machine("m2", size=1), machine("m3"))

    assert await cloud.rows(MACHINES, "ref", "size") == [("m1", None), ("m2", 1)]


@pytest.mark.parametrize(
    ("option", "left", "variables"),
    [
        ("update_only", {"a", "b"}, {"v": 2}),
        ("create_only", {"a", "b", "c"}, {"v": 1}),
        ("complete", {"a", "b", "c"}, {"v": 2}),
    ],
)
async def test_given_hosts_that_sources_share_when_an_option_limits_them_then_it_counts_for_them_too(
    world: World, option: str, left: set[str], variables: dict[str, int]
) -> None:
    await deliver(world, host("a", variables={"v": 1}), host("b", variables={"v": 1}))
    persister = CloudPersister(world.inventory_id)
    persister.add_collection("hosts", **{option: option != "complete"})

    await deliver(world, host("b", variables={"v": 2}), host("c"), persister=persister)

    hosts = await world.hosts()
    assert (set(hosts), hosts["b"]) == (left, variables)


@pytest.mark.parametrize(
    ("option", "left"),
    [
        ("update_only", {("g", "theirs"), ("g", "ours")}),
        ("create_only", {("g", "theirs"), ("g", "ours"), ("g", "new")}),
    ],
)
async def test_given_memberships_with_an_option_when_refreshed_then_it_counts_for_them_too(
    world: World, option: str, left: set[tuple[str, str]]
) -> None:
    names = ("theirs", "ours", "new")
    await deliver(world, *map(host, names), group("g"), member("g", "theirs"), source="other")
    await deliver(world, *map(host, names), group("g"), member("g", "ours"))
    persister = CloudPersister(world.inventory_id)
    persister.add_collection("memberships", **{option: True})

    made = (member("g", "theirs"), member("g", "new"))
    counts = await deliver(world, *map(host, names), group("g"), *made, persister=persister)

    assert await world.memberships() == left
    assert (counts["memberships"].updated, counts["memberships"].deleted) == (option == "update_only", 0)


async def test_given_an_identity_that_allows_null_when_its_key_is_not_sent_then_the_object_is_refused(
    cloud: Cloud,
) -> None:
    cloud.persister()

    with pytest.raises(InvalidCollection, match="An object of flavors needs name"):
        cloud.flavors.build(family="a")


def address(of: str | None, ip: str, **values: Any) -> Callable[[Cloud], InventoryObject]:
    """An address of a machine or of none."""
    return lambda c: ADDRESSES_OF.build(machine_id=None if of is None else c.machines.lazy_find(of), ip=ip, **values)


async def test_given_a_relation_of_the_identity_that_may_be_null_when_saved_again_then_null_is_one_owner_of_its_own(
    cloud: Cloud,
) -> None:
    cloud.more = (ADDRESSES_OF,)
    objects = (machine("m"), address("m", "10.0.0.1", note="of m"), address(None, "10.0.0.1", note="of nobody"))
    await cloud.refresh(*objects)

    counts = [await cloud.refresh(*objects), await cloud.refresh(*objects[:2], address(None, "10.0.0.1", note="new"))]

    assert [each["addresses"].written for each in counts] == [0, 1]
    [machine_id] = (await cloud.by_ref("id")).values()
    found = await cloud.rows(ADDRESSES, "machine_id", "ip", "note")
    assert found == [(machine_id, "10.0.0.1", "of m"), (None, "10.0.0.1", "new")]


async def test_given_a_relation_of_the_identity_that_may_be_null_when_it_leads_nowhere_then_it_is_not_taken_for_null(
    cloud: Cloud,
) -> None:
    cloud.more = (ADDRESSES_OF,)
    await cloud.refresh(machine("m"), address(None, "10.0.0.1", note="of nobody"))

    counts = await cloud.refresh(machine("m"), address("gone", "10.0.0.1", note="of gone"), address(None, "10.0.0.1"))

    assert (counts["addresses"].unconnected, counts["addresses"].written) == (1, 0)
    assert await cloud.rows(ADDRESSES, "machine_id", "note") == [(None, "of nobody")]
