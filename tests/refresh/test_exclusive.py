"""The saver on tables of the test's own: identities of several columns, links, cycles, attributes not sent."""

import pytest
from sqlalchemy.exc import DBAPIError

from craton_inv.errors import UpdateFailed
from tests.refresh.cloud import DISKS, FLAVORS, MACHINES, Cloud, disk, flavor, machine, total
from tests.refresh.world import World


async def test_key_parts_that_would_join_to_one_text_stay_apart(cloud: Cloud) -> None:
    await cloud.refresh(flavor("a__b", "c"), flavor("a", "b__c"))
    assert await cloud.rows(FLAVORS, "family", "name") == [("a", "b__c"), ("a__b", "c")]


async def test_null_and_empty_text_are_two_keys_and_saved_once(cloud: Cloud) -> None:
    objects = (flavor("a", None, cpus=1), flavor("a", "", cpus=2), flavor("a", "\\N", cpus=3))
    await cloud.refresh(*objects)
    assert total(await cloud.refresh(*objects)) == 0
    assert await cloud.rows(FLAVORS, "name", "cpus") == [("", 2), ("\\N", 3), (None, 1)]


async def test_attributes_that_were_not_sent_stay_as_they_are(cloud: Cloud) -> None:
    await cloud.refresh(machine("m1", size=1, note="n1"), machine("m2", size=1, note="n2"))
    await cloud.refresh(machine("m1", size=2), machine("m2", size=2, note=None))
    assert await cloud.rows(MACHINES, "ref", "size", "note") == [("m1", 2, "n1"), ("m2", 2, None)]


async def test_an_attribute_that_a_new_row_does_not_send_takes_the_default_of_the_table(cloud: Cloud) -> None:
    await cloud.refresh(flavor("a", "b"))
    assert await cloud.rows(FLAVORS, "cpus") == [(1,)]


async def test_links_are_resolved_whatever_the_order_of_delivery(cloud: Cloud) -> None:
    await cloud.refresh(disk("m1", "0", size=5), machine("m1", flavor=("a", "b")), flavor("a", "b", cpus=4))
    [(machine_id, flavor_id)] = await cloud.rows(MACHINES, "id", "flavor_id")
    assert await cloud.rows(DISKS, "machine_id", "size") == [(machine_id, 5)]
    assert await cloud.rows(FLAVORS, "id", "cpus") == [(flavor_id, 4)]


async def test_links_within_a_collection_are_saved_by_the_second_pass(cloud: Cloud) -> None:
    ring = (machine("m1", parent="m2"), machine("m2", parent="m1"))
    await cloud.refresh(*ring)
    ids = dict(await cloud.rows(MACHINES, "ref", "id"))
    assert dict(await cloud.rows(MACHINES, "ref", "parent_id")) == {"m1": ids["m2"], "m2": ids["m1"]}
    assert total(await cloud.refresh(*ring)) == 0


async def test_a_link_to_something_not_delivered_is_null_and_counted(cloud: Cloud) -> None:
    counts = await cloud.refresh(machine("m1", flavor=("no", "such")), machine("m2"))
    assert counts["machines"].unconnected == 1
    assert await cloud.rows(MACHINES, "ref", "flavor_id") == [("m1", None), ("m2", None)]


async def test_an_object_whose_identity_leads_nowhere_is_not_saved_but_counted(cloud: Cloud) -> None:
    counts = await cloud.refresh(machine("m1"), disk("nowhere", "0"))
    assert (counts["disks"].created, counts["disks"].unconnected) == (0, 1)


async def test_a_dangling_link_writes_nothing_the_second_time(cloud: Cloud) -> None:
    objects = (machine("m1", flavor=("no", "such")),)
    await cloud.refresh(*objects)
    assert total(await cloud.refresh(*objects)) == 0


async def test_the_complement_of_the_scope_goes_and_other_sources_stay(cloud: Cloud, world: World) -> None:
    other = Cloud(cloud.engine, await world.source("other"))
    await other.refresh(machine("m1"))
    await cloud.refresh(machine("m1"), machine("m2"), disk("m2", "0"))
    counts = await cloud.refresh(machine("m1"))
    assert (counts["machines"].deleted, counts["disks"].deleted) == (1, 1)
    assert await other.rows(MACHINES, "ref") == [("m1",)]
    assert await cloud.rows(MACHINES, "ref") == [("m1",)]


async def test_an_incomplete_collection_deletes_nothing(cloud: Cloud) -> None:
    await cloud.refresh(machine("m1"), machine("m2"))
    cloud.changes = {"complete": False}
    await cloud.refresh(machine("m2", size=1), machine("m3"))
    assert await cloud.rows(MACHINES, "ref", "size") == [("m1", None), ("m2", 1), ("m3", None)]


async def test_update_only_neither_creates_nor_deletes(cloud: Cloud) -> None:
    await cloud.refresh(machine("m1"), machine("m2"))
    cloud.changes = {"update_only": True}
    await cloud.refresh(machine("m2", size=1), machine("m3"))
    assert await cloud.rows(MACHINES, "ref", "size") == [("m1", None), ("m2", 1)]


async def test_a_failure_in_a_later_collection_changes_nothing(cloud: Cloud) -> None:
    with pytest.raises(DBAPIError):
        await cloud.refresh(machine("m1"), disk("m1", "0", size=-1))
    assert await cloud.rows(MACHINES, "ref") == []


async def test_a_number_that_no_column_holds_is_refused_in_words(cloud: Cloud) -> None:
    with pytest.raises(UpdateFailed, match="machines 'm1': size is out of range"):
        await cloud.refresh(machine("m1", size=2**63))


async def test_an_unchanged_refresh_writes_nothing(cloud: Cloud) -> None:
    objects = (flavor("a", "b", cpus=2), machine("m1", flavor=("a", "b"), size=1), disk("m1", "0", size=1))
    await cloud.refresh(*objects)
    assert total(await cloud.refresh(*objects)) == 0


async def test_a_collection_of_nothing_but_links_to_itself_is_saved(cloud: Cloud) -> None:
    cloud.changes = {"attributes": ("parent_id",), "links": {"parent_id": "machines"}}
    await cloud.refresh(machine("m1", parent="m2"), machine("m2"))
    ids = dict(await cloud.rows(MACHINES, "ref", "id"))
    assert dict(await cloud.rows(MACHINES, "ref", "parent_id")) == {"m1": ids["m2"], "m2": None}
