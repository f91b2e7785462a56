"""Pages of filtered hosts on 100 000 hosts with 10 KB of facts each, against the best SQL written by hand.

Run alone: python -m benchmarks.filters [--hosts N] [--kilobytes N] [--url URL]. Each filter is asked for a page of 25,
ordered by id and by name, with its exact count and without, through the repository; the SQL by hand gives the same page
and count, and is the best of several forms. Times are what the server reports for planning and execution, the best of
some rounds, in milliseconds; HTTP, parsing of the filter and encoding are not in them. The filters that find few hosts
at any size are measured in a world of a tenth, too: their cost must not grow with the table.
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from benchmarks.common import Result, at_most, fresh_database, print_table, quiet_gc, some_server
from benchmarks.filter_cases import CASES, DECLARED, DECLARED_SEARCHES, Case
from benchmarks.filter_world import build
from craton_inv.db.engine import make_engine
from craton_inv.filters import compile_where, order_by_clauses, parse
from craton_inv.models import Host
from craton_inv.repositories.base import Rows
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.path_indexes import keep_indexes, use_declared
from craton_inv.repositories.scope import SYSTEM
from craton_inv.settings import Settings

ROUNDS = 7
LONG_ENOUGH = 1_000.0  # milliseconds of rounds after which the best is known
GOAL = 2.0
NOISE = 0.5  # milliseconds: below it the difference is planning and the load of the machine
INDEXED_MS = 1_000.0
SCAN_MS = 1_000.0
PARSER_MS = 2.0
TIMED_SIZE = 100_000  # hosts up to which the times are held to goals; beyond, the ratios alone
GROWTH = 3.0  # times as long in ten times the world
EXPLAIN = "EXPLAIN (ANALYZE, TIMING OFF, SUMMARY ON, FORMAT JSON)"


class Form(NamedTuple):
    """One way to a page: its statements with their parameters. `scans`: whether sequential scans are allowed."""

    statements: Sequence[tuple[str, Any]]
    scans: bool = True


class Watch:
    """Keeps the statements that pass, to have the server say what each costs: planning and execution."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.seen: list[tuple[str, Any]] = []
        event.listen(engine.sync_engine, "before_cursor_execute", self._before)

    def _before(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        self.seen.append((statement, parameters))

    async def cost(self, session: AsyncSession, form: Form) -> float:
        """Milliseconds of all statements of a form together."""
        connection = await session.connection()
        await session.execute(text(f"SET LOCAL enable_seqscan = {'on' if form.scans else 'off'}"))
        self.seen.clear()
        spent = 0.0
        for statement, parameters in form.statements:
            explained = await connection.exec_driver_sql(f"{EXPLAIN} {statement}", parameters)
            plan = explained.scalar_one()[0]
            spent += plan["Planning Time"] + plan["Execution Time"]
        return spent

    async def costs(self, session: AsyncSession, *forms: Form) -> list[float]:
        """The best of some rounds, in which the forms take turns: load elsewhere meets all alike."""
        times: list[list[float]] = []
        while len(times) < ROUNDS and (len(times) < 3 or sum(map(sum, times)) < LONG_ENOUGH * len(forms)):
            times.append([await self.cost(session, form) for form in forms])
        return [min(column) for column in zip(*times, strict=True)]


class Measured(NamedTuple):
    """One page: how many were found, milliseconds of ours and of the best by hand, our statements."""

    found: int | None
    ours: float
    best: float
    statements: int


async def page_of(watch: Watch, session: AsyncSession, case: Case, order: str, count: bool) -> tuple[Rows[Host], Form]:
    """The page as the API asks for it, and the statements that took."""
    watch.seen.clear()
    where = [compile_where(parse(case.text), Host)]
    repository = HostRepository(session, SYSTEM)
    rows = await repository.page(where=where, order=order_by_clauses(order, Host), count=count, searched=True)
    return rows, Form(list(watch.seen))


async def forms_by_hand(session: AsyncSession, case: Case, order: str, wanted: Rows[Host]) -> list[Form]:
    """The forms that one would write, each sure to give the same rows and count.

    What an index can answer is tried without sequential scans, too.
    """
    forms = []
    for statements in case.by_hand("h.id" if order == "id" else f"h.{order}, h.id", wanted.count is not None):
        *counting, page = statements
        rows = (await session.execute(text(page))).all()
        assert [row.id for row in rows] == [row.id for row in wanted.items], page
        for statement in counting:
            assert await session.scalar(text(statement)) == wanted.count, statement
        for scans in (True, False) if case.scans == 0 else (True,):
            forms.append(Form([(statement, ()) for statement in statements], scans))
    return forms


async def compared(watch: Watch, session: AsyncSession, case: Case, order: str, count: bool) -> Measured:
    """Ours against the best by hand: the two that did best in a first round run against ours."""
    rows, ours = await page_of(watch, session, case, order, count)
    forms = await forms_by_hand(session, case, order, rows)
    first = {await watch.cost(session, form): form for form in forms}
    mine, *hands = await watch.costs(session, ours, *(first[spent] for spent in sorted(first)[:2]))
    await session.rollback()
    return Measured(rows.count, mine, min(hands), len(ours.statements))


async def measure(engine: AsyncEngine, hosts: int, small: dict[str, float]) -> list[Result]:
    """Print the tables; what came of the goals. `small`: times of the selective filters in the smaller world."""
    watch = Watch(engine)
    indexed, scanning, growth = 0.0, 0.0, 0.0
    worst = {True: 0.0, False: 0.0}
    for count, order in ((True, "id"), (True, "name"), (False, "id"), (False, "name")):
        title = f"{'with' if count else 'without'} count, ordered by {order}"
        print(f"\n{title:66}{'found':>8}{'ours':>10}{'by hand':>10}{'ratio':>7}{'statements':>12}{'growth':>8}")
        for case in CASES:
            async with AsyncSession(engine) as session:
                page = await compared(watch, session, case, order, count)
            ratio = page.ours / page.best
            if page.ours - page.best > NOISE:
                worst[count] = max(worst[count], ratio)
            if case.scans:
                scanning = max(scanning, page.ours / case.scans)
            else:
                indexed = max(indexed, page.ours)
            grown = ""
            if count and order == "id" and case.text in small:
                times = max(page.ours, NOISE) / max(small[case.text], NOISE)
                growth, grown = max(growth, times), f"{times:.1f}"
            print(
                f"{shown(case.text):66}{'' if page.found is None else page.found:>8}{page.ours:>10.2f}"
                f"{page.best:>10.2f}{ratio:>7.2f}{page.statements:>12}{grown:>8}",
                flush=True,
            )
    timed = hosts <= TIMED_SIZE
    apart = f"where more than {NOISE} ms apart"
    return [
        at_most(f"worst ratio to SQL by hand with count, {apart}", worst[True], "times", GOAL),
        at_most(f"worst ratio to SQL by hand without count, {apart}", worst[False], "times", GOAL),
        _goal("slowest page of indexed terms", indexed, INDEXED_MS, timed),
        _goal("slowest page of terms that scan, per term", scanning, SCAN_MS, timed),
        at_most("a selective filter in ten times the world", growth, "times", GROWTH),
    ]


async def measure_declared(engine: AsyncEngine, url: str) -> Result:
    """Print what declaring its paths makes of searches; the slowest page of them."""
    watch = Watch(engine)
    slowest = 0.0
    started = time.monotonic()
    await keep_indexes(url, DECLARED)
    spent = time.monotonic() - started
    print(f"\n{f'with count, declared (indexes made in {spent:.0f} s)':66}{'found':>8}{'ours':>10}{'undeclared':>12}")
    for filter_text in DECLARED_SEARCHES:
        times = []
        for paths in (DECLARED, []):
            use_declared(paths)
            async with AsyncSession(engine) as session:
                rows, form = await page_of(watch, session, Case(filter_text, ()), "id", True)
                times += await watch.costs(session, form)
        slowest = max(slowest, times[0])
        print(f"{shown(filter_text):66}{rows.count:>8}{times[0]:>10.2f}{times[1]:>12.2f}", flush=True)
    return at_most("slowest page of terms on declared paths", slowest, "ms", INDEXED_MS)


def shown(filter_text: str) -> str:
    """A filter as it fits the table."""
    return filter_text if len(filter_text) < 64 else filter_text[:62] + "…"


def _goal(name: str, value: float, limit: float, held: bool) -> Result:
    return at_most(name, value, "ms", limit) if held else Result(name, value, "ms")


async def selective(engine: AsyncEngine) -> dict[str, float]:
    """Milliseconds of a counted page of each selective filter."""
    watch = Watch(engine)
    found = {}
    for case in CASES:
        if case.selective:
            async with AsyncSession(engine) as session:
                _, form = await page_of(watch, session, case, "id", True)
                [found[case.text]] = await watch.costs(session, form)
    return found


def measure_parser() -> Result:
    """The parser alone on 200 terms, in processor time; every text is new, so that none comes from its cache."""
    times = []
    for number in range(200):
        filter_text = " or ".join(f"name{term}=v{number}" for term in range(200))
        with quiet_gc():
            started = time.process_time()
            parse(filter_text)
            times.append((time.process_time() - started) * 1000)
    return at_most("parser: median of 200 terms", statistics.median(times), "ms", PARSER_MS)


async def run(server: str, hosts: int, kilobytes: int) -> list[Result]:
    """Build both worlds on the server and measure."""
    results: dict[int, Any] = {}
    for size in (hosts // 10, hosts):
        url = await fresh_database(server, f"filters_{size}")
        started = time.monotonic()
        mean = await build(url, size, kilobytes)
        print(
            f"{size} hosts, {mean / 1024:.1f} KB of facts each, built in {time.monotonic() - started:.0f} s", flush=True
        )
        engine = make_engine(url, Settings(database_url=url), statement_timeout=0)
        try:
            if size < hosts:
                results[size] = await selective(engine)
            else:
                compared_pages = await measure(engine, hosts, results[hosts // 10])
                return [*compared_pages, await measure_declared(engine, url)]
        finally:
            await engine.dispose()
    raise AssertionError("the larger world comes last")


def main() -> int:
    """Measure, on a server of its own that is thrown away afterwards unless `--url` names one."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--hosts", type=int, default=100_000)
    parser.add_argument("--kilobytes", type=int, default=10, help="facts of a host")
    parser.add_argument("--url", help="a PostgreSQL to work on; databases filters_N are made there")
    asked = parser.parse_args()

    async def measured() -> list[Result]:
        async with some_server(asked.url) as server:
            return await run(server, asked.hosts, asked.kilobytes)

    results = [measure_parser(), *asyncio.run(measured())]
    print()
    return 0 if print_table(results) else 1


if __name__ == "__main__":
    sys.exit(main())
