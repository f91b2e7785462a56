"""From the asks to the end of a run: targets, hooks, who waits for it, and how it ends.

How asks are split, merged, counted and put in a row is in `tests/jobs/test_refresh_targets.py`, events in
`tests/api/v2/test_refreshes.py`, and a run whose worker dies in `tests/faults`.
"""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv.errors import UpdateFailed
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.saving import SaveOptions
from craton_inv.refresh.target import Target, Targets
from craton_inv.services.refresh_queue import SourceTarget
from tests.jobs.cloud import Cloud, objects, queue, refresh_all, sizes, source_of
from tests.jobs.updates import Updates
from tests.refresh.deliveries import ListParser, deliver, host
from tests.refresh.racks import RACKS, SOURCE, WHOLE, names, refresh
from tests.refresh.world import World


class Hooked(Refresher):
    """Notes its steps; asks for one rack more."""

    steps: list[str]

    async def before(self) -> None:
        """First of all."""
        type(self).steps = ["before"]

    async def before_targets(self, targets: Targets) -> Targets:
        """One more."""
        self.steps.append("before targets")
        return targets.including(Target.of(SOURCE, "racks", {"room": "r2", "name": "b"}))

    async def collect(self) -> None:
        """Overridden, as every step may be."""
        self.steps.append(f"collect {len(self.collector.targets.items)}")
        await super().collect()

    async def after_targets(self, targets: Targets, counts: dict[str, Counts]) -> None:
        """In the transaction."""
        self.steps.append(f"after targets {counts['racks'].deleted}")

    async def after(self, counts: dict[str, Counts]) -> None:
        """Last."""
        self.steps.append("after")


@pytest.mark.usefixtures("rack_tables")
async def test_given_hooks_when_targets_are_refreshed_then_they_run_in_their_order_and_may_add_some(
    refresh_engine: AsyncEngine,
) -> None:
    await refresh(refresh_engine, **WHOLE)

    await refresh(refresh_engine, [("racks", {"room": "r1", "name": "a"})], refresher=Hooked)

    assert Hooked.steps == ["before", "before targets", "collect 2", "after targets 2", "after"]


@pytest.mark.usefixtures("rack_tables")
async def test_given_hooks_when_the_whole_source_is_refreshed_then_those_of_targets_do_not_run(
    refresh_engine: AsyncEngine,
) -> None:
    await refresh(refresh_engine, refresher=Hooked, **WHOLE)

    assert Hooked.steps == ["before", "collect 0", "after"]


def test_given_targets_written_in_another_order_when_compared_then_they_are_equal_and_stay_paired() -> None:
    one = Target.of(1, "racks", {"room": "r", "name": "a"})
    other = Target.of(1, "racks", {"name": "a", "room": "r"})
    assert {one, other} == {one}
    targets = Targets(1, frozenset({one, Target.of(1, "racks", {"name": "z"})}))
    assert targets.references("racks", "room", "name") == {("r", "a")}
    assert targets.values("racks", "name") == {"z"}
    assert targets.references("racks") == {("a", "r"), ("z",)}
    assert not targets.references("slots")


class Failing(Refresher):
    """Fails once everything is saved."""

    async def after(self, counts: dict[str, Counts]) -> None:
        """In the transaction."""
        raise UpdateFailed(f"after {counts['racks'].created} racks")


@pytest.mark.usefixtures("rack_tables")
async def test_given_a_hook_that_fails_once_all_is_saved_when_refreshed_then_nothing_is_kept(
    refresh_engine: AsyncEngine,
) -> None:
    with pytest.raises(UpdateFailed, match="after 4 racks"):
        await refresh(refresh_engine, refresher=Failing, **WHOLE)

    assert await names(refresh_engine, RACKS, "name") == []


class Widening(Collector):
    """Finds out that what is asked for concerns another host as well."""

    async def collect(self) -> None:
        """As a provider's answer tells."""
        self.add_target("hosts", name="b")


async def test_given_a_collector_that_adds_a_target_when_saved_then_that_is_compared_too(world: World) -> None:
    await deliver(world, host("a"), host("b"), host("c"))
    asked = Targets(await world.source(), frozenset({Target.of(await world.source(), "hosts", {"name": "a"})}))
    persister = InventoryPersister(world.inventory_id)
    refresher = Refresher(Widening(asked), ListParser(persister, [host("a")]), persister)

    await refresher.gather()
    async with world.engine.begin() as connection:
        scope = {"inventory_id": world.inventory_id, "tenant_id": world.tenant_id}
        await refresher.save(connection, SaveOptions(await world.source(), scope, delete=True))
    await refresher.close()

    assert set(await world.hosts()) == {"a", "c"}


async def test_given_several_asks_merged_into_one_run_when_it_ends_then_each_finds_it_with_all_that_was_asked(
    updates: Updates, provider: Cloud
) -> None:
    source_id = await source_of(updates)
    await refresh_all(updates, source_id)
    provider.machines = {"a": 2, "b": 2, "c": 2}

    asked = [(await queue(updates, *objects(source_id, *those)))[0] for those in ("a", "b", "ab")]
    await updates.work(asked[0])

    assert len(set(asked)) == 1
    assert (await updates.update(asked[2])).status == "successful"
    assert await sizes(updates) == {"a": 2, "b": 2, "c": 1}


async def test_given_a_run_that_waits_for_two_asks_when_the_whole_source_is_asked_for_then_all_wait_for_one(
    updates: Updates, provider: Cloud
) -> None:
    source_id = await source_of(updates)

    first, second = await queue(updates, *objects(source_id, "a")), await queue(updates, SourceTarget(source_id))
    row = await updates.work(first[0])

    assert first == second
    assert (row.kind, row.status) == ("full", "successful")
    assert await sizes(updates) == {"a": 1, "b": 1, "c": 1}


async def test_given_a_run_that_failed_when_the_next_one_succeeds_then_run_and_source_tell_each_end(
    updates: Updates, provider: Cloud
) -> None:
    source_id = await source_of(updates)
    provider.faults = [UpdateFailed("the key is wrong")]
    [failed] = await queue(updates, SourceTarget(source_id))
    row, source = await updates.work(failed), await updates.source()
    told = (row.status, row.job_explanation, source.status, source.last_error)

    [again] = await queue(updates, SourceTarget(source_id))
    await updates.work(again)

    assert told == ("failed", "the key is wrong", "failed", "the key is wrong")
    after = await updates.source()
    assert (after.status, after.last_error, after.last_update_id) == ("successful", "", again)
    assert (await updates.update(failed)).job_explanation == "the key is wrong"
    assert source.last_updated is not None
    assert after.last_updated is not None
    assert after.last_updated > source.last_updated


async def test_given_sources_of_which_one_fails_when_both_are_refreshed_then_the_other_is_not_held_up(
    updates: Updates, provider: Cloud
) -> None:
    first, second = await source_of(updates), await source_of(updates, "second")
    provider.faults = [UpdateFailed("the key is wrong")]
    ids = await queue(updates, SourceTarget(first), SourceTarget(second))

    ended = [(await updates.work(update_id)).status for update_id in ids]

    assert ended == ["failed", "successful"]
    assert await sizes(updates) == {"a": 1, "b": 1, "c": 1}
