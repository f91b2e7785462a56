"""Targeted refreshes: what was asked for and its parts are compared, everything else is left alone."""

import pytest
from benchmarks.common import statement_counter
from sqlalchemy import text

from craton_inv.db.session import unit_of_work
from craton_inv.errors import UpdateFailed
from craton_inv.models import Inventory
from tests.factories import make_host
from tests.refresh.deliveries import deliver, disk, disks, group, host, member, named, port, thing
from tests.refresh.world import World, document, written

CLOUD = (
    group("web"),
    *(make for name in ("a", "b") for make in (host(name, f"i-{name}", {"v": 1}), member("web", name))),
    *(disk(f"{name}{number}", name) for name in ("a", "b") for number in (1, 2)),
)
A = named("hosts", name="a")


async def test_given_two_hosts_when_one_is_asked_for_then_only_it_changes(world: World) -> None:
    await deliver(world, *CLOUD)

    await deliver(
        world,
        host("a", "i-a", {"v": 2}),
        group("web"),
        member("web", "a"),
        disk("a1", "a"),
        disk("a2", "a"),
        targets=[A],
    )

    assert await world.hosts() == {"a": {"v": 2}, "b": {"v": 1}}
    assert await world.memberships() == {("web", "a"), ("web", "b")}
    assert set(await disks(world)) == {"a1", "a2", "b1", "b2"}


async def test_given_a_full_refresh_when_one_of_its_hosts_is_asked_for_then_nothing_is_written(world: World) -> None:
    await deliver(world, *CLOUD)
    before = await world.row_versions()
    again = (host("a", "i-a", {"v": 1}), group("web"), member("web", "a"), disk("a1", "a"), disk("a2", "a"))

    counts = await deliver(world, *again, targets=[A])

    assert written(counts) == 0
    assert await world.row_versions() == before


async def test_given_a_host_that_is_not_saved_yet_when_asked_for_then_it_is_made_with_its_parts(world: World) -> None:
    await deliver(world, *CLOUD)

    await deliver(world, host("new", "i-new"), disk("n1", "new"), targets=[named("hosts", instance_id="i-new")])

    assert set(await world.hosts()) == {"a", "b", "new"}
    assert (await disks(world))["n1"][0] == "new"


@pytest.mark.parametrize("target", [A, named("hosts", instance_id="i-a")], ids=["by name", "by instance id"])
async def test_given_a_host_that_is_gone_at_the_provider_when_asked_for_then_it_goes_with_its_parts(
    world: World, target: tuple[str, dict[str, str]]
) -> None:
    await deliver(world, *CLOUD)

    counts = await deliver(world, targets=[target])

    assert await world.hosts() == {"b": {"v": 1}}
    assert set(await disks(world)) == {"b1", "b2"}
    assert await world.memberships() == {("web", "b")}
    assert counts["hosts"].deleted == 1


async def test_given_many_hosts_that_are_gone_when_each_is_asked_for_then_the_guard_has_no_part_in_it(
    world: World,
) -> None:
    names = [f"h{number}" for number in range(30)]
    await deliver(world, *(host(name) for name in names))

    await deliver(world, targets=[named("hosts", name=name) for name in names])

    assert await world.hosts() == {}


async def test_given_a_name_that_nobody_knows_when_asked_for_then_nothing_is_written(world: World) -> None:
    await deliver(world, *CLOUD)
    before = await world.row_versions()

    await deliver(world, targets=[named("hosts", name="nobody")])

    assert await world.row_versions() == before


async def test_given_a_host_that_lost_parts_when_asked_for_then_they_go_and_those_of_others_stay(world: World) -> None:
    await deliver(world, *CLOUD)

    counts = await deliver(world, host("a", "i-a", {"v": 1}), disk("a1", "a"), targets=[A])

    assert set(await disks(world)) == {"a1", "b1", "b2"}
    assert await world.memberships() == {("web", "b")}
    assert (counts["disks"].deleted, counts["memberships"].deleted) == (1, 1)


async def test_given_a_group_of_two_when_one_host_is_asked_for_then_the_group_is_neither_emptied_nor_deleted(
    world: World,
) -> None:
    await deliver(world, *CLOUD, group("empty"))

    await deliver(world, host("a", "i-a"), group("web"), member("web", "a"), disk("a1", "a"), targets=[A])

    assert await world.memberships() == {("web", "a"), ("web", "b")}
    assert set(await world.groups()) == {"empty", "web"}


async def test_given_a_group_of_two_when_the_group_is_asked_for_then_members_not_delivered_leave_it(
    world: World,
) -> None:
    await deliver(world, *CLOUD)

    await deliver(world, group("web"), member("web", "a"), targets=[named("groups", name="web")])

    assert await world.memberships() == {("web", "a")}
    assert set(await world.hosts()) == {"a", "b"}


async def test_given_a_disk_that_moved_when_its_new_host_is_asked_for_then_its_row_moves_and_is_not_made_anew(
    world: World,
) -> None:
    await deliver(world, *CLOUD)

    counts = await deliver(
        world, host("b", "i-b"), disk("b1", "b"), disk("b2", "b"), disk("a1", "b"), targets=[named("hosts", name="b")]
    )

    assert (await disks(world))["a1"] == ("b", 1)
    assert (counts["disks"].created, counts["disks"].updated, counts["disks"].deleted) == (0, 1, 0)


async def test_given_disks_of_two_hosts_when_two_disks_are_asked_for_then_no_other_is_looked_at(world: World) -> None:
    await deliver(world, *CLOUD)

    await deliver(world, disk("a1", "a", 7), targets=[named("disks", ref="a1"), named("disks", ref="b2")])

    assert await disks(world) == {"a1": ("a", 7), "a2": ("a", 1), "b1": ("b", 1)}


async def test_given_a_host_of_two_sources_when_it_is_gone_at_one_then_only_what_that_one_said_goes(
    world: World,
) -> None:
    await world.refresh(document({"a": {"theirs": 1}}), source="other")
    await deliver(world, host("a", variables={"ours": 1}))

    await deliver(world, targets=[A])

    assert await world.hosts() == {"a": {"theirs": 1}}


async def test_given_a_host_of_another_source_when_asked_for_here_then_it_stays(world: World) -> None:
    await world.refresh(document(["a"]), source="other")

    await deliver(world, targets=[A])

    assert set(await world.hosts()) == {"a"}


async def test_given_a_host_made_by_hand_when_it_is_gone_at_the_provider_then_it_stays(world: World) -> None:
    async with unit_of_work(world.factory) as session:
        await make_host(session, "a", inventory=await session.get_one(Inventory, world.inventory_id))
    await deliver(world, host("a"))

    await deliver(world, targets=[A])

    assert set(await world.hosts()) == {"a"}


async def test_given_no_overwrite_when_hosts_are_gone_then_they_stay_and_what_the_source_owns_alone_goes(
    world: World,
) -> None:
    await deliver(world, *CLOUD)

    await deliver(world, host("a", "i-a"), targets=[A, named("hosts", name="b")], delete=False)

    assert set(await world.hosts()) == {"a", "b"}
    assert set(await disks(world)) == set()


async def test_given_variables_of_the_inventory_when_a_host_is_asked_for_then_they_are_left_alone(world: World) -> None:
    await world.refresh(document(["a"], inventory={"dns": "x"}))

    await deliver(
        world, host("a"), lambda persister: persister.inventory.build(id=world.inventory_id, variables={}), targets=[A]
    )

    assert (await world.inventory()).variables == {"dns": "x"}


async def test_given_a_host_that_was_renamed_when_asked_for_by_its_id_then_it_keeps_its_row(world: World) -> None:
    await deliver(world, *CLOUD)
    row = await world.host("a")

    await deliver(world, host("a2", "i-a"), disk("a1", "a2"), targets=[named("hosts", instance_id="i-a")])

    assert (await world.host("a2")).id == row.id
    assert set(await world.hosts()) == {"a2", "b"}


async def test_given_hosts_that_swapped_names_when_one_is_asked_for_then_the_other_stays_until_it_is_asked_for(
    world: World,
) -> None:
    await deliver(world, *CLOUD)
    await deliver(world, host("b", "i-a"), targets=[named("hosts", instance_id="i-a")])
    assert set(await world.hosts()) == {"a", "b"}

    await deliver(world, host("a", "i-b"), targets=[named("hosts", instance_id="i-b")])

    assert (await world.host("a")).instance_id == "i-b"
    assert (await world.host("b")).instance_id == "i-a"


async def test_given_flavors_when_a_host_is_asked_for_then_its_own_is_updated_and_none_is_deleted(world: World) -> None:
    await deliver(world, thing("flavors", "small", cpus=1), thing("flavors", "big", cpus=8), host("a", flavor="small"))

    await deliver(world, thing("flavors", "big", cpus=16), host("a", flavor="big"), targets=[A])

    async with world.factory() as session:
        flavors = await session.execute(
            text(f"SELECT ref, cpus FROM flavors WHERE inventory_id = {world.inventory_id}")
        )
        assert {row.ref: row.cpus for row in flavors} == {"small": 1, "big": 16}


async def test_given_a_stream_of_changes_when_a_host_comes_then_its_parts_are_compared_too(world: World) -> None:
    # Whoever delivers a host delivers its disks: of a stream of changes nothing is asked for by name.
    await deliver(world, *CLOUD)

    await deliver(world, host("a", "i-a"), disk("a1", "a"), port("p", "a"), targets=[])

    assert set(await disks(world)) == {"a1", "b1", "b2"}


async def test_given_a_target_of_an_unknown_collection_when_saved_then_it_is_refused_by_name(world: World) -> None:
    await deliver(world, *CLOUD)

    with pytest.raises(UpdateFailed, match="names planets, which this source does not deliver"):
        await deliver(world, targets=[named("planets", name="x")])


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (named("hosts", colour="red"), "names one of hosts by colour; they are known by name or instance_id"),
        (named("hosts", name="a", instance_id="i-a"), "by instance_id and name"),
        (named("memberships", host_id="1"), "they cannot be named by themselves"),
    ],
)
async def test_given_a_target_by_what_identifies_nothing_when_saved_then_the_ways_are_told(
    world: World, target: tuple[str, dict[str, str]], reason: str
) -> None:
    with pytest.raises(UpdateFailed, match=reason):
        await deliver(world, host("a"), targets=[target])

    assert await world.hosts() == {}


async def test_given_a_delivery_of_a_flavor_alone_when_saved_then_nothing_is_asked_of_hosts_and_their_parts(
    world: World,
) -> None:
    await deliver(world, *CLOUD, thing("flavors", "small", cpus=1))

    with statement_counter(world.engine) as statements:
        await deliver(world, thing("flavors", "small", cpus=2), targets=[])

    assert [sql for sql in statements.texts if '"hosts"' in sql or '"disks"' in sql or '"memberships"' in sql] == []
    assert [sql for sql in statements.texts if '"flavors"' in sql]


async def test_given_an_empty_delivery_that_nobody_asked_for_when_saved_then_no_table_of_objects_is_touched(
    world: World,
) -> None:
    await deliver(world, *CLOUD)
    before = await world.row_versions()

    with statement_counter(world.engine) as statements:
        await deliver(world, targets=[])

    assert [sql for sql in statements.texts if '"hosts"' in sql or '"disks"' in sql or '"groups"' in sql] == []
    assert await world.row_versions() == before
