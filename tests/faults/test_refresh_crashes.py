"""F05, F06, F09, F10: refreshes among crashes, twice at once, and with a worker that sleeps past its lease.

Leases of 3 s stand for those of 30 s: what is asleep is past its lease once another worker has ended its update. Where
no figure is promised the tests are patient, for a worker needs seconds of processor time to start.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.models import Host, InventorySource, InventoryUpdate, InventoryUpdateEvent, Job
from tests.faults.conftest import StartWorker
from tests.faults.test_f01_worker_killed import add_source, changes, made, start_update, state, wait_for

STARTED_WITHIN_S = 20.0
PATIENCE_S = 150.0
# A process that dies after the commit and before anybody hears of the job.
LAUNCH_AND_DIE = """
import asyncio, os, signal, sys
from craton_inv.db.engine import make_engine
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.queue.jobs import BELL
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.inventory_updates import launch
from craton_inv.settings import Settings

class DeadlyBell:
    async def ring(self, job_id):
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    factory = make_session_factory(make_engine(sys.argv[1], Settings()))
    async with unit_of_work(factory) as session:
        session.info[BELL] = DeadlyBell()
        await launch(session, SYSTEM, int(sys.argv[2]), {})

asyncio.run(main())
"""
# Every row version a refresh could have written: a row written again, even with equal values, shows.
VERSIONS = text("""
    SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
      SELECT concat_ws('|', 'host', id, xmin) AS line FROM hosts WHERE inventory_id = :inventory
      UNION ALL SELECT concat_ws('|', 'group', id, xmin) FROM groups WHERE inventory_id = :inventory
      UNION ALL SELECT concat_ws('|', 'member', group_id, host_id, xmin) FROM memberships
        WHERE inventory_id = :inventory
      UNION ALL SELECT concat_ws('|', 'inventory', id, xmin) FROM inventories WHERE id = :inventory
    ) AS everything
""")


async def versions(factory: SessionFactory, source: InventorySource) -> Any:
    async with factory() as session:
        return await session.scalar(VERSIONS, {"inventory": source.inventory_id})


@pytest.mark.parametrize("sweep", ["1", pytest.param("15", marks=pytest.mark.full)])
async def test_f05_a_crash_between_commit_and_bell_delays_the_update_no_more_than_a_sweep(
    fault_factory: SessionFactory, fresh_database_url: str, start_worker: StartWorker, sweep: str
) -> None:
    start_worker(CRATON_INV_JOB_SWEEP_INTERVAL=sweep)
    first_id = await start_update(fault_factory, await add_source(fault_factory, 1))
    await wait_for(fault_factory, first_id, "successful", seconds=PATIENCE_S)
    source = await add_source(fault_factory, 3)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-P", "-c", LAUNCH_AND_DIE, fresh_database_url, str(source.id)]
    died = await asyncio.to_thread(subprocess.run, command, env=environment, check=False)
    assert died.returncode == -signal.SIGKILL
    async with fault_factory() as session:
        found = select(InventoryUpdate.id).where(InventoryUpdate.inventory_source_id == source.id)
        update_id = (await session.scalars(found)).one()
    ended = await wait_for(fault_factory, update_id, "successful", seconds=PATIENCE_S)
    assert ended.started is not None
    waited = (ended.started - ended.created).total_seconds()
    print(f"started {waited:.1f} s after the crash, with a sweep every {sweep} s")
    assert waited < STARTED_WITHIN_S


async def test_f06_a_crash_after_the_effect_runs_nothing_twice(
    fault_factory: SessionFactory, start_worker: StartWorker
) -> None:
    source = await add_source(fault_factory, 100)
    first = start_worker()
    update_id = await start_update(fault_factory, source)
    ended = await wait_for(fault_factory, update_id, "successful", seconds=PATIENCE_S)
    first.kill()
    before, noted = await versions(fault_factory, source), await changes(fault_factory, update_id)
    second = start_worker()
    # The sweeper goes round once a second; an update of another source shows that this worker is at work.
    await wait_for(fault_factory, await start_update(fault_factory, await add_source(fault_factory, 1)), "successful",
                   seconds=PATIENCE_S)  # fmt: skip
    await asyncio.sleep(1.5)
    assert second.poll() is None
    assert await versions(fault_factory, source) == before
    assert await changes(fault_factory, update_id) == noted == (made(ended), 0)
    async with fault_factory() as session:
        told = select(func.count()).where(
            InventoryUpdateEvent.inventory_update_id == update_id,
            InventoryUpdateEvent.stdout == "Inventory import completed.",
        )
        assert await session.scalar(told) == 1
        job = await session.get_one(Job, ended.job_id)
    assert (job.status, job.attempt) == ("done", 1)


async def test_f09_refreshes_of_one_source_run_one_after_the_other_and_the_last_state_stays(
    fault_factory: SessionFactory, start_worker: StartWorker
) -> None:
    """Given two workers, when one source is asked for at once, then its runs take turns and the last state stays."""
    source = await add_source(fault_factory, 10_000)
    start_worker()
    start_worker()
    first_id = await start_update(fault_factory, source)
    await wait_for(fault_factory, first_id, "running", seconds=PATIENCE_S)
    async with unit_of_work(fault_factory) as session:
        await session.execute(
            update(InventorySource)
            .where(InventorySource.id == source.id)
            .values(source_vars=json.dumps({"hosts": 50, "prefix": "last"}), overwrite=True)
        )
    second_ids = {await start_update(fault_factory, source) for _ in range(4)}
    assert first_id not in second_ids
    assert len(second_ids) == 1
    async with unit_of_work(fault_factory) as session:
        await session.execute(
            update(InventoryUpdate).where(InventoryUpdate.id.in_(second_ids)).values(options={"force_delete": True})
        )
    second = await wait_for(fault_factory, second_ids.pop(), "successful", "failed", "error", seconds=PATIENCE_S)
    first = await wait_for(fault_factory, first_id, "successful", "failed", "error", seconds=1)
    assert (first.status, second.status) == ("successful", "successful"), (first, second.job_explanation)
    assert first.finished is not None
    assert second.started is not None
    assert first.finished <= second.started
    async with fault_factory() as session:
        names = await session.scalars(select(Host.name).where(Host.inventory_id == source.inventory_id))
        assert set(names) == {f"last-{number}" for number in range(1, 51)}


async def until_told(log: Path, event: str) -> None:
    """Wait until a worker's log tells of an event."""
    for _ in range(int(PATIENCE_S * 10)):
        if event in await asyncio.to_thread(log.read_text):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{event} was not told")


@pytest.mark.parametrize("stage", ["parse%", "save groups%"])
async def test_f10_a_worker_that_slept_past_its_lease_changes_nothing(
    fault_factory: SessionFactory, start_worker: StartWorker, tmp_path: Path, stage: str
) -> None:
    source = await add_source(fault_factory, 30_000)
    zombie = start_worker()
    update_id = await start_update(fault_factory, source)
    reached = select(func.count()).where(
        InventoryUpdateEvent.inventory_update_id == update_id, InventoryUpdateEvent.stdout.like(stage)
    )
    async with asyncio.timeout(PATIENCE_S), fault_factory() as session:
        while not await session.scalar(reached):
            await session.rollback()
            await asyncio.sleep(0.01)
    zombie.send_signal(signal.SIGSTOP)
    async with fault_factory() as session:
        assert (await session.get_one(InventoryUpdate, update_id)).status == "running", "over before the pause"
    start_worker()
    await wait_for(fault_factory, update_id, "successful", "failed", "error", seconds=PATIENCE_S)
    after, rows = await versions(fault_factory, source), await state(fault_factory, source)
    zombie.send_signal(signal.SIGCONT)
    await until_told(tmp_path / "worker-0.log", "job_lease_lost")
    assert zombie.poll() is None
    assert (await versions(fault_factory, source), await state(fault_factory, source)) == (after, rows)
    async with fault_factory() as session:
        assert (await session.get_one(InventoryUpdate, update_id)).status == "successful"
        names = select(func.count(), func.count(Host.name.distinct())).where(Host.inventory_id == source.inventory_id)
        assert (await session.execute(names)).one() == (30_000, 30_000)
