"""The runner: heartbeat, retry, giving up, cancel, graceful stop, and zombies."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.errors import ServiceUnavailable, TransientError, UpdateFailed
from craton_inv.jobs.context import JobContext, Task
from craton_inv.jobs.runner import Runner, back_off
from craton_inv.queue import jobs
from craton_inv.queue.models import Job
from craton_inv.settings import Settings


async def finish(context: JobContext) -> None:
    async with unit_of_work(context.session_factory) as session:
        await jobs.finish(session, context.claim)


async def put(factory: SessionFactory, task: str, **options: Any) -> int:
    async with unit_of_work(factory) as session:
        return await jobs.enqueue(session, task, {"update_id": 1}, **options)


async def row(factory: SessionFactory, job_id: int) -> Job:
    async with factory() as session:
        return await session.get_one(Job, job_id)


@pytest.fixture
def make_runner(fresh_settings: Settings, fresh_engine: AsyncEngine, fresh_factory: SessionFactory) -> Any:
    def make(**tasks: Task) -> Runner:
        return Runner(fresh_settings, fresh_engine, fresh_factory, tasks)

    return make


async def test_a_job_runs_and_is_done(make_runner: Any, fresh_factory: SessionFactory) -> None:
    job_id = await put(fresh_factory, "work")
    await make_runner(work=Task(finish)).spawn(job_id)
    assert (await row(fresh_factory, job_id)).status == "done"


async def test_the_heartbeat_keeps_a_long_job_from_other_workers(
    make_runner: Any, fresh_factory: SessionFactory
) -> None:
    async def long(context: JobContext) -> None:
        await asyncio.sleep(2.5)  # longer than the lease of 1.5 s
        await finish(context)

    job_id = await put(fresh_factory, "work")
    task = make_runner(work=Task(long)).spawn(job_id)
    await asyncio.sleep(2)
    async with fresh_factory() as session:
        assert job_id not in await jobs.due(session)
    await task
    assert (await row(fresh_factory, job_id)).attempt == 1


async def test_a_transient_fault_is_retried_later(make_runner: Any, fresh_factory: SessionFactory) -> None:
    async def away(_: JobContext) -> None:
        raise ServiceUnavailable("The database is away.")

    job_id = await put(fresh_factory, "work")
    await make_runner(work=Task(away)).spawn(job_id)
    found = await row(fresh_factory, job_id)
    assert (found.status, found.attempt, found.error) == ("queued", 1, "The database is away.")


@pytest.mark.parametrize(("asked", "least", "most"), [(45, 45, 46), (86400, 60, 61)])
async def test_who_asks_to_be_left_alone_is_for_a_minute_at_most(
    make_runner: Any, fresh_factory: SessionFactory, asked: int, least: int, most: int
) -> None:
    async def busy(_: JobContext) -> None:
        raise TransientError("The provider answers 429.", retry_after=asked)

    job_id = await put(fresh_factory, "work")
    await make_runner(work=Task(busy)).spawn(job_id)
    async with fresh_factory() as session:
        wait = await session.scalar(select(func.extract("epoch", Job.run_at - Job.heartbeat_at)))
    assert wait is not None
    assert least <= wait <= most + 5  # the job took its time, too


async def test_an_expected_failure_is_final_and_told_to_its_owner(
    make_runner: Any, fresh_factory: SessionFactory
) -> None:
    told: list[tuple[Mapping[str, Any], str]] = []

    async def fails(_: JobContext) -> None:
        raise UpdateFailed("The file is gone.")

    async def tell(_: AsyncSession, args: Mapping[str, Any], error: str) -> None:
        told.append((args, error))

    job_id = await put(fresh_factory, "work")
    await make_runner(work=Task(fails, tell)).spawn(job_id)
    assert (await row(fresh_factory, job_id)).status == "failed"
    assert told == [({"update_id": 1}, "The file is gone.")]


async def test_a_surprise_on_the_last_attempt_fails_the_job(make_runner: Any, fresh_factory: SessionFactory) -> None:
    async def breaks(_: JobContext) -> None:
        raise ZeroDivisionError("unlucky")

    job_id = await put(fresh_factory, "work", max_attempts=1)
    await make_runner(work=Task(breaks)).spawn(job_id)
    found = await row(fresh_factory, job_id)
    assert (found.status, found.error) == ("failed", "ZeroDivisionError: unlucky")


async def test_the_settings_say_how_often_a_job_is_tried(
    fresh_settings: Settings, fresh_engine: AsyncEngine, fresh_factory: SessionFactory
) -> None:
    async def breaks(_: JobContext) -> None:
        raise ZeroDivisionError("unlucky")

    job_id = await put(fresh_factory, "work")
    once = fresh_settings.model_copy(update={"job_max_attempts": 1})
    await Runner(once, fresh_engine, fresh_factory, {"work": Task(breaks)}).spawn(job_id)
    assert (await row(fresh_factory, job_id)).status == "failed"


async def test_a_job_whose_workers_all_died_is_given_up(make_runner: Any, fresh_factory: SessionFactory) -> None:
    job_id = await put(fresh_factory, "work", max_attempts=1)
    async with unit_of_work(fresh_factory) as session:
        await jobs.claim(session, job_id, "dead", 0)
    await make_runner(work=Task(finish)).spawn(job_id)
    found = await row(fresh_factory, job_id)
    assert found.status == "failed"
    assert "stopped without a word" in found.error


async def test_an_unknown_task_fails_with_its_name(make_runner: Any, fresh_factory: SessionFactory) -> None:
    job_id = await put(fresh_factory, "nonsense")
    await make_runner().spawn(job_id)
    assert "'nonsense'" in (await row(fresh_factory, job_id)).error


async def test_a_cancel_reaches_the_running_job(make_runner: Any, fresh_factory: SessionFactory) -> None:
    async def until_canceled(context: JobContext) -> None:
        await asyncio.wait_for(context.canceled.wait(), 5)
        async with unit_of_work(context.session_factory) as session:
            await jobs.finish(session, context.claim, "canceled")

    job_id = await put(fresh_factory, "work")
    task = make_runner(work=Task(until_canceled)).spawn(job_id)
    await asyncio.sleep(0.2)
    async with unit_of_work(fresh_factory) as session:
        await jobs.request_cancel(session, job_id)
    await task
    assert (await row(fresh_factory, job_id)).status == "canceled"


async def test_a_graceful_stop_gives_the_lease_back(make_runner: Any, fresh_factory: SessionFactory) -> None:
    started = asyncio.Event()

    async def forever(_: JobContext) -> None:
        started.set()
        await asyncio.sleep(60)

    runner = make_runner(work=Task(forever))
    job_id = await put(fresh_factory, "work")
    runner.spawn(job_id)
    await asyncio.wait_for(started.wait(), 5)
    await runner.stop()
    found = await row(fresh_factory, job_id)
    assert (found.status, found.attempt) == ("queued", 0)


async def test_a_zombie_is_stopped_and_its_effect_rolled_back(make_runner: Any, fresh_factory: SessionFactory) -> None:
    async def effect(context: JobContext) -> None:
        async with unit_of_work(context.session_factory) as session:
            await session.execute(update(Job).where(Job.id == context.claim.job_id).values(token=Job.token + 1))
        async with unit_of_work(context.session_factory) as session:
            session.add(Job(task="effect", args={}))
            await session.flush()
            await jobs.finish(session, context.claim)

    job_id = await put(fresh_factory, "work")
    await make_runner(work=Task(effect)).spawn(job_id)
    async with fresh_factory() as session:
        assert await session.scalar(select(func.count()).select_from(Job).where(Job.task == "effect")) == 0


async def test_a_heartbeat_that_meets_the_end_of_its_own_job_stops_nothing(
    make_runner: Any, fresh_factory: SessionFactory
) -> None:
    ended: list[bool] = []

    async def slow_commit(context: JobContext) -> None:
        async with unit_of_work(context.session_factory) as session:
            await jobs.finish(session, context.claim)
            await asyncio.sleep(0.8)  # heartbeats come every 0.3 s and wait for this row
        await asyncio.sleep(0.2)
        ended.append(True)

    job_id = await put(fresh_factory, "work")
    await make_runner(work=Task(slow_commit)).spawn(job_id)
    assert ended == [True]


async def test_one_process_holds_no_more_jobs_than_it_has_places(
    make_runner: Any, fresh_factory: SessionFactory, fresh_settings: Settings
) -> None:
    running = 0
    most = 0

    async def counted(context: JobContext) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1
        await finish(context)

    runner = make_runner(work=Task(counted))
    ids = [await put(fresh_factory, "work") for _ in range(12)]
    await asyncio.gather(*(runner.spawn(job_id) for job_id in ids))
    assert most == fresh_settings.worker_concurrency
    assert all([(await row(fresh_factory, job_id)).status == "done" for job_id in ids])


def test_the_wait_between_attempts_grows_to_a_minute() -> None:
    waits = [back_off(attempt) for attempt in range(1, 12)]
    assert 1.5 <= waits[0] <= 2.5
    assert 45 <= waits[-1] <= 75
