"""The worker with a real Valkey: rung jobs start at once, and the loss of the queue loses nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis.asyncio
from sqlalchemy import func, select

from craton_inv import worker
from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.embedded import EmbeddedValkey
from craton_inv.jobs.context import JobContext, Task
from craton_inv.models import InventoryUpdate
from craton_inv.queue import jobs
from craton_inv.queue.bell import ArqBell
from craton_inv.queue.models import Job
from craton_inv.settings import Settings
from tests.factories import make_source, save


async def note(context: JobContext) -> None:
    async with unit_of_work(context.session_factory) as session:
        await jobs.finish(session, context.claim)


async def order(context: JobContext) -> None:
    async with unit_of_work(context.session_factory) as session:
        await jobs.enqueue(session, "note", {})
        await jobs.finish(session, context.claim)


@pytest.fixture(autouse=True)
def _tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "TASKS", {"note": Task(note), "order": Task(order)})


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path / "valkey-data") as server:
        yield server


@pytest.fixture
async def bell(valkey: EmbeddedValkey, fresh_settings: Settings) -> AsyncIterator[ArqBell]:
    bell = ArqBell(valkey.url(), fresh_settings.queue_name)
    yield bell
    await bell.close()


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    task = asyncio.create_task(worker.work(settings, stopping))
    try:
        yield
    finally:
        stopping.set()
        await asyncio.wait_for(task, 15)


async def put(factory: SessionFactory, bell: ArqBell | None, count: int = 1, task: str = "note") -> list[int]:
    async with unit_of_work(factory) as session:
        if bell is not None:
            session.info[jobs.BELL] = bell
        return [await jobs.enqueue(session, task, {}) for _ in range(count)]


async def wait_until_done(factory: SessionFactory, count: int, seconds: float) -> float:
    started = time.monotonic()
    async with asyncio.timeout(seconds):
        while True:
            async with factory() as session:
                done = await session.scalar(select(func.count()).select_from(Job).where(Job.status == "done"))
            if done == count:
                return time.monotonic() - started
            await asyncio.sleep(0.05)


async def test_a_rung_job_does_not_wait_for_the_sweeper(
    valkey: EmbeddedValkey, bell: ArqBell, fresh_settings: Settings, fresh_factory: SessionFactory
) -> None:
    settings = fresh_settings.model_copy(update={"redis_url": valkey.url(), "job_sweep_interval": 3600})
    async with working(settings):
        await asyncio.sleep(1)  # the first sweep is over, the next one an hour away
        await put(fresh_factory, bell)
        await wait_until_done(fresh_factory, 1, 10)


async def test_what_a_job_orders_does_not_wait_for_the_sweeper_either(
    valkey: EmbeddedValkey, bell: ArqBell, fresh_settings: Settings, fresh_factory: SessionFactory
) -> None:
    settings = fresh_settings.model_copy(update={"redis_url": valkey.url(), "job_sweep_interval": 3600})
    async with working(settings):
        await asyncio.sleep(1)
        await put(fresh_factory, bell, task="order")
        await wait_until_done(fresh_factory, 2, 10)


async def test_without_redis_the_sweeper_runs_everything(
    fresh_settings: Settings, fresh_factory: SessionFactory
) -> None:
    settings = fresh_settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    await put(fresh_factory, None, count=10)
    async with working(settings):
        await wait_until_done(fresh_factory, 10, 20)


async def test_the_job_of_a_dead_worker_is_taken_when_its_lease_ends(
    valkey: EmbeddedValkey, fresh_settings: Settings, fresh_factory: SessionFactory
) -> None:
    settings = fresh_settings.model_copy(update={"redis_url": valkey.url(), "job_sweep_interval": 3600})
    [job_id] = await put(fresh_factory, None)
    async with unit_of_work(fresh_factory) as session:
        assert await jobs.claim(session, job_id, "a worker that is gone", lease=3)
    async with working(settings):  # its first sweep finds the lease still running, the next one is an hour away
        await wait_until_done(fresh_factory, 1, 15)


async def test_a_flushed_queue_loses_no_job(
    valkey: EmbeddedValkey, bell: ArqBell, fresh_settings: Settings, fresh_factory: SessionFactory
) -> None:
    await put(fresh_factory, bell, count=20)
    client = redis.asyncio.from_url(valkey.url())
    await client.flushall()
    await client.aclose()
    async with working(fresh_settings.model_copy(update={"redis_url": valkey.url()})):
        await wait_until_done(fresh_factory, 20, 20)


async def test_a_long_queue_that_was_lost_is_swept_in_one_go(
    valkey: EmbeddedValkey, fresh_settings: Settings, fresh_factory: SessionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "GRACE", 0)
    await put(fresh_factory, None, count=200)
    # The next sweep by the clock is an hour away.
    async with working(fresh_settings.model_copy(update={"redis_url": valkey.url(), "job_sweep_interval": 3600})):
        await wait_until_done(fresh_factory, 200, 30)


async def test_a_request_survives_a_dead_redis(fresh_settings: Settings, fresh_factory: SessionFactory) -> None:
    bell = ArqBell("redis://127.0.0.1:1/0", fresh_settings.queue_name)
    ids = await put(fresh_factory, bell)
    async with fresh_factory() as session:
        assert await jobs.due(session) == ids
    await bell.close()


async def test_the_worker_listens_again_when_redis_comes_back(
    valkey: EmbeddedValkey, bell: ArqBell, fresh_settings: Settings, fresh_factory: SessionFactory
) -> None:
    settings = fresh_settings.model_copy(update={"redis_url": valkey.url(), "job_sweep_interval": 0.5})
    async with working(settings):
        await put(fresh_factory, bell)
        await wait_until_done(fresh_factory, 1, 10)
        await asyncio.to_thread(valkey.stop)
        await put(fresh_factory, bell)
        await wait_until_done(fresh_factory, 2, 20)
        await asyncio.to_thread(valkey.start)
        await put(fresh_factory, bell)
        await wait_until_done(fresh_factory, 3, 20)


async def test_an_absent_redis_is_told_once_not_at_every_try(
    fresh_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(worker, "REBUILD_PAUSE", 0.1)
    monkeypatch.setattr(worker.log, "warning", lambda event, **_: told.append(event))
    async with working(fresh_settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})):
        await asyncio.sleep(1)
    assert told == ["redis_away"]


async def test_an_update_whose_job_is_lost_is_ended_by_the_sweeper(
    fresh_settings: Settings, fresh_factory: SessionFactory
) -> None:
    async with unit_of_work(fresh_factory) as session:
        source = await make_source(session)
        values = {"inventory_id": source.inventory_id, "tenant_id": source.tenant_id, "name": "lost"}
        update = await save(session, InventoryUpdate(inventory_source_id=source.id, status="running", **values))
    async with working(fresh_settings), asyncio.timeout(15):
        while update.status == "running":
            await asyncio.sleep(0.1)
            async with fresh_factory() as session:
                update = await session.get_one(InventoryUpdate, update.id)
    assert (update.status, update.job_explanation) == ("error", "Its job ended without finishing the update.")
