"""Updates of single objects as the worker runs them, and what the queue makes of many asks."""

import asyncio
import random
from typing import Any

import pytest
from sqlalchemy import func, select, update

from craton_inv.db.session import unit_of_work
from craton_inv.errors import InvalidField, MethodNotAllowed, TransientError
from craton_inv.jobs.refresh import refresh
from craton_inv.models import InventoryUpdate, InventoryUpdateTarget, Job
from craton_inv.providers import registry
from craton_inv.queue import jobs
from craton_inv.services.refresh_queue import ObjectTarget, RefreshTarget, SourceTarget
from tests.jobs.cloud import Cloud, objects, queue, refresh_all, sizes, source_of
from tests.jobs.updates import Updates


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Three machines of size 1, found like any other kind."""
    made = Cloud(a=1, b=1, c=1)
    monkeypatch.setitem(registry.providers(), made.kind, made)
    return made


async def test_given_three_machines_when_two_are_asked_for_then_only_these_are_refreshed(
    updates: Updates, cloud: Cloud
) -> None:
    source_id = await source_of(updates)
    await refresh_all(updates, source_id)
    cloud.machines = {"a": 2, "b": 2, "c": 2}
    [update_id] = await queue(updates, *objects(source_id, "a", "b"))

    row = await updates.work(update_id)

    assert (row.status, row.kind, row.job_explanation) == ("successful", "targeted", "")
    assert await sizes(updates) == {"a": 2, "b": 2, "c": 1}


async def test_given_a_machine_that_is_gone_when_asked_for_then_it_goes_and_its_neighbours_stay(
    updates: Updates, cloud: Cloud
) -> None:
    source_id = await source_of(updates)
    await refresh_all(updates, source_id)
    cloud.machines = {}
    [update_id] = await queue(updates, *objects(source_id, "a"))

    row = await updates.work(update_id)

    assert (row.status, row.job_explanation) == ("successful", "")
    assert await sizes(updates) == {"b": 1, "c": 1}


async def test_given_a_machine_that_is_not_in_the_database_when_asked_for_then_it_appears(
    updates: Updates, cloud: Cloud
) -> None:
    source_id = await source_of(updates)
    cloud.machines["new"] = 7
    [update_id] = await queue(updates, *objects(source_id, "new"))

    await updates.work(update_id)

    assert await sizes(updates) == {"new": 7}


async def test_given_objects_of_two_sources_when_asked_for_at_once_then_each_source_gets_its_own_run(
    updates: Updates, cloud: Cloud
) -> None:
    first, second = await source_of(updates), await source_of(updates, "second")

    ids = await queue(updates, *objects(second, "b"), *objects(first, "a", "c"))

    for update_id in ids:
        await updates.work(update_id)
    assert cloud.asked == [{"a", "c"}, {"b"}]


async def test_given_objects_and_their_source_when_asked_for_at_once_then_the_source_swallows_them(
    updates: Updates, cloud: Cloud
) -> None:
    source_id = await source_of(updates)
    [update_id] = await queue(updates, *objects(source_id, "a"), SourceTarget(source_id), *objects(source_id, "b"))
    assert (await updates.update(update_id)).kind == "full"

    await updates.work(update_id)

    assert await sizes(updates) == {"a": 1, "b": 1, "c": 1}


async def test_given_fifty_thousand_asks_for_one_object_when_queued_then_they_are_one_row(
    updates: Updates, cloud: Cloud
) -> None:
    source_id = await source_of(updates)

    [update_id] = await queue(updates, *(objects(source_id, "a") * 50_000))

    async with updates.world.factory() as session:
        own = InventoryUpdateTarget.inventory_update_id == update_id
        rows = await session.scalars(select(InventoryUpdateTarget.manager_ref).where(own))
        assert rows.all() == [{"name": "a"}]
    assert (await updates.update(update_id)).kind == "targeted"


@pytest.mark.parametrize(("provider_s", "kind"), [(None, "full"), (5, "targeted"), (0, "full")])
async def test_given_a_provider_s_own_threshold_when_more_are_asked_for_then_the_whole_source_is(
    updates: Updates, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, provider_s: int | None, kind: str
) -> None:
    monkeypatch.setattr(Cloud, "full_refresh_threshold", provider_s)
    source_id = await source_of(updates)

    [update_id] = await queue(updates, *objects(source_id, "a", "b", "c"), threshold=2)

    assert (await updates.update(update_id)).kind == kind


async def test_given_a_target_that_does_not_fit_when_queued_then_its_index_is_named(
    updates: Updates, cloud: Cloud
) -> None:
    source_id = await source_of(updates)

    with pytest.raises(InvalidField) as refused:
        await queue(updates, *objects(source_id, "a"), ObjectTarget(source_id, "hosts", {"name": ""}))

    assert list(refused.value.fields) == ["targets.1.manager_ref.name"]


async def test_given_a_manual_source_when_an_object_of_it_is_asked_for_then_it_is_refused(updates: Updates) -> None:
    source_id = await updates.world.source("manual", source="")

    with pytest.raises(MethodNotAllowed):
        await queue(updates, *objects(source_id, "a"))


async def test_given_a_source_that_takes_no_targets_any_more_when_its_run_starts_then_it_is_refreshed_whole(
    updates: Updates, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    source_id = await source_of(updates)
    [update_id] = await queue(updates, *objects(source_id, "a"), force_delete=True)
    monkeypatch.setattr(Cloud, "allow_targeted_refresh", False)

    row = await updates.work(update_id)

    assert (row.status, row.kind, row.options) == ("successful", "full", {})
    assert await sizes(updates) == {"a": 1, "b": 1, "c": 1}


async def test_given_a_run_at_work_when_asked_again_then_a_second_one_waits_and_sees_the_later_state(
    updates: Updates, cloud: Cloud
) -> None:
    source_id = await source_of(updates)
    [first] = await queue(updates, *objects(source_id, "a"))
    claim = await updates.claim(first)
    async with unit_of_work(updates.world.factory) as session:
        row = await session.get_one(InventoryUpdate, first)
        row.status = "running"
    [second] = await queue(updates, *objects(source_id, "a"))
    assert second != first
    await refresh(updates.context(claim))
    cloud.machines["a"] = 9

    await updates.work(second, "w2")

    assert await sizes(updates) == {"a": 9}


async def test_given_a_provider_out_of_reach_when_a_run_fails_then_it_is_tried_again_and_says_so(
    updates: Updates, cloud: Cloud
) -> None:
    source_id = await source_of(updates)
    cloud.faults = [TransientError("cloud.example answers 503.", retry_after=7)]
    [update_id] = await queue(updates, SourceTarget(source_id))

    with pytest.raises(TransientError) as fault:
        await updates.work(update_id)

    assert fault.value.headers["Retry-After"] == "7"
    assert (await updates.update(update_id)).status == "running"
    assert "cloud.example answers 503. It will be tried again (attempt 1 of 5)." in await updates.output(update_id)
    async with unit_of_work(updates.world.factory) as session:
        claim = await jobs.claim(session, (await updates.job(update_id)).id, "w1", 30)
        assert claim is None  # still held by the first attempt, which the runner gives back


async def test_given_a_provider_that_stays_out_of_reach_when_attempts_are_used_up_then_the_run_fails_with_its_words(
    updates: Updates, cloud: Cloud
) -> None:
    updates.settings = updates.settings.model_copy(update={"job_max_attempts": 1})
    source_id = await source_of(updates)
    cloud.faults = [TransientError("cloud.example answers 503.")]
    [update_id] = await queue(updates, SourceTarget(source_id))

    row = await updates.work(update_id)

    assert (row.status, row.job_explanation) == ("failed", "cloud.example answers 503. Given up after 1 attempts.")


async def rush(updates: Updates, cloud: Cloud, seed: int) -> None:
    """Full and targeted asks of one source at once while the cloud changes; then its last state is asked for."""
    dice = random.Random(seed)
    source_id = await source_of(updates)
    await refresh_all(updates, source_id)
    names = [f"m{number}" for number in range(12)]

    async def ask(targets: list[RefreshTarget]) -> None:
        await asyncio.sleep(dice.random() * 0.05)
        for name in dice.sample(names, 4):
            cloud.machines[name] = dice.randrange(1000)
        [update_id] = await queue(updates, *targets)
        await work_until_ended(updates, update_id)

    asks = [ask([SourceTarget(source_id)]) for _ in range(2)]
    asks += [ask(objects(source_id, *dice.sample(names, 3))) for _ in range(4)]
    await asyncio.gather(*asks)
    last = dice.sample(names, 6)
    for name in last[:3]:
        cloud.machines[name] = 5000 + dice.randrange(1000)
    for name in last[3:]:
        cloud.machines.pop(name, None)
    [whole], [part] = await queue(updates, SourceTarget(source_id)), await queue(updates, *objects(source_id, *last))
    assert whole == part
    await work_until_ended(updates, whole)
    assert await sizes(updates) == cloud.machines


async def work_until_ended(updates: Updates, update_id: int) -> None:
    """Play the workers: claim and run the job until its update has ended, here or elsewhere."""
    for attempt in range(500):
        row = await updates.update(update_id)
        if row.status in ("successful", "failed", "error", "canceled"):
            assert row.status == "successful", row.job_explanation or row.result_traceback
            return
        async with unit_of_work(updates.world.factory) as session:
            await session.execute(jobs_due_now())
            claim = await jobs.claim(session, row.job_id or 0, f"w{attempt}", 30)
        if claim is not None:
            await refresh(updates.context(claim))
        await asyncio.sleep(0.01)
    raise AssertionError("waited in vain")


def jobs_due_now() -> Any:
    """Jobs that wait for their turn may look again at once."""
    return update(Job).where(Job.status == "queued").values(run_at=func.now())


@pytest.mark.parametrize("seed", range(3))
async def test_given_full_and_targeted_asks_at_once_when_all_are_done_then_the_provider_s_last_state_is_there(
    updates: Updates, cloud: Cloud, seed: int
) -> None:
    await rush(updates, cloud, seed)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 150))
async def test_given_fifty_rushes_of_asks_when_all_are_done_then_the_provider_s_last_state_is_there(
    updates: Updates, cloud: Cloud, seed: int
) -> None:
    await rush(updates, cloud, seed)
