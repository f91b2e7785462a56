"""What keeping change sets costs a refresh: processor time with capture over that without, by phase.

Run alone: python -m benchmarks.change_sets [--machines 10000] [--rounds 3] [--url URL]. The machines are those of
benchmarks.refresh, about four objects each. Rounds with and without alternate, each in a database of its own; the
ratio is that of the least of each. The goal is 1.15 for a first refresh, which makes every row.
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.common import Result, at_most, fresh_database, print_table, some_server
from benchmarks.refresh import Fleet, Meter, vacuum
from craton_inv.db.engine import make_engine
from craton_inv.settings import Settings

GOAL = 1.15
PHASES = ("first full", "unchanged", "1 % changed, 1 % removed")


async def capture(engine: AsyncEngine, fleet: Fleet) -> None:
    """Have the one connection of the engine note its changes under a run."""
    async with engine.begin() as connection:
        run = await connection.scalar(
            text(
                "INSERT INTO inventory_updates (inventory_id, tenant_id, inventory_source_id, name)"
                " VALUES (:inventory, :tenant, :source, 'run') RETURNING id"
            ),
            {"inventory": fleet.inventory, "tenant": fleet.tenant, "source": fleet.source},
        )
        await connection.execute(text("SELECT set_config('craton_inv.change_set', :run, false)"), {"run": str(run)})


async def measure(url: str, machines: int, captured: bool) -> dict[str, Mapping[str, float]]:
    """All phases once."""
    settings = Settings(database_pool_size=1)
    engine = make_engine(await fresh_database(url, "bench_change_sets"), settings, statement_timeout=0)
    try:
        fleet = await Fleet.make(engine)
        meter = await Meter.make(engine)
        if captured:
            await capture(engine, fleet)
        first = await meter.measure(lambda: fleet.full(machines))
        await vacuum(engine)
        unchanged = await meter.measure(lambda: fleet.full(machines))
        changed = await meter.measure(lambda: fleet.full(machines, 1, 1))
        return dict(zip(PHASES, (first, unchanged, changed), strict=True))
    finally:
        await engine.dispose()


async def run(url: str, machines: int, rounds: int) -> list[Result]:
    """The ratios of all phases."""
    seconds: dict[tuple[str, bool], list[float]] = {}
    wal: dict[tuple[str, bool], float] = {}
    for _ in range(rounds):
        for captured in (False, True):
            for phase, figures in (await measure(url, machines, captured)).items():
                seconds.setdefault((phase, captured), []).append(figures["python"] + figures["backend"])
                wal[phase, captured] = figures["wal_mb"]
    results = []
    for phase in PHASES:
        off, on = min(seconds[phase, False]), min(seconds[phase, True])
        name = f"{machines} machines, {phase}"
        results += [
            Result(f"{name}: without", off * 1000, "ms"),
            Result(f"{name}: with", on * 1000, "ms"),
            at_most(f"{name}: ratio", on / off, "times", GOAL)
            if phase == PHASES[0]
            else Result(f"{name}: ratio", on / off, "times"),
            Result(f"{name}: more WAL", wal[phase, True] - wal[phase, False], "MB"),
        ]
    return results


async def main(arguments: argparse.Namespace) -> int:
    """Print the table; the exit status says whether the goal is met."""
    async with some_server(arguments.url) as server:
        return 0 if print_table(await run(server, arguments.machines, arguments.rounds)) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--machines", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--url")
    sys.exit(asyncio.run(main(parser.parse_args())))
