"""F03: FLUSHALL in the middle of a long queue costs at most a sweep, and no update."""

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
from craton_inv.queue.jobs import BELL
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


async def queue_updates(factory: SessionFactory, bell: ArqBell, count: int) -> None:
    """Updates of `count` sources, one machine each, all rung for."""
    async with unit_of_work(factory) as session:
        session.info[BELL] = bell
        inventories = [await make_inventory(session) for _ in range(INVENTORIES)]
        for number in range(count):
            machines = json.dumps({"hosts": 1, "prefix": f"m{number}"})
            inventory = inventories[number % INVENTORIES]
            source = await make_source(
                session, f"s{number}", inventory=inventory, source="example", source_vars=machines
            )
            await launch(session, SYSTEM, source.id)


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
    factory: SessionFactory, valkey: EmbeddedValkey, start_worker: StartWorker, count: int, *, workers: int, sweep: str
) -> None:
    """Have `count` updates rung for while the workers sleep, lose the queue, wake them."""
    settings = {"CRATON_INV_REDIS_URL": valkey.url(), "CRATON_INV_JOB_SWEEP_INTERVAL": sweep}
    sleepers = [start_worker(**settings) for _ in range(workers)]
    bell = ArqBell(valkey.url(), Settings().queue_name)
    client = redis.asyncio.from_url(valkey.url())
    try:
        await until_listening(client, workers)
        for sleeper in sleepers:
            sleeper.send_signal(signal.SIGSTOP)
        await queue_updates(factory, bell, count)
        assert await client.zcard(Settings().queue_name) == count
        await client.flushall()
        for sleeper in sleepers:
            sleeper.send_signal(signal.SIGCONT)
    finally:
        await client.aclose()
        await bell.close()
    flushed = time.monotonic()
    await until_none_is_left(factory, DONE_WITHIN_S)
    print(f"{count} updates done {time.monotonic() - flushed:.1f} s after the queue was lost")
    async with factory() as session:
        statuses = await session.execute(select(InventoryUpdate.status, func.count()).group_by(InventoryUpdate.status))
        assert [tuple(row) for row in statuses] == [("successful", count)]
        assert await session.scalar(select(func.max(Job.attempt))) == 1
        assert await session.scalar(select(func.count(Host.name.distinct()))) == count


async def test_f03_a_flushed_queue_is_swept(
    fault_factory: SessionFactory, valkey: EmbeddedValkey, start_worker: StartWorker
) -> None:
    await flush_among(fault_factory, valkey, start_worker, 20, workers=1, sweep="1")


@pytest.mark.full
async def test_f03_five_hundred_updates_are_done_within_a_minute_of_a_flush(
    fault_factory: SessionFactory, valkey: EmbeddedValkey, start_worker: StartWorker
) -> None:
    await flush_among(fault_factory, valkey, start_worker, 500, workers=2, sweep="15")
