"""Collections that were read only partly: what was read is saved, nothing of them or of their parts is deleted."""

import pytest

from craton_inv.errors import UpdateFailed
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.target import Targets
from tests.refresh.deliveries import deliver, disk, disks, group, host, member, named
from tests.refresh.world import World

PAGE = 5
HOSTS = [f"h{number:03}" for number in range(20 * PAGE)]
LOST = "page 7 of 20: 403 Forbidden"


def pages(*, without: int | None = None) -> list[str]:
    """Names of all pages but one."""
    return [name for number, name in enumerate(HOSTS) if number // PAGE != without]


async def test_given_a_hundred_hosts_when_one_page_of_twenty_is_refused_then_none_goes_and_the_rest_is_updated(
    world: World,
) -> None:
    await deliver(world, *(host(name, variables={"v": 1}) for name in pages()))

    counts = await deliver(
        world, *(host(name, variables={"v": 2}) for name in pages(without=6)), incomplete={"hosts": LOST}
    )

    hosts = await world.hosts()
    assert set(hosts) == set(HOSTS)
    assert hosts["h000"] == {"v": 2}
    assert hosts["h030"] == {"v": 1}
    assert (counts["hosts"].updated, counts["hosts"].deleted) == (95, 0)


async def test_given_hosts_read_partly_when_saved_then_their_parts_stay_and_groups_read_whole_are_settled(
    world: World,
) -> None:
    await deliver(world, host("a"), host("b"), group("g"), group("old"), member("g", "b"), disk("d", "b"))

    await deliver(world, host("a"), group("g"), incomplete={"hosts": LOST})

    assert set(await world.hosts()) == {"a", "b"}
    assert await world.memberships() == {("g", "b")}
    assert set(await disks(world)) == {"d"}
    assert set(await world.groups()) == {"g"}


async def test_given_disks_read_partly_when_saved_then_disks_stay_and_hosts_are_settled(world: World) -> None:
    await deliver(world, host("a"), host("b"), disk("d1", "a"), disk("d2", "a"))

    await deliver(world, host("a"), disk("d1", "a"), incomplete={"disks": "timed out"})

    assert set(await world.hosts()) == {"a"}
    assert set(await disks(world)) == {"d1", "d2"}


async def test_given_half_a_list_said_to_be_whole_when_saved_then_the_guard_stops_it(world: World) -> None:
    await deliver(world, *(host(name) for name in HOSTS))

    with pytest.raises(UpdateFailed, match="would delete 51 of 100 hosts"):
        await deliver(world, *(host(name) for name in HOSTS[:49]))

    assert set(await world.hosts()) == set(HOSTS)


async def test_given_nothing_read_and_that_known_when_saved_then_it_is_no_empty_answer(world: World) -> None:
    await deliver(world, host("a"))

    counts = await deliver(world, incomplete={"hosts": LOST})

    assert set(await world.hosts()) == {"a"}
    assert counts["hosts"].deleted == 0


async def test_given_an_empty_answer_for_what_was_read_whole_when_saved_then_it_stops(world: World) -> None:
    await deliver(world, host("a"), group("g"))

    with pytest.raises(UpdateFailed, match="delivered nothing, but the inventory has 1 objects"):
        await deliver(world, host("a"), incomplete={"hosts": LOST})


async def test_given_a_target_read_partly_when_saved_then_it_keeps_what_it_had(world: World) -> None:
    await deliver(world, host("a"), disk("d1", "a"), disk("d2", "a"))
    target = named("hosts", name="a")
    await deliver(world, host("a"), disk("d1", "a"), targets=[target], incomplete={"disks": "timed out"})
    assert set(await disks(world)) == {"d1", "d2"}

    await deliver(world, targets=[target], incomplete={"hosts": "timed out"})

    assert set(await world.hosts()) == {"a"}


def test_given_two_reasons_for_one_association_when_told_then_they_are_joined_once() -> None:
    collector = Collector(Targets(1))
    collector.read_partly("hosts", "page 1")
    collector.read_partly("hosts", "page 2")

    collector.read_partly("hosts", "page 1")

    assert collector.incomplete == {"hosts": "page 1; page 2"}
