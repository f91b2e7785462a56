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


async def test_one_of_twenty_pages_fails_and_nothing_is_deleted(world: World) -> None:
    # Given 100 hosts, when one page of 20 is refused, then all hosts stay and what was read is updated.
    await deliver(world, *(host(name, variables={"v": 1}) for name in pages()))
    counts = await deliver(
        world, *(host(name, variables={"v": 2}) for name in pages(without=6)), incomplete={"hosts": LOST}
    )
    hosts = await world.hosts()
    assert set(hosts) == set(HOSTS)
    assert hosts["h000"] == {"v": 2}
    assert hosts["h030"] == {"v": 1}
    assert (counts["hosts"].updated, counts["hosts"].deleted) == (95, 0)


async def test_parts_of_what_was_read_partly_stay_and_the_rest_is_settled(world: World) -> None:
    # Given disks and memberships of hosts, when the hosts are read partly, then these stay; groups were read whole.
    await deliver(world, host("a"), host("b"), group("g"), group("old"), member("g", "b"), disk("d", "b"))
    await deliver(world, host("a"), group("g"), incomplete={"hosts": LOST})
    assert set(await world.hosts()) == {"a", "b"}
    assert await world.memberships() == {("g", "b")}
    assert set(await disks(world)) == {"d"}
    assert set(await world.groups()) == {"g"}


async def test_only_the_part_that_failed_keeps_everything(world: World) -> None:
    await deliver(world, host("a"), host("b"), disk("d1", "a"), disk("d2", "a"))
    await deliver(world, host("a"), disk("d1", "a"), incomplete={"disks": "timed out"})
    assert set(await world.hosts()) == {"a"}
    assert set(await disks(world)) == {"d1", "d2"}


async def test_half_a_list_said_to_be_whole_stops_at_the_guard(world: World) -> None:
    await deliver(world, *(host(name) for name in HOSTS))
    with pytest.raises(UpdateFailed, match="would delete 51 of 100 hosts"):
        await deliver(world, *(host(name) for name in HOSTS[:49]))
    assert set(await world.hosts()) == set(HOSTS)


async def test_an_empty_list_that_is_known_to_be_partial_is_no_empty_answer(world: World) -> None:
    await deliver(world, host("a"))
    counts = await deliver(world, incomplete={"hosts": LOST})
    assert set(await world.hosts()) == {"a"}
    assert counts["hosts"].deleted == 0


async def test_an_empty_answer_for_the_collections_that_were_read_whole_stops(world: World) -> None:
    await deliver(world, host("a"), group("g"))
    with pytest.raises(UpdateFailed, match="delivered nothing, but the inventory has 1 objects"):
        await deliver(world, host("a"), incomplete={"hosts": LOST})


async def test_a_target_that_was_read_partly_keeps_what_it_had(world: World) -> None:
    await deliver(world, host("a"), disk("d1", "a"), disk("d2", "a"))
    target = named("hosts", name="a")
    await deliver(world, host("a"), disk("d1", "a"), targets=[target], incomplete={"disks": "timed out"})
    assert set(await disks(world)) == {"d1", "d2"}
    await deliver(world, targets=[target], incomplete={"hosts": "timed out"})
    assert set(await world.hosts()) == {"a"}


def test_a_collector_joins_the_reasons_of_one_association() -> None:
    collector = Collector(Targets(1))
    collector.read_partly("hosts", "page 1")
    collector.read_partly("hosts", "page 2")
    collector.read_partly("hosts", "page 1")
    assert collector.incomplete == {"hosts": "page 1; page 2"}
