"""F09: full and targeted refreshes of one source at once, by two workers: the provider's last state stays."""

import asyncio
import json
import random

import pytest
from sqlalchemy import func, select, text, update

from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.models import Host, InventorySource, InventoryUpdate
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.refresh_queue import ObjectTarget, RefreshTarget, SourceTarget, queue_refresh
from tests.faults.conftest import StartWorker
from tests.faults.test_f01_worker_killed import add_source

WAITING = ("new", "pending", "waiting")
DEADLOCKS = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")


async def change(factory: SessionFactory, source_id: int, hosts: int) -> None:
    """The provider has another number of machines now."""
    values = {"source_vars": json.dumps({"hosts": hosts, "prefix": "m"}), "overwrite": True}
    async with unit_of_work(factory) as session:
        await session.execute(update(InventorySource).where(InventorySource.id == source_id).values(**values))


async def ask(factory: SessionFactory, *targets: RefreshTarget) -> None:
    """Ask for these, whatever may be deleted."""
    async with unit_of_work(factory) as session:
        await queue_refresh(session, SYSTEM, targets, threshold=100, options={"force_delete": True})


async def until_none(factory: SessionFactory, *statuses: str) -> None:
    """Wait until no update is in one of these."""
    left = select(func.count()).where(InventoryUpdate.status.in_(statuses))
    async with asyncio.timeout(60):
        while True:
            async with factory() as session:
                if not await session.scalar(left):
                    return
            await asyncio.sleep(0.05)


async def rush(factory: SessionFactory, source: InventorySource, dice: random.Random) -> int:
    """Two full asks and three targeted ones while the provider changes; how many machines it has at last."""

    def some() -> list[RefreshTarget]:
        numbers = dice.sample(range(1, 60), 3)
        return [ObjectTarget(source.id, "hosts", {"name": f"m-{number}"}) for number in numbers]

    await ask(factory, *some())
    await until_none(factory, *WAITING)
    await asyncio.gather(
        ask(factory, SourceTarget(source.id)),
        ask(factory, *some()),
        change(factory, source.id, dice.randrange(1, 60)),
    )
    await asyncio.sleep(dice.random() * 0.5)
    hosts = dice.randrange(1, 60)
    await change(factory, source.id, hosts)
    await asyncio.gather(ask(factory, *some()), ask(factory, SourceTarget(source.id)))
    return hosts


@pytest.mark.full
async def test_f09_fifty_rushes_end_in_the_provider_s_last_state_without_a_deadlock(
    fault_factory: SessionFactory, start_worker: StartWorker
) -> None:
    dice = random.Random(9)
    source = await add_source(fault_factory, 30)
    for _ in range(2):
        start_worker()
    for number in range(50):
        hosts = await rush(fault_factory, source, dice)
        await until_none(fault_factory, *WAITING, "running")
        async with fault_factory() as session:
            ended = select(InventoryUpdate.status, InventoryUpdate.job_explanation).distinct()
            assert [tuple(row) for row in await session.execute(ended)] == [("successful", "")]
            names = await session.scalars(select(Host.name).where(Host.inventory_id == source.inventory_id))
            assert set(names) == {f"m-{each}" for each in range(1, hosts + 1)}, f"rush {number}"
    async with fault_factory() as session:
        assert {*await session.scalars(select(InventoryUpdate.kind))} == {"full", "targeted"}
        assert await session.scalar(DEADLOCKS) == 0
