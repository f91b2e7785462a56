"""Versions: what was collected later wins, in whatever order refreshes of a source are saved."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv.refresh.counts import Counts
from craton_inv.refresh.target import Target
from tests.refresh.deliveries import Make, deliver, disk, disks, group, host, member, named, thing
from tests.refresh.world import World, written

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
A = named("hosts", name="a")


def at(minute: int) -> datetime:
    """A moment of collection."""
    return NOON + timedelta(minutes=minute)


async def full(world: World, minute: int, *make: Make, newest_full: int | None = None) -> dict[str, Counts]:
    """A full refresh that began then."""
    whole = None if newest_full is None else at(newest_full)
    return await deliver(world, *make, version=at(minute), newest_full=whole, force_delete=True)


async def target(world: World, minute: int, *make: Make, targets: Any = (A,), **options: Any) -> dict[str, Counts]:
    """A targeted refresh that began then."""
    return await deliver(world, *make, targets=targets, version=at(minute), **options)


async def test_given_a_later_target_when_an_earlier_full_refresh_is_saved_after_it_then_the_target_s_word_stays(
    world: World,
) -> None:
    await full(world, 1, host("a", variables={"v": 1}), host("b", variables={"v": 1}))
    await target(world, 3, host("a", variables={"v": 3}))

    counts = await full(world, 2, host("a", variables={"v": 2}), host("b", variables={"v": 2}))

    assert await world.hosts() == {"a": {"v": 3}, "b": {"v": 2}}
    assert counts["hosts"].overtaken == 1


async def test_given_what_a_later_target_made_when_an_earlier_full_refresh_lacks_it_then_it_stays(world: World) -> None:
    await full(world, 1, host("b"))
    await target(world, 3, host("a"), disk("d", "a"), group("g"), member("g", "a"))

    await full(world, 2, host("b"))

    assert set(await world.hosts()) == {"a", "b"}
    assert set(await disks(world)) == {"d"}
    assert await world.memberships() == {("g", "a")}


async def test_given_a_target_found_unchanged_when_an_earlier_full_refresh_differs_then_the_target_is_later(
    world: World,
) -> None:
    await full(world, 1, host("a", variables={"v": 1}))
    counts = await target(world, 3, host("a", variables={"v": 1}))
    assert written(counts) == 0

    await full(world, 2, host("a", variables={"v": 2}))

    assert await world.hosts() == {"a": {"v": 1}}


async def test_given_a_later_target_that_lost_parts_when_an_earlier_full_refresh_has_them_then_none_return(
    world: World,
) -> None:
    whole = (host("a"), group("g"), member("g", "a"), disk("d1", "a"), disk("d2", "a"))
    await full(world, 1, *whole)
    await target(world, 3, host("a"), disk("d2", "a"), disk("d3", "a"))

    await full(world, 2, *whole)

    assert set(await disks(world)) == {"d2", "d3"}
    assert await world.memberships() == set()


async def test_given_a_disk_moved_by_a_later_target_when_an_earlier_full_refresh_is_saved_then_it_stays_moved(
    world: World,
) -> None:
    before = (host("a"), host("b"), disk("d", "a"))
    await full(world, 1, *before)
    await target(world, 3, host("b"), disk("d", "b"), targets=[named("hosts", name="b")])

    await full(world, 2, *before)

    assert (await disks(world))["d"][0] == "b"


async def test_given_a_host_renamed_by_a_later_target_when_an_earlier_full_refresh_is_saved_then_it_keeps_its_name(
    world: World,
) -> None:
    await full(world, 1, host("old", "i-1"))
    await target(world, 3, host("new", "i-1"), targets=[named("hosts", instance_id="i-1")])

    await full(world, 2, host("old", "i-1"))

    assert set(await world.hosts()) == {"new"}


async def test_given_a_later_target_when_earlier_targets_are_saved_after_it_then_they_change_nothing(
    world: World,
) -> None:
    await target(world, 3, host("a", variables={"v": 3}))
    await target(world, 2, host("a", variables={"v": 2}))

    await target(world, 1)

    assert await world.hosts() == {"a": {"v": 3}}


async def test_given_a_flavor_written_later_when_an_earlier_full_refresh_is_saved_then_it_stays(world: World) -> None:
    await full(world, 1, thing("flavors", "small", cpus=1))
    await target(world, 3, thing("flavors", "small", cpus=3), targets=[])

    await full(world, 2, thing("flavors", "small", cpus=2))

    async with world.engine.connect() as connection:
        query = text(f"SELECT cpus FROM flavors WHERE inventory_id = {world.inventory_id}")
        assert await connection.scalar(query) == 3


async def test_given_a_later_complete_refresh_when_an_earlier_one_is_saved_after_it_then_nothing_of_it_is_taken(
    world: World,
) -> None:
    await full(world, 3, host("a"))

    counts = await full(world, 2, host("b"), newest_full=3)

    assert set(await world.hosts()) == {"a"}
    assert counts["hosts"].overtaken == 1


async def test_given_an_equal_version_when_saved_again_then_nothing_is_written(world: World) -> None:
    await target(world, 3, host("a", variables={"v": 3}))

    counts = await target(world, 3, host("a", variables={"v": 3}))

    assert (written(counts), counts["hosts"].overtaken) == (0, 0)


async def test_given_nothing_changed_when_a_full_refresh_is_later_then_no_row_is_written_for_its_time(
    world: World,
) -> None:
    objects = (host("a"), disk("d", "a"), thing("flavors", "small"))

    await full(world, 1, *objects)

    before = await world.row_versions()
    assert written(await full(world, 2, *objects, newest_full=1)) == 0
    assert await world.row_versions() == before


async def test_given_a_caller_that_knows_of_nothing_newer_when_saved_then_no_look_is_taken(world: World) -> None:
    await target(world, 3, host("a", variables={"v": 3}))

    await target(world, 2, host("a", variables={"v": 2}), newest=at(1))

    assert await world.hosts() == {"a": {"v": 2}}


async def test_given_a_target_that_was_gone_later_when_an_earlier_full_refresh_has_it_then_it_is_not_brought_back(
    world: World,
) -> None:
    await full(world, 1, host("a"), host("b"))
    await target(world, 3)
    later = frozenset({Target.of(await world.source(), "hosts", {"name": "a"})})
    stale = (host("a"), host("b"))

    await deliver(world, *stale, version=at(2), later_targets=later)

    assert set(await world.hosts()) == {"b"}


NAMES = ("a", "b", "c")
Delivery = tuple[frozenset[str] | None, dict[str, int]]  # what was asked for, None for everything; values by host
_hosts = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 3))
_delivery = st.tuples(st.none() | st.frozensets(st.sampled_from(NAMES), min_size=1), _hosts)
_cases = st.lists(_delivery, min_size=1, max_size=5).flatmap(
    lambda made: st.tuples(st.just(made), st.permutations(range(len(made))))
)


def last_word(deliveries: list[Delivery]) -> dict[str, dict[str, int]]:
    """What the latest delivery says that says anything about a host; they are in the order of their collection."""
    state: dict[str, dict[str, int]] = {}
    for asked, hosts in deliveries:
        for name in NAMES if asked is None else asked | hosts.keys():
            if name in hosts:
                state[name] = {"v": hosts[name]}
            else:
                state.pop(name, None)
    return state


async def save_in_order(world: World, deliveries: list[Delivery], order: list[int]) -> None:
    """Save them as they arrive, each knowing what was saved before it."""
    source_id = await world.source()
    saved: list[int] = []
    for minute in order:
        asked, hosts = deliveries[minute]
        fulls = [other for other in saved if deliveries[other][0] is None]
        later = frozenset(
            Target.of(source_id, "hosts", {"name": name})
            for other in saved
            if other > minute
            for name in deliveries[other][0] or ()
        )
        await deliver(
            world,
            *(host(name, variables={"v": value}) for name, value in hosts.items()),
            targets=None if asked is None else [named("hosts", name=name) for name in asked],
            version=at(minute),
            newest_full=at(max(fulls)) if fulls else None,
            later_targets=later,
            force_delete=True,
        )
        saved.append(minute)


async def _converges(engine: AsyncEngine, deliveries: list[Delivery], order: list[int]) -> None:
    world = await World.make(engine)
    await save_in_order(world, deliveries, order)
    assert await world.hosts() == last_word(deliveries)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(case=_cases)
async def test_given_refreshes_of_one_source_when_saved_in_whatever_order_then_the_last_word_stays(
    refresh_engine: AsyncEngine, case: tuple[list[Delivery], list[int]]
) -> None:
    await _converges(refresh_engine, *case)


@pytest.mark.full
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(case=_cases)
async def test_given_many_refreshes_of_one_source_when_saved_in_whatever_order_then_the_last_word_stays(
    refresh_engine: AsyncEngine, case: tuple[list[Delivery], list[int]]
) -> None:
    await _converges(refresh_engine, *case)
