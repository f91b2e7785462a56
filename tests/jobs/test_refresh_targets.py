"""Updates of single objects as the worker runs them, and what the queue makes of many asks."""

import asyncio
import random
from typing import Any

import pytest
from sqlalchemy import func, select, update

from craton_inv.db.session import unit_of_work
from craton_inv.errors import InvalidField, MethodNotAllowed, TransientError
from craton_inv.jobs.refresh import refresh
from craton_inv.models import Host, InventoryUpdate, InventoryUpdateTarget, Job
from craton_inv.providers import registry
from craton_inv.queue import jobs
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.refresh_queue import ObjectTarget, RefreshTarget, SourceTarget, queue_refresh
from tests.jobs.cloud import Cloud
from tests.jobs.updates import Updates


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Three machines of size 1, found like any other kind."""
    made = Cloud(a=1, b=1, c=1)
    monkeypatch.setitem(registry.providers(), made.kind, made)
    return made


async def source_of(updates: Updates, name: str = "source", **values: Any) -> int:
    """A source of the cloud that deletes what is gone."""
    return await updates.world.source(name, source=Cloud.kind, overwrite=True, **values)


def objects(source_id: int, *names: str) -> list[RefreshTarget]:
    """Hosts by name."""
    return [ObjectTarget(source_id, "hosts", {"name": name}) for name in names]


async def queue(updates: Updates, *targets: RefreshTarget, threshold: int = 100, **options: bool) -> list[int]:
    """Ask for these; the ids of the updates."""
    async with unit_of_work(updates.world.factory) as session:
        asked = await queue_refresh(session, SYSTEM, targets, threshold=threshold, options=options)
        return [row.id for row in asked]


async def sizes(updates: Updates) -> dict[str, Any]:
    """What is known of the machines."""
    async with updates.world.factory() as session:
        rows = await session.scalars(select(Host).where(Host.inventory_id == updates.world.inventory_id))
        return {row.name: row.variables["size"] for row in rows}


async def refresh_all(updates: Updates, source_id: int) -> None:
    """A full refresh."""
    [update_id] = await queue(updates, SourceTarget(source_id))
    assert (await updates.work(update_id)).status == "successful"


async def test_only_what_is_asked_for_is_refreshed(updates: Updates, cloud: Cloud) -> None:
    source_id = await source_of(updates)
    await refresh_all(updates, source_id)
    cloud.machines = {"a": 2, "b": 2, "c": 2}
    [update_id] = await queue(updates, *objects(source_id, "a", "b"))
    row = await updates.work(update_id)
    assert (row.status, row.kind, row.job_explanation) == ("successful", "targeted", "")
    assert await sizes(updates) == {"a": 2, "b": 2, "c": 1}


async def test_what_is_gone_at_the_provider_goes_and_its_neighbours_stay(updates: Updates, cloud: Cloud) -> None:
    source_id = await source_of(updates)
    await refresh_all(updates, source_id)
    cloud.machines = {}
    [update_id] = await queue(updates, *objects(source_id, "a"))
    row = await updates.work(update_id)
    assert (row.status, row.job_explanation) == ("successful", "")
    assert await sizes(updates) == {"b": 1, "c": 1}


async def test_what_nobody_knows_yet_appears(updates: Updates, cloud: Cloud) -> None:
    source_id = await source_of(updates)
    cloud.machines["new"] = 7
    [update_id] = await queue(updates, *objects(source_id, "new"))
    await updates.work(update_id)
    assert await sizes(updates) == {"new": 7}


async def test_targets_are_split_by_source(updates: Updates, cloud: Cloud) -> None:
    first, second = await source_of(updates), await source_of(updates, "second")
    ids = await queue(updates, *objects(second, "b"), *objects(first, "a", "c"))
    for update_id in ids:
        await updates.work(update_id)
    assert cloud.asked == [{"a", "c"}, {"b"}]


async def test_a_source_swallows_its_objects_in_one_ask_too(updates: Updates, cloud: Cloud) -> None:
    source_id = await source_of(updates)
    [update_id] = await queue(updates, *objects(source_id, "a"), SourceTarget(source_id), *objects(source_id, "b"))
    assert (await updates.update(update_id)).kind == "full"
    await updates.work(update_id)
    assert await sizes(updates) == {"a": 1, "b": 1, "c": 1}


async def test_a_great_many_duplicates_are_one_row(updates: Updates, cloud: Cloud) -> None:
    source_id = await source_of(updates)
    [update_id] = await queue(updates, *(objects(source_id, "a") * 50_000))
    async with updates.world.factory() as session:
        own = InventoryUpdateTarget.inventory_update_id == update_id
        rows = await session.scalars(select(InventoryUpdateTarget.manager_ref).where(own))
        assert rows.all() == [{"name": "a"}]
    assert (await updates.update(update_id)).kind == "targeted"


@pytest.mark.parametrize(("provider_s", "kind"), [(None, "full"), (5, "targeted"), (0, "full")])
async def test_the_provider_may_say_itself_how_many_are_too_many(
    updates: Updates, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, provider_s: int | None, kind: str
) -> None:
    monkeypatch.setattr(Cloud, "full_refresh_threshold", provider_s)
    source_id = await source_of(updates)
    [update_id] = await queue(updates, *objects(source_id, "a", "b", "c"), threshold=2)
    assert (await updates.update(update_id)).kind == kind


async def test_the_index_of_a_target_that_does_not_fit_is_named(updates: Updates, cloud: Cloud) -> None:
    source_id = await source_of(updates)
    with pytest.raises(InvalidField) as refused:
        await queue(updates, *objects(source_id, "a"), ObjectTarget(source_id, "hosts", {"name": ""}))
    assert list(refused.value.fields) == ["targets.1.manager_ref.name"]


async def test_a_manual_source_has_no_objects_to_refresh(updates: Updates) -> None:
    source_id = await updates.world.source("manual", source="")
    with pytest.raises(MethodNotAllowed):
        await queue(updates, *objects(source_id, "a"))


async def test_a_source_that_takes_no_targets_any_more_is_refreshed_whole(
    updates: Updates, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    source_id = await source_of(updates)
    [update_id] = await queue(updates, *objects(source_id, "a"), force_delete=True)
    monkeypatch.setattr(Cloud, "allow_targeted_refresh", False)
    row = await updates.work(update_id)
    assert (row.status, row.kind, row.options) == ("successful", "full", {})
    assert await sizes(updates) == {"a": 1, "b": 1, "c": 1}


async def test_an_ask_while_one_runs_waits_and_sees_the_later_state(updates: Updates, cloud: Cloud) -> None:
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


async def test_a_provider_out_of_reach_is_asked_again_and_the_run_says_so(updates: Updates, cloud: Cloud) -> None:
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


async def test_a_provider_that_stays_out_of_reach_fails_the_run_with_its_words(updates: Updates, cloud: Cloud) -> None:
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
async def test_full_and_targeted_refreshes_at_once_end_in_the_provider_s_last_state(
    updates: Updates, cloud: Cloud, seed: int
) -> None:
    await rush(updates, cloud, seed)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 150))
async def test_fifty_rushes_of_full_and_targeted_refreshes_end_in_the_provider_s_last_state(
    updates: Updates, cloud: Cloud, seed: int
) -> None:
    await rush(updates, cloud, seed)
