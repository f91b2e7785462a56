"""The saver on tables of the test's own: identities of several columns, links, cycles, attributes not sent."""

import asyncio

import pytest
from benchmarks.common import statement_counter
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, UniqueConstraint

from craton_inv.errors import UpdateFailed
from craton_inv.refresh.inventory_collection import InventoryCollection
from tests.refresh.cloud import DISKS, FLAVORS, MACHINES, Cloud, Make, disk, flavor, machine, total
from tests.refresh.world import World


async def test_given_a_new_row_when_it_does_not_send_an_attribute_then_that_takes_the_default_of_the_table(
    cloud: Cloud,
) -> None:
    await cloud.refresh(flavor("a", "b"))

    assert await cloud.rows(FLAVORS, "cpus") == [(1,)]


async def test_given_objects_in_any_order_when_saved_then_their_links_are_resolved(cloud: Cloud) -> None:
    await cloud.refresh(disk("m1", "0", size=5), machine("m1", flavor=("a", "b")), flavor("a", "b", cpus=4))

    [(machine_id, flavor_id)] = await cloud.rows(MACHINES, "id", "flavor_id")
    assert await cloud.rows(DISKS, "machine_id", "size") == [(machine_id, 5)]
    assert await cloud.rows(FLAVORS, "id", "cpus") == [(flavor_id, 4)]


async def test_given_machines_that_link_to_one_another_when_saved_then_a_second_pass_sets_their_links(
    cloud: Cloud,
) -> None:
    ring = (machine("m1", parent="m2"), machine("m2", parent="m1"))

    await cloud.refresh(*ring)

    ids = dict(await cloud.rows(MACHINES, "ref", "id"))
    assert dict(await cloud.rows(MACHINES, "ref", "parent_id")) == {"m1": ids["m2"], "m2": ids["m1"]}
    assert total(await cloud.refresh(*ring)) == 0


async def test_given_a_link_to_something_not_delivered_when_saved_then_it_is_null_and_counted(cloud: Cloud) -> None:
    counts = await cloud.refresh(machine("m1", flavor=("no", "such")), machine("m2"))

    assert counts["machines"].unconnected == 1
    assert await cloud.rows(MACHINES, "ref", "flavor_id") == [("m1", None), ("m2", None)]


async def test_given_an_identity_that_leads_nowhere_when_saved_then_its_object_is_counted_and_not_saved(
    cloud: Cloud,
) -> None:
    counts = await cloud.refresh(machine("m1"), disk("nowhere", "0"))

    assert (counts["disks"].created, counts["disks"].unconnected) == (0, 1)


async def test_given_a_dangling_link_when_refreshed_again_then_nothing_is_written(cloud: Cloud) -> None:
    objects = (machine("m1", flavor=("no", "such")),)

    await cloud.refresh(*objects)

    assert total(await cloud.refresh(*objects)) == 0


async def test_given_a_number_that_no_column_holds_when_delivered_then_it_is_refused_in_words(cloud: Cloud) -> None:
    with pytest.raises(UpdateFailed, match="machines 'm1': size is out of range"):
        await cloud.refresh(machine("m1", size=2**63))


async def test_given_a_collection_of_nothing_but_links_to_itself_when_saved_then_they_are_set(cloud: Cloud) -> None:
    cloud.changes = {"attributes": ("parent_id",), "links": {"parent_id": "machines"}}

    await cloud.refresh(machine("m1", parent="m2"), machine("m2"))

    ids = dict(await cloud.rows(MACHINES, "ref", "id"))
    assert dict(await cloud.rows(MACHINES, "ref", "parent_id")) == {"m1": ids["m2"], "m2": None}


async def test_given_updates_and_a_mass_deletion_when_the_guard_stops_it_then_the_updates_are_not_kept_either(
    cloud: Cloud,
) -> None:
    await cloud.refresh(*(machine(f"m{n}", size=1) for n in range(50)))

    with pytest.raises(UpdateFailed, match="would delete 30 of 50 machines"):
        await cloud.refresh(*(machine(f"m{n}", size=2) for n in range(20)), machine("new"), force_delete=False)

    assert set((await cloud.by_ref("size")).values()) == {1}
    assert len(await cloud.by_ref("id")) == 50


async def test_given_two_runs_that_insert_the_same_at_once_when_saved_then_each_row_is_counted_as_created_once(
    cloud: Cloud,
) -> None:
    objects = [machine(f"m{n}", size=1) for n in range(300)]

    counts = await asyncio.gather(*(cloud.stream(*objects, delete=False) for _ in range(2)))

    assert sum(each["machines"].created for each in counts) == 300
    assert sum(each["machines"].updated for each in counts) == 0


async def test_given_links_of_every_kind_when_there_are_many_more_then_the_statements_are_as_many(
    cloud: Cloud, world: World
) -> None:
    def delivery(count: int) -> list[Make]:
        machines = [machine(f"m{n}", uuid=f"u{n}", flavor=("a", f"b{n}"), parent=f"m{n + 1}") for n in range(count)]
        return [*machines, *(disk(f"m{n}", "0") for n in range(count)), *(flavor("a", f"b{n}") for n in range(count))]

    counted = []
    for count in (3, 300):
        each = Cloud(cloud.engine, await world.source(f"of {count}"))
        with statement_counter(cloud.engine) as statements:
            await each.refresh(*delivery(count))
        counted.append(statements.count)

    assert counted[0] == counted[1]


def test_given_two_unique_constraints_over_the_identity_when_declared_then_the_shorter_one_counts() -> None:
    made = Table(
        "t",
        MetaData(),
        Column("id", BigInteger, primary_key=True),
        Column("tenant_id", BigInteger, nullable=False),
        Column("source_id", BigInteger, nullable=False),
        Column("ref", Text, nullable=False),
        UniqueConstraint("tenant_id", "source_id", "ref"),
        UniqueConstraint("source_id", "ref"),
    )

    collection = InventoryCollection("t", made, ("ref",), scope=("tenant_id", "source_id"))

    assert collection.conflict_columns == ("source_id", "ref")
