"""Deleting a large inventory while others are written: how long a writer waits at most, and how long it all takes.

Run alone: python -m benchmarks.deletion [--hosts 100000] [--source] [--url URL]. The hosts are the machines of
benchmarks.refresh, with 2 disks and 1 port each. Meanwhile hosts and groups are made, changed and deleted in other
inventories of the same tenant, each write in a transaction of its own. The goal is 1 s for the slowest of them.
With --source only the source goes: the hosts stay, and one of the writers is at work in their inventory.
"""

import argparse
import asyncio
import statistics
import sys
import time
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.common import Result, at_most, equal_to, fresh_database, print_table, some_server
from benchmarks.refresh import Fleet, vacuum
from craton_inv.db.engine import make_engine
from craton_inv.db.session import SessionFactory, make_session_factory, unit_of_work
from craton_inv.jobs.context import JobContext
from craton_inv.jobs.registry import TASKS
from craton_inv.logs import get_logger
from craton_inv.models import Disk, Group, Host, Hypervisor, Inventory, InventorySource, Membership
from craton_inv.queue import jobs
from craton_inv.settings import Settings

GOAL = 1000.0  # ms
WRITERS = 3
PAUSE = 0.005  # seconds between two writes of one writer


async def write_once(factory: SessionFactory, inventory: int, tenant: int, number: int) -> float:
    """Make a host in a new group, change it, delete the host before; the seconds of the slowest of the three."""
    took = []
    began = time.perf_counter()
    async with unit_of_work(factory) as session:
        group = Group(inventory_id=inventory, tenant_id=tenant, name=f"g{number}")
        host = Host(inventory_id=inventory, tenant_id=tenant, name=f"h{number}")
        session.add_all([group, host])
        await session.flush()
        session.add(Membership(inventory_id=inventory, group_id=group.id, host_id=host.id))
    took.append(time.perf_counter() - began)
    began = time.perf_counter()
    async with unit_of_work(factory) as session:
        await session.execute(update(Host).where(Host.id == host.id).values(variables={"number": number}))
    took.append(time.perf_counter() - began)
    began = time.perf_counter()
    async with unit_of_work(factory) as session:
        before = (Host.inventory_id == inventory) & (Host.name == f"h{number - 1}")
        for row in await session.scalars(select(Host).where(before)):
            await session.delete(row)
    took.append(time.perf_counter() - began)
    return max(took)


async def keep_writing(
    factory: SessionFactory, inventory: int, tenant: int, over: asyncio.Event, waits: list[float]
) -> None:
    """Write until it is over."""
    number = 0
    while not over.is_set():
        number += 1
        waits.append(await write_once(factory, inventory, tenant, number))
        await asyncio.sleep(PAUSE)


async def work(engine: AsyncEngine, model: type[Inventory | InventorySource], row_id: int) -> float:
    """Mark the inventory or source and do the worker's job; its seconds."""
    factory = make_session_factory(engine)
    task, argument = {
        Inventory: ("delete_inventory", "inventory_id"),
        InventorySource: ("delete_source", "source_id"),
    }[model]
    async with unit_of_work(factory) as session:
        await session.execute(update(model).where(model.id == row_id).values(pending_deletion=True))
        job_id = await jobs.enqueue(session, task, {argument: row_id})
    async with unit_of_work(factory) as session:
        claim = await jobs.claim(session, job_id, "benchmark", 600)
    if claim is None:
        raise RuntimeError("the job was taken by somebody else")
    began = time.perf_counter()
    await TASKS[task].run(JobContext(Settings(), engine, factory, claim, get_logger(__name__)))
    return time.perf_counter() - began


async def run(server: str, hosts: int, source: bool) -> list[Result]:
    """Fill, delete, and tell."""
    url = await fresh_database(server, "bench_deletion")
    filling = make_engine(url, Settings(database_pool_size=1), statement_timeout=0)
    engine = make_engine(url, Settings())
    factory = make_session_factory(engine)
    try:
        fleet = await Fleet.make(filling)
        await fleet.full(hosts)
        await vacuum(filling)
        async with unit_of_work(factory) as session:
            others = [Inventory(tenant_id=fleet.tenant, name=f"other-{number}") for number in range(WRITERS)]
            session.add_all(others)
        waits: list[float] = []
        within: list[float] = []
        over = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            for other in others:
                tasks.create_task(keep_writing(factory, other.id, fleet.tenant, over, waits))
            if source:
                tasks.create_task(keep_writing(factory, fleet.inventory, fleet.tenant, over, within))
            try:
                model, row_id = (InventorySource, fleet.source) if source else (Inventory, fleet.inventory)
                seconds = await work(engine, model, row_id)
            finally:
                over.set()
        async with factory() as session:
            rows: tuple[Any, ...] = (Disk, Hypervisor) if source else (Host, Disk)
            left = [
                await session.scalar(select(func.count()).where(each.inventory_id == fleet.inventory)) or 0
                for each in rows
            ]
    finally:
        await engine.dispose()
        await filling.dispose()
    name = f"source of {hosts} hosts deleted" if source else f"{hosts} hosts deleted"
    results = [
        Result(name, seconds, "s"),
        equal_to(f"{name}: rows left", sum(left), "rows", 0),
        Result(f"{name}: writes beside", len(waits) * 3, "writes"),
        Result(f"{name}: median write (slowest of three)", statistics.median(waits) * 1000, "ms"),
        at_most(f"{name}: slowest write", max(waits) * 1000, "ms", GOAL),
    ]
    if within:
        results.append(at_most(f"{name}: slowest write in its own inventory", max(within) * 1000, "ms", GOAL))
    return results


async def main(arguments: argparse.Namespace) -> int:
    """Print the table; the exit status says whether the goals are met."""
    async with some_server(arguments.url) as server:
        return 0 if print_table(await run(server, arguments.hosts, arguments.source)) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--hosts", type=int, default=100_000)
    parser.add_argument("--source", action="store_true")
    parser.add_argument("--url")
    sys.exit(asyncio.run(main(parser.parse_args())))
