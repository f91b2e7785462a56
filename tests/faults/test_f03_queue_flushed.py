"""F03: FLUSHALL in the middle of a long queue costs a sweep, and no job."""

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis.asyncio
from sqlalchemy import func, select

from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.embedded import EmbeddedValkey
from craton_inv.models import Host, InventoryUpdate, Job
from craton_inv.queue.bell import ArqBell
from craton_inv.queue.jobs import BELL, enqueue
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.inventory_updates import launch
from craton_inv.settings import Settings
from tests.factories import make_inventory, make_source
from tests.faults.conftest import StartWorker

DONE_WITHIN_S = 60.0
INVENTORIES = 10


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A real Valkey."""
    with EmbeddedValkey(tmp_path / "valkey-data") as server:
        yield server


async def queue_all(factory: SessionFactory, bell: ArqBell, updates: int, others: int) -> None:
    """Updates of so many sources, one machine each, and so many jobs of another kind; all rung for."""
    async with unit_of_work(factory) as session:
        session.info[BELL] = bell
        inventories = [await make_inventory(session) for _ in range(INVENTORIES)]
        for number in range(updates):
            machines = json.dumps({"hosts": 1, "prefix": f"m{number}"})
            inventory = inventories[number % INVENTORIES]
            source = await make_source(
                session, f"s{number}", inventory=inventory, source="example", source_vars=machines
            )
            await launch(session, SYSTEM, source.id)
        for _ in range(others):
            await enqueue(session, "reconcile_smart_memberships", {})


async def until_none_is_left(factory: SessionFactory, seconds: float) -> None:
    """Wait until no job waits or runs."""
    left = select(func.count()).where(Job.status.in_(("queued", "running")))
    async with asyncio.timeout(seconds):
        while True:
            async with factory() as session:
                if not await session.scalar(left):
                    return
            await asyncio.sleep(0.1)


async def until_listening(client: "redis.asyncio.Redis", workers: int) -> None:
    """Wait until so many workers ask for work."""
    for _ in range(600):
        if len(await client.client_list()) > workers:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("no worker listens")


async def flush_among(
    factory: SessionFactory,
    valkey: EmbeddedValkey,
    start_worker: StartWorker,
    updates: int,
    others: int,
    *,
    workers: int,
    sweep: str,
) -> None:
    """Have jobs rung for while the workers sleep, lose the queue, wake them."""
    count = updates + others
    settings = {"CRATON_INV_REDIS_URL": valkey.url(), "CRATON_INV_JOB_SWEEP_INTERVAL": sweep}
    sleepers = [start_worker(**settings) for _ in range(workers)]
    bell = ArqBell(valkey.url(), Settings().queue_name)
    client = redis.asyncio.from_url(valkey.url())
    try:
        await until_listening(client, workers)
        for sleeper in sleepers:
            sleeper.send_signal(signal.SIGSTOP)
        await queue_all(factory, bell, updates, others)
        assert await client.zcard(Settings().queue_name) == count
        await client.flushall()
        for sleeper in sleepers:
            sleeper.send_signal(signal.SIGCONT)
    finally:
        await client.aclose()
        await bell.close()
    flushed = time.monotonic()
    await until_none_is_left(factory, DONE_WITHIN_S)
    print(f"{count} jobs done {time.monotonic() - flushed:.1f} s after the queue was lost")
    async with factory() as session:
        statuses = await session.execute(select(InventoryUpdate.status, func.count()).group_by(InventoryUpdate.status))
        assert [tuple(row) for row in statuses] == [("successful", updates)]
        ended = select(Job.status, Job.attempt, func.count()).group_by(Job.status, Job.attempt)
        assert [tuple(row) for row in await session.execute(ended)] == [("done", 1, count)]
        assert await session.scalar(select(func.count(Host.name.distinct()))) == updates


async def test_f03_a_flushed_queue_is_swept(
    fault_factory: SessionFactory, valkey: EmbeddedValkey, start_worker: StartWorker
) -> None:
    await flush_among(fault_factory, valkey, start_worker, 5, 15, workers=1, sweep="1")


@pytest.mark.full
async def test_f03_five_hundred_jobs_are_done_within_a_minute_of_a_flush(
    fault_factory: SessionFactory, valkey: EmbeddedValkey, start_worker: StartWorker
) -> None:
    await flush_among(fault_factory, valkey, start_worker, 50, 450, workers=2, sweep="15")
