"""F01: a worker that is killed in the middle of a refresh costs time, never rows."""

import asyncio
import json
import random
import signal
import time
from typing import Any

import pytest
from sqlalchemy import text

from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.models import InventorySource, InventoryUpdate
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.inventory_updates import launch
from tests.factories import make_source
from tests.faults.conftest import StartWorker

RESUMED_WITHIN_S = 60.0

# Everything a refresh writes, without ids and times: equal text means equal inventories.
STATE = text("""
    SELECT md5(coalesce(string_agg(line, E'\\n' ORDER BY line), '')) FROM (
      SELECT concat_ws('|', 'host', h.name, h.enabled, h.variables) AS line FROM hosts h WHERE inventory_id = :inventory
      UNION ALL SELECT concat_ws('|', 'group', g.name, g.variables) FROM groups g WHERE inventory_id = :inventory
      UNION ALL SELECT concat_ws('|', 'member', g.name, h.name) FROM memberships m
        JOIN groups g ON g.id = m.group_id JOIN hosts h ON h.id = m.host_id WHERE m.inventory_id = :inventory
    ) AS everything
""")

CHANGES = text("""
    SELECT count(*), count(DISTINCT (collection, row_id, parent_id)) FROM inventory_change_parts,
      unnest(row_ids, parent_ids) AS rows (row_id, parent_id)
    WHERE update_id = :update
""")


async def add_source(factory: SessionFactory, hosts: int) -> InventorySource:
    async with unit_of_work(factory) as session:
        source = await make_source(session, source="example", source_vars=json.dumps({"hosts": hosts, "prefix": "m"}))
        return source


async def start_update(factory: SessionFactory, source: InventorySource) -> int:
    async with unit_of_work(factory) as session:
        return (await launch(session, SYSTEM, source.id, {})).id


async def wait_for(factory: SessionFactory, update_id: int, *statuses: str, seconds: float) -> InventoryUpdate:
    async with asyncio.timeout(seconds):
        while True:
            async with factory() as session:
                update = await session.get_one(InventoryUpdate, update_id)
            if update.status in statuses:
                return update
            await asyncio.sleep(0.02)


async def state(factory: SessionFactory, source: InventorySource) -> Any:
    async with factory() as session:
        return await session.scalar(STATE, {"inventory": source.inventory_id})


async def changes(factory: SessionFactory, update_id: int) -> tuple[int, int]:
    """How many changes the change set of an update has, and how many of them tell of a row a second time."""
    async with factory() as session:
        row = await session.execute(CHANGES, {"update": update_id})
        noted, different = row.one()
    return noted, noted - different


def made(update: InventoryUpdate) -> int:
    """How many rows a first run says it made."""
    return sum(counts["created"] for counts in update.result["collections"].values())


async def kill_and_resume(factory: SessionFactory, start_worker: StartWorker, hosts: int, after: float) -> None:
    disturbed, calm = await add_source(factory, hosts), await add_source(factory, hosts)
    first = start_worker()
    update_id = await start_update(factory, disturbed)
    await wait_for(factory, update_id, "running", seconds=150)
    await asyncio.sleep(after)
    first.send_signal(signal.SIGKILL)
    first.wait()
    async with factory() as session:
        killed_in_the_middle = (await session.get_one(InventoryUpdate, update_id)).status == "running"
    assert killed_in_the_middle, "the refresh was over before the kill; more hosts are needed"
    start_worker()
    killed_at = time.monotonic()
    update = await wait_for(factory, update_id, "successful", "failed", "error", seconds=RESUMED_WITHIN_S)
    assert update.status == "successful"
    assert time.monotonic() - killed_at < RESUMED_WITHIN_S
    await wait_for(factory, await start_update(factory, calm), "successful", seconds=RESUMED_WITHIN_S)
    assert await state(factory, disturbed) == await state(factory, calm)
    assert await changes(factory, update_id) == (made(update), 0)


async def test_another_worker_finishes_the_refresh_of_a_killed_one_with_the_same_rows(
    fault_factory: SessionFactory, start_worker: StartWorker
) -> None:
    await kill_and_resume(fault_factory, start_worker, hosts=20_000, after=0.3)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(4))
async def test_a_kill_at_any_moment_leaves_the_same_rows(
    fault_factory: SessionFactory, start_worker: StartWorker, seed: int
) -> None:
    after = random.Random(seed).uniform(0, 1.5)
    print(f"seed {seed}: killed after {after:.2f} s")
    await kill_and_resume(fault_factory, start_worker, hosts=60_000, after=after)
