"""Targeted refreshes: what was asked for and its parts are compared, everything else is left alone."""

import pytest
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


async def test_a_targeted_host_is_updated_and_the_others_stay(world: World) -> None:
    # Given two hosts, when one of them is asked for and delivered with its parts, then only it changes.
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


async def test_a_target_gives_the_rows_that_a_full_refresh_gives(world: World) -> None:
    await deliver(world, *CLOUD)
    before = await world.row_versions()
    again = (host("a", "i-a", {"v": 1}), group("web"), member("web", "a"), disk("a1", "a"), disk("a2", "a"))
    counts = await deliver(world, *again, targets=[A])
    assert written(counts) == 0
    assert await world.row_versions() == before


async def test_a_target_that_is_not_in_the_database_yet_is_made(world: World) -> None:
    await deliver(world, *CLOUD)
    await deliver(world, host("new", "i-new"), disk("n1", "new"), targets=[named("hosts", instance_id="i-new")])
    assert set(await world.hosts()) == {"a", "b", "new"}
    assert (await disks(world))["n1"][0] == "new"


@pytest.mark.parametrize("target", [A, named("hosts", instance_id="i-a")], ids=["by name", "by instance id"])
async def test_a_target_that_is_gone_at_the_provider_goes_with_its_parts(
    world: World, target: tuple[str, dict[str, str]]
) -> None:
    # Given two hosts, when one is asked for and the provider knows nothing of it, then it and its disks go.
    await deliver(world, *CLOUD)
    counts = await deliver(world, targets=[target])
    assert await world.hosts() == {"b": {"v": 1}}
    assert set(await disks(world)) == {"b1", "b2"}
    assert await world.memberships() == {("web", "b")}
    assert counts["hosts"].deleted == 1


async def test_the_guard_has_no_part_in_a_target(world: World) -> None:
    names = [f"h{number}" for number in range(30)]
    await deliver(world, *(host(name) for name in names))
    await deliver(world, targets=[named("hosts", name=name) for name in names])
    assert await world.hosts() == {}


async def test_a_target_nobody_knows_changes_nothing(world: World) -> None:
    await deliver(world, *CLOUD)
    before = await world.row_versions()
    await deliver(world, targets=[named("hosts", name="nobody")])
    assert await world.row_versions() == before


async def test_parts_that_a_target_has_lost_go(world: World) -> None:
    await deliver(world, *CLOUD)
    counts = await deliver(world, host("a", "i-a", {"v": 1}), disk("a1", "a"), targets=[A])
    assert set(await disks(world)) == {"a1", "b1", "b2"}
    assert await world.memberships() == {("web", "b")}
    assert (counts["disks"].deleted, counts["memberships"].deleted) == (1, 1)


async def test_a_group_that_came_along_is_neither_emptied_nor_deleted(world: World) -> None:
    # Given a group of two, when one host is asked for, then the other stays a member; and no group goes by a host.
    await deliver(world, *CLOUD, group("empty"))
    await deliver(world, host("a", "i-a"), group("web"), member("web", "a"), disk("a1", "a"), targets=[A])
    assert await world.memberships() == {("web", "a"), ("web", "b")}
    assert set(await world.groups()) == {"empty", "web"}


async def test_a_targeted_group_loses_the_members_that_are_not_delivered(world: World) -> None:
    await deliver(world, *CLOUD)
    await deliver(world, group("web"), member("web", "a"), targets=[named("groups", name="web")])
    assert await world.memberships() == {("web", "a")}
    assert set(await world.hosts()) == {"a", "b"}


async def test_a_disk_delivered_under_another_host_is_moved(world: World) -> None:
    # Given a disk of a, when b is asked for and has it, then the row moves; it is not deleted and made anew.
    await deliver(world, *CLOUD)
    counts = await deliver(
        world, host("b", "i-b"), disk("b1", "b"), disk("b2", "b"), disk("a1", "b"), targets=[named("hosts", name="b")]
    )
    assert (await disks(world))["a1"] == ("b", 1)
    assert (counts["disks"].created, counts["disks"].updated, counts["disks"].deleted) == (0, 1, 0)


async def test_a_disk_by_itself_can_be_asked_for(world: World) -> None:
    await deliver(world, *CLOUD)
    await deliver(world, disk("a1", "a", 7), targets=[named("disks", ref="a1"), named("disks", ref="b2")])
    assert await disks(world) == {"a1": ("a", 7), "a2": ("a", 1), "b1": ("b", 1)}


async def test_a_host_that_another_source_has_stays_without_what_this_one_said(world: World) -> None:
    await world.refresh(document({"a": {"theirs": 1}}), source="other")
    await deliver(world, host("a", variables={"ours": 1}))
    await deliver(world, targets=[A])
    assert await world.hosts() == {"a": {"theirs": 1}}


async def test_a_host_of_another_source_alone_is_never_deleted_by_a_target(world: World) -> None:
    await world.refresh(document(["a"]), source="other")
    await deliver(world, targets=[A])
    assert set(await world.hosts()) == {"a"}


async def test_a_host_made_by_hand_is_never_deleted_by_a_target(world: World) -> None:
    async with unit_of_work(world.factory) as session:
        await make_host(session, "a", inventory=await session.get_one(Inventory, world.inventory_id))
    await deliver(world, host("a"))
    await deliver(world, targets=[A])
    assert set(await world.hosts()) == {"a"}


async def test_without_overwrite_a_target_leaves_hosts_and_takes_their_disks(world: World) -> None:
    await deliver(world, *CLOUD)
    await deliver(world, host("a", "i-a"), targets=[A, named("hosts", name="b")], delete=False)
    assert set(await world.hosts()) == {"a", "b"}
    assert set(await disks(world)) == set()


async def test_the_variables_of_the_inventory_are_left_alone_by_a_target(world: World) -> None:
    await world.refresh(document(["a"], inventory={"dns": "x"}))

    await deliver(
        world, host("a"), lambda persister: persister.inventory.build(id=world.inventory_id, variables={}), targets=[A]
    )
    assert (await world.inventory()).variables == {"dns": "x"}


async def test_a_targeted_host_that_was_renamed_keeps_its_row(world: World) -> None:
    await deliver(world, *CLOUD)
    row = await world.host("a")
    await deliver(world, host("a2", "i-a"), disk("a1", "a2"), targets=[named("hosts", instance_id="i-a")])
    assert (await world.host("a2")).id == row.id
    assert set(await world.hosts()) == {"a2", "b"}


async def test_a_host_whose_name_was_given_away_stays_until_it_is_asked_for(world: World) -> None:
    # Given two hosts that swapped names, when one is asked for by its id, then nothing tells that the other is gone.
    await deliver(world, *CLOUD)
    await deliver(world, host("b", "i-a"), targets=[named("hosts", instance_id="i-a")])
    assert set(await world.hosts()) == {"a", "b"}
    await deliver(world, host("a", "i-b"), targets=[named("hosts", instance_id="i-b")])
    assert (await world.host("a")).instance_id == "i-b"
    assert (await world.host("b")).instance_id == "i-a"


async def test_what_a_host_links_to_is_updated_and_never_deleted_by_it(world: World) -> None:
    await deliver(world, thing("flavors", "small", cpus=1), thing("flavors", "big", cpus=8), host("a", flavor="small"))
    await deliver(world, thing("flavors", "big", cpus=16), host("a", flavor="big"), targets=[A])
    async with world.factory() as session:
        flavors = await session.execute(
            text(f"SELECT ref, cpus FROM flavors WHERE inventory_id = {world.inventory_id}")
        )
        assert {row.ref: row.cpus for row in flavors} == {"small": 1, "big": 16}


async def test_parts_of_a_host_that_came_along_are_compared_too(world: World) -> None:
    # Whoever delivers a host delivers its disks: of a stream of changes nothing is asked for by name.
    await deliver(world, *CLOUD)
    await deliver(world, host("a", "i-a"), disk("a1", "a"), port("p", "a"), targets=[])
    assert set(await disks(world)) == {"a1", "b1", "b2"}


async def test_a_target_of_an_unknown_collection_is_refused(world: World) -> None:
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
async def test_a_target_by_what_identifies_nothing_is_refused(
    world: World, target: tuple[str, dict[str, str]], reason: str
) -> None:
    with pytest.raises(UpdateFailed, match=reason):
        await deliver(world, host("a"), targets=[target])
    assert await world.hosts() == {}
