"""A worker that is killed in the middle of a deletion: the next one finishes it, and no row is left over."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import func, select, update

from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.models import Host, HostSource, Inventory, InventorySource, Tenant
from tests.faults.conftest import StartWorker
from tests.full_world import FullWorld, counts, doomed, make_full_world

FINISHED_WITHIN_S = 180.0
HOSTS = 5000  # of each of two sources


def owner(world: FullWorld, what: str) -> tuple[Any, int]:
    """The row to be deleted."""
    return {
        "inventory": (Inventory, world.inventory.id),
        "source": (InventorySource, world.source.id),
        "tenant": (Tenant, world.tenant.id),
    }[what]


async def rows_left(factory: SessionFactory, world: FullWorld, what: str) -> int:
    """How many hosts, or what a source says of them, the deletion has yet to take."""
    rows = HostSource.inventory_source_id == world.source.id
    if what != "source":
        rows = Host.inventory_id == world.inventory.id
    async with factory() as session:
        return await session.scalar(select(func.count()).where(rows)) or 0


async def is_gone(factory: SessionFactory, world: FullWorld, what: str) -> bool:
    """Whether the deletion is over."""
    model, row_id = owner(world, what)
    async with factory() as session:
        return await session.scalar(select(model.id).where(model.id == row_id)) is None


async def until(true: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(seconds):
        while True:
            if await true():
                return
            await asyncio.sleep(0.02)


@pytest.mark.full
@pytest.mark.parametrize("what", ["inventory", "source", "tenant"])
async def test_another_worker_finishes_the_deletion_of_a_killed_one(
    fault_factory: SessionFactory, start_worker: StartWorker, what: str
) -> None:
    async with unit_of_work(fault_factory) as session:
        await make_full_world(session, 2)
        before = await counts(session)
        world = await make_full_world(session, HOSTS)
        full = await counts(session)
        # The mark alone: its job is lost, and the first worker's own round orders it again.
        model, row_id = owner(world, what)
        await session.execute(update(model).where(model.id == row_id).values(pending_deletion=True))
    all_rows = await rows_left(fault_factory, world, what)
    async with fault_factory() as holding:
        # However late this test has its turn: the deletion cannot end before the kill.
        await holding.execute(select(model.id).where(model.id == row_id).with_for_update(read=True, key_share=True))
        first = start_worker()

        async def begun() -> bool:
            return await rows_left(fault_factory, world, what) < all_rows

        await until(begun, FINISHED_WITHIN_S)
        await asyncio.sleep(random.Random(what).uniform(0, 0.5))
        first.send_signal(signal.SIGKILL)
        first.wait()
    start_worker()
    await until(lambda: is_gone(fault_factory, world, what), FINISHED_WITHIN_S)
    async with fault_factory() as session:
        now = await counts(session)
    made = {name: full[name] - before[name] for name in full if name != "jobs"}
    assert {name: full[name] - now[name] for name in made} == doomed(what, made)
