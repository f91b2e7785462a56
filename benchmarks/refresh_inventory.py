"""Refreshing 10 000 hosts (10 variables, 3 memberships each) against plain COPY of the same rows into the same tables.

Run alone: python -m benchmarks.refresh_inventory [URL]. The refresh is the whole pipeline but ansible-inventory: the
JSON document on disk, parser, spools, saver, commit. The COPY puts the finished rows, ready as bytes, into the same
tables with the same indexes, foreign keys and triggers, and commits. Both alternate in one run; the ratio is that of
the medians.
"""

import asyncio
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.common import (
    Result,
    at_most,
    equal_to,
    fresh_database,
    print_table,
    quiet_gc,
    some_server,
    statement_counter,
)
from craton_inv.db.engine import make_engine
from craton_inv.providers.ansible_json import AnsibleJsonParser, HostRules
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.saving import SaveOptions
from craton_inv.refresh.target import Targets
from craton_inv.settings import Settings

GROUPS = 60
MEMBERSHIPS = 3
TABLES = ("groups", "group_sources", "hosts", "host_sources", "memberships", "group_edges")
GOAL_FIRST = 3.0


def make_document(hosts: int, changed: float = 0.0) -> dict[str, Any]:
    """What ansible-inventory gives for `hosts` hosts; `changed` is the share of them with another value."""
    every = int(1 / changed) if changed else 0
    hostvars = {
        f"host-{n:06d}.example.org": {
            "ansible_host": f"10.{n // 65536}.{n // 256 % 256}.{n % 256}",
            "ansible_port": 22,
            "ansible_user": "deploy",
            "rack": f"r{n % 40}",
            "unit": n % 42,
            "environment_name": "production" if n % 5 else "staging",
            "tags": ["web", "linux", f"tier-{n % 4}"],
            "mac": f"52:54:00:{n // 65536 % 256:02x}:{n // 256 % 256:02x}:{n % 256:02x}",
            "backup": {"enabled": n % 2 == 0, "window": "02:00-04:00"},
            "serial": f"SN{n * 7919:010d}" + ("-new" if every and n % every == 0 else ""),
        }
        for n in range(hosts)
    }
    document: dict[str, Any] = {"_meta": {"hostvars": hostvars}, "all": {"children": ["ungrouped"]}}
    for g in range(GROUPS):
        document[f"group_{g:03d}"] = {"hosts": [], "vars": {"number": g}}
        document["all"]["children"].append(f"group_{g:03d}")
    for n, name in enumerate(hostvars):
        for k in range(MEMBERSHIPS):
            document[f"group_{(n + k * 17) % GROUPS:03d}"]["hosts"].append(name)
    return document


class FileCollector(Collector):
    """Reads the document from disk, as the `file` provider does after ansible-inventory."""

    def __init__(self, source_id: int, path: Path) -> None:
        super().__init__(Targets(source_id))
        self.path = path
        self.document: Mapping[str, Any] = {}

    async def collect(self) -> None:
        """Read and decode."""
        self.document = json.loads(self.path.read_bytes())


class World:
    """A tenant, an inventory and a source to refresh."""

    def __init__(self, engine: AsyncEngine, tenant: int, inventory: int, source: int) -> None:
        self.engine = engine
        self.tenant = tenant
        self.inventory = inventory
        self.source = source

    @classmethod
    async def make(cls, engine: AsyncEngine) -> Self:
        """Insert them."""
        async with engine.begin() as connection:
            tenant = await connection.scalar(text("INSERT INTO tenants (name) VALUES ('acme') RETURNING id"))
            inventory = await connection.scalar(
                text(f"INSERT INTO inventories (tenant_id, name) VALUES ({tenant}, 'main') RETURNING id")
            )
            source = await connection.scalar(
                text(
                    "INSERT INTO inventory_sources (tenant_id, inventory_id, name, source) "
                    f"VALUES ({tenant}, {inventory}, 'file', 'file') RETURNING id"
                )
            )
        return cls(engine, tenant, inventory, source)

    async def refresh(self, path: Path) -> dict[str, Counts]:
        """One whole refresh, committed."""
        collector = FileCollector(self.source, path)
        persister = InventoryPersister(self.inventory)
        refresher = Refresher(
            collector, AnsibleJsonParser(lambda: collector.document, persister, HostRules()), persister
        )
        options = SaveOptions(self.source, {"inventory_id": self.inventory, "tenant_id": self.tenant}, delete=True)
        try:
            await refresher.gather()
            async with self.engine.begin() as connection:
                return await refresher.save(connection, options)
        finally:
            await refresher.close()

    async def dump(self) -> dict[str, bytes]:
        """All rows as COPY text."""
        rows: dict[str, bytes] = {}
        async with self.engine.connect() as connection:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            for table in TABLES:
                buffer = io.BytesIO()
                await raw.copy_from_table(table, output=buffer)
                rows[table] = buffer.getvalue()
        return rows

    async def copy(self, rows: Mapping[str, bytes]) -> None:
        """Plain COPY of finished rows, committed."""
        async with self.engine.begin() as connection:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            for table in TABLES:
                await raw.copy_to_table(table, source=io.BytesIO(rows[table]))

    async def clear(self) -> None:
        """Empty the tables; CHECKPOINT, where our role may, so that no measurement pays for the one before."""
        async with self.engine.begin() as connection:
            await connection.execute(text(f"TRUNCATE {', '.join(TABLES)} CASCADE"))
            allowed = await connection.scalar(text("SELECT pg_has_role(current_user, 'pg_checkpoint', 'USAGE')"))
        if allowed:
            async with self.engine.connect() as connection:
                await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("CHECKPOINT"))


async def timed(work: Callable[[], Awaitable[Any]]) -> tuple[float, Any]:
    """Seconds and result."""
    with quiet_gc():
        started = time.perf_counter()
        result = await work()
        return time.perf_counter() - started, result


def written(counts: Mapping[str, Counts]) -> int:
    """Rows that a refresh wrote."""
    return sum(count.written for count in counts.values())


async def measure(world: World, folder: Path, hosts: int, rounds: int) -> dict[str, Any]:
    """Times and counts for one size."""
    base, changed = folder / f"{hosts}.json", folder / f"{hosts}-changed.json"
    base.write_text(json.dumps(make_document(hosts)))
    changed.write_text(json.dumps(make_document(hosts, 0.01)))
    times: dict[str, list[float]] = {"first": [], "copy": [], "unchanged": [], "changed": []}
    facts: dict[str, Any] = {}
    for _ in range(rounds):
        await world.clear()
        with statement_counter(world.engine) as statements:
            seconds, counts = await timed(lambda: world.refresh(base))
        times["first"].append(seconds)
        facts["statements first"] = statements.count
        facts["rows first"] = written(counts)
        rows = await world.dump()
        for name, path in (("unchanged", base), ("changed", changed)):
            with statement_counter(world.engine) as statements:
                seconds, counts = await timed(lambda path=path: world.refresh(path))  # type: ignore[misc]
            times[name].append(seconds)
            facts[f"statements {name}"] = statements.count
            facts[f"rows {name}"] = written(counts)
        await world.clear()
        seconds, _ = await timed(lambda rows=rows: world.copy(rows))  # type: ignore[misc]
        times["copy"].append(seconds)
    return facts | {name: statistics.median(values) for name, values in times.items()}


async def run(url: str, *, quick: bool = False) -> list[Result]:
    """The figures for 1 000 and 10 000 hosts; `quick`: 200 and 1 000, two rounds."""
    small, large = (200, 1_000) if quick else (1_000, 10_000)
    engine = make_engine(await fresh_database(url, "bench_refresh"), Settings(), statement_timeout=0)
    try:
        world = await World.make(engine)
        with tempfile.TemporaryDirectory() as folder:
            few = await measure(world, Path(folder), small, 1)
            many = await measure(world, Path(folder), large, 2 if quick else 5)
    finally:
        await engine.dispose()
    results = [
        Result(f"plain COPY of {large} hosts", many["copy"] * 1000, "ms"),
        Result(f"first import of {large} hosts", many["first"] * 1000, "ms"),
        at_most("first import / plain COPY", many["first"] / many["copy"], "times", GOAL_FIRST),
        Result("unchanged re-import", many["unchanged"] * 1000, "ms"),
        equal_to("rows written when unchanged", many["rows unchanged"], "rows", 0),
        Result("re-import with 1 % changed", many["changed"] * 1000, "ms"),
        equal_to("rows written for 1 % (host and layer)", many["rows changed"], "rows", 2 * large // 100),
    ]
    for phase in ("first", "unchanged", "changed"):
        name = f"statements {phase}"
        results.append(equal_to(f"{name}, {large} hosts as for {small}", many[name], "+ 5 COPY", few[name]))
    return results


async def main(url: str | None) -> int:
    """Print the table; the exit status says whether the goals are met."""
    async with some_server(url) as server:
        return 0 if print_table(await run(server)) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None)))
