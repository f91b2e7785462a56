"""Refreshing machines with their disks, ports, hypervisors and flavors: objects per second of processor time.

Run alone: python -m benchmarks.refresh [--machines 10000 50000] [--url URL]. A machine has two disks and one port, and
is linked to one of 5 % as many hypervisors and one of 20 flavors: about four objects a machine. The refresh is the
whole pipeline but the network: parser, spools, saver, commit. Processor time is that of this process and of its
PostgreSQL backend together; a machine with other work on it lengthens seconds, but hardly these. WAL is what the
server wrote. Each size runs in a process of its own, so that its peak of memory is its own.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from benchmarks.common import Result, at_most, fresh_database, print_table, quiet_gc, some_server
from benchmarks.refresh_inventory import World
from craton_inv.db.engine import make_engine
from craton_inv.providers.inventory_persister import IMPORTED, InventoryPersister
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.saving import SaveOptions
from craton_inv.refresh.target import Target, Targets
from craton_inv.settings import Settings

FLAVORS = 20
DISK = 20 * 1024**3  # bytes
TABLES = ("hosts", "disks", "network_ports", "hypervisors", "flavors")
GOAL_FIRST, GOAL_UNCHANGED = 40_000, 120_000  # objects per second of processor time
GOAL_STATEMENTS, GOAL_DATABASE_MS = 15, 10
GOAL_MEMORY_MB = 300
TICK = os.sysconf("SC_CLK_TCK")


class Cloud(Collector):
    """A made-up cloud. `changed` and `removed`: of so many machines in a hundred another serial, or no trace."""

    def __init__(self, targets: Targets, machines: int, changed: int = 0, removed: int = 0) -> None:
        super().__init__(targets)
        self.count = machines
        self.changed = changed
        self.removed = removed

    def machines(self) -> range | list[int]:
        """The numbers of machines: all, or those asked for."""
        if self.targets.full:
            return range(self.count)
        return [int(ref.removeprefix("i-")) for ref in self.targets.values("hosts", "instance_id")]

    def is_gone(self, number: int) -> bool:
        """Whether the machine was removed."""
        return number % 100 < self.removed

    def is_changed(self, number: int) -> bool:
        """Whether it has another serial than before."""
        return number % 100 >= 100 - self.changed


class CloudParser(Parser):
    """Hosts with two disks and a port each."""

    def __init__(self, cloud: Cloud, persister: InventoryPersister) -> None:
        self.cloud = cloud
        self.persister = persister

    async def parse(self) -> AsyncIterator[InventoryObject]:
        """Hypervisors and flavors come only with a full refresh: no machine's target asks for them."""
        persister, cloud = self.persister, self.cloud
        hypervisors, flavors = persister["hypervisors"], persister["flavors"]
        disks, ports, hosts = persister["disks"], persister["network_ports"], persister.hosts
        racks = max(1, cloud.count // 20)
        if cloud.targets.full:
            for number in range(racks):
                yield hypervisors.build(ref=f"hv-{number}", name=f"hv-{number:05d}", hypervisor_type="kvm", cpus=64)
            for number in range(FLAVORS):
                yield flavors.build(
                    ref=f"f-{number}", name=f"m{number}.large", cpus=number + 1, memory_mb=1024 * number
                )
        for number in cloud.machines():
            if cloud.is_gone(number):
                continue
            instance = f"i-{number}"
            address = f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"
            serial = f"SN{number * 7919:010d}" + ("-new" if cloud.is_changed(number) else "")
            yield hosts.build(
                name=f"machine-{number:06d}",
                variables={"ansible_host": address, "serial": serial, "tier": number % 4},
                enabled=True,
                instance_id=instance,
                description=IMPORTED,
                flavor_id=flavors.lazy_find(f"f-{number % FLAVORS}"),
                parent_host_id=hypervisors.lazy_find(f"hv-{number % racks}"),
            )
            host = hosts.lazy_find(instance, ref="by_instance_id")
            for letter in "ab":
                yield disks.build(
                    ref=f"{instance}/sd{letter}",
                    name=f"sd{letter}",
                    host_id=host,
                    size=21474836480,
                    bootable=letter == "a",
                )
            yield ports.build(
                ref=f"{instance}/eth0",
                name="eth0",
                host_id=host,
                mac_address=f"52:54:00:{number // 65536 % 256:02x}:{number // 256 % 256:02x}:{number % 256:02x}",
                ip_address=address,
                ip_addresses=[address],
            )


class Fleet(World):
    """A world whose source is the made-up cloud."""

    async def full(self, machines: int, changed: int = 0, removed: int = 0) -> dict[str, Counts]:
        """A full refresh, committed."""
        return await self.run(Cloud(Targets(self.source), machines, changed, removed))

    async def one(self, machines: int, number: int, changed: int = 100) -> dict[str, Counts]:
        """A refresh of one machine, committed."""
        target = Target.of(self.source, "hosts", {"instance_id": f"i-{number}"})
        return await self.run(Cloud(Targets(self.source, frozenset({target})), machines, changed))

    async def run(self, cloud: Cloud) -> dict[str, Counts]:
        """One refresh, committed."""
        persister = InventoryPersister(self.inventory)
        for name in ("hypervisors", "flavors", "disks", "network_ports"):
            persister.add_collection(name)
        refresher = Refresher(cloud, CloudParser(cloud, persister), persister)
        targets = None if cloud.targets.full else cloud.targets
        scope = {"inventory_id": self.inventory, "tenant_id": self.tenant}
        options = SaveOptions(self.source, scope, delete=True, targets=targets)
        try:
            await refresher.gather()
            async with self.engine.begin() as connection:
                return await refresher.save(connection, options)
        finally:
            await refresher.close()


def process_seconds(pid: int) -> float:
    """Processor time of another process so far, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Meter:
    """Measures phases: processor seconds of this process and of the one backend, WAL, statements and their time."""

    def __init__(self, engine: AsyncEngine, backend: int) -> None:
        self.engine = engine
        self.backend = backend
        self.statements = 0
        self.database_seconds = 0.0
        event.listen(engine.sync_engine, "before_cursor_execute", self._before)
        event.listen(engine.sync_engine, "after_cursor_execute", self._after)

    @classmethod
    async def make(cls, engine: AsyncEngine) -> "Meter":
        """The engine's pool holds one connection: its backend does all the work."""
        async with engine.connect() as connection:
            return cls(engine, int(await connection.scalar(text("SELECT pg_backend_pid()")) or 0))

    def _before(self, connection: Any, *_: Any) -> None:
        connection.info["began"] = time.perf_counter()
        self.statements += 1

    def _after(self, connection: Any, *_: Any) -> None:
        self.database_seconds += time.perf_counter() - connection.info["began"]

    async def _wal(self) -> int:
        async with self.engine.connect() as connection:
            return int(await connection.scalar(text("SELECT pg_current_wal_insert_lsn() - '0/0'")) or 0)

    async def measure(self, work: Callable[[], Awaitable[Mapping[str, Counts]]]) -> dict[str, float]:
        """What one phase costs."""
        wal = await self._wal()
        self.statements, self.database_seconds = 0, 0.0
        with quiet_gc():
            began, ours, theirs = time.perf_counter(), time.process_time(), process_seconds(self.backend)
            counts = await work()
            seconds = time.perf_counter() - began
            python, backend = time.process_time() - ours, process_seconds(self.backend) - theirs
        statements, database = self.statements, self.database_seconds
        objects = sum(count.delivered for name, count in counts.items() if name in TABLES)
        return {
            "objects": objects,
            "per_second": objects / (python + backend),
            "seconds": seconds,
            "python": python,
            "backend": backend,
            "statements": statements,
            "database_ms": database * 1000,
            "written": sum(count.written for count in counts.values()),
            "wal_mb": (await self._wal() - wal) / 1e6,
        }


async def vacuum(engine: AsyncEngine) -> None:
    """As autovacuum does between two refreshes of a day."""
    async with engine.connect() as connection:
        plain: AsyncConnection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await plain.execute(text("VACUUM ANALYZE"))


async def measure(url: str, machines: int) -> dict[str, dict[str, float]]:
    """All phases at one size."""
    settings = Settings(database_pool_size=1)
    engine = make_engine(await fresh_database(url, f"bench_refresh_{machines}"), settings, statement_timeout=0)
    try:
        fleet = await Fleet.make(engine)
        meter = await Meter.make(engine)
        phases = {"first full": await meter.measure(lambda: fleet.full(machines))}
        await vacuum(engine)
        phases["unchanged"] = await meter.measure(lambda: fleet.full(machines))
        phases["1 % changed, 1 % removed"] = await meter.measure(lambda: fleet.full(machines, 1, 1))
        await vacuum(engine)
        await fleet.one(machines, 57)  # statements are prepared once per connection
        phases["one machine by target"] = await meter.measure(lambda: fleet.one(machines, 50))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {**phases, "memory": {"peak_mb": peak}}
    finally:
        await engine.dispose()


def results_of(machines: int, phases: Mapping[str, Mapping[str, float]]) -> list[Result]:
    """The table of one size."""
    first, unchanged = phases["first full"], phases["unchanged"]
    changed, one = phases["1 % changed, 1 % removed"], phases["one machine by target"]
    size = f"{machines} machines"
    return [
        Result(f"{size}: objects", first["objects"], "objects"),
        at_least(f"{size}: first full", first["per_second"], GOAL_FIRST),
        Result(f"{size}: first full, Python / PostgreSQL", first["python"], f"s / {first['backend']:.2f} s"),
        at_least(f"{size}: unchanged", unchanged["per_second"], GOAL_UNCHANGED),
        Result(f"{size}: unchanged, WAL", unchanged["wal_mb"], "MB"),
        at_most(f"{size}: unchanged, rows written", unchanged["written"], "rows", 0),
        Result(f"{size}: 1 % changed, 1 % removed", changed["per_second"], "objects/s"),
        Result(f"{size}: 1 % changed, 1 % removed, WAL", changed["wal_mb"], "MB"),
        at_most(f"{size}: one machine, statements", one["statements"], "", GOAL_STATEMENTS),
        at_most(f"{size}: one machine, in the database", one["database_ms"], "ms", GOAL_DATABASE_MS),
        at_most(f"{size}: peak memory of Python", phases["memory"]["peak_mb"], "MB", GOAL_MEMORY_MB),
    ]


def at_least(name: str, value: float, limit: float) -> Result:
    """A rate that must not fall below `limit`."""
    return Result(name, value, "objects/s", f">= {limit:g}", value >= limit)


def in_a_process(url: str, machines: int) -> dict[str, dict[str, float]]:
    """One size in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.refresh", "--url", url, "--only", str(machines)]
    found = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    phases: dict[str, dict[str, float]] = json.loads(found.stdout.splitlines()[-1])
    return phases


async def main(arguments: argparse.Namespace) -> int:
    """Print the table; the exit status says whether the goals are met."""
    if arguments.only:
        print(json.dumps(await measure(arguments.url, arguments.only)))
        return 0
    results: list[Result] = []
    async with some_server(arguments.url) as server:
        for machines in arguments.machines:
            results += results_of(machines, await asyncio.to_thread(in_a_process, server, machines))
    return 0 if print_table(results) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--machines", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--url", help="a PostgreSQL to work in, on this machine; else an embedded one")
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)
    sys.exit(asyncio.run(main(parser.parse_args())))
