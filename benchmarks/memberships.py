"""Single writes while the memberships of 50 smart inventories are kept, against the same writes with the switch off.

Run alone: python -m benchmarks.memberships [URL]. Two databases with the same 10 000 hosts (1 KB of facts each), 300
groups and 50 smart inventories of all kinds of searches; two applications, one with the switch on, asked in turns over
their HTTP interface, without a network between. Everything commits for real. Afterwards all memberships are compared
with what the searches find.
"""

import asyncio
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.common import Result, at_most, equal_to, fresh_database, print_table, quiet_gc, some_server
from craton_inv.app import create_app
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.logs import configure_logs
from craton_inv.services.membership_reconciliation import reconcile
from craton_inv.services.users import ensure_admin
from craton_inv.settings import Settings

HOSTS = 10_000
GROUPS = 300
WARM_UP = 12
ROUNDS = 40
GOAL = 2.0

SEARCHES = (
    "name=host-00007", 'name ~ "7$"', 'not name ~ "^host-0"', "name__icontains=HOST-02", "search=web",
    "name in (host-00003, host-00004)", "description=edge", "not description=edge", "enabled=false",
    "enabled=true and name__endswith=77", "os_family=Debian", "os_family=null", "state != up",
    "ip_address in (10.0.0.0/9)", "id < 500", "variables__role=web", "not variables__role=web", "variables__rank > 95",
    'variables__role ~ "^(web|db)$" and enabled=false', "variables__role in (db, cache)",
    'variables__icontains="rank: 99"', "variables__zone__isnull=false", "ansible_facts__os=Debian",
    "not ansible_facts__os=Debian", "ansible_facts__cpus >= 60", "ansible_facts__cpus < 2 or ansible_facts__cpus > 62",
    "ansible_facts__missing__isnull=false", "ansible_facts__nics[]__mac__startswith=aa", 'ansible_facts__os ~ "^D"',
    "ansible_facts__nics[]__mac=aa:07", "ansible_facts_modified__isnull=true", "groups__name=group-001",
    "not groups__name=group-001", 'groups__name ~ "-00[12]$"', "groups__name=group-002 and groups__name=group-003",
    "groups__isnull=true", "groups__description=edge", "groups__variables__zone=z1", "groups__parents__name=group-000",
    "all_groups__name=group-000", "not all_groups__name=group-005", 'all_groups__name ~ "7$" and enabled=true',
    "inventory__name=plain and enabled=false", "not inventory__name=plain", "region__name=north", "not region=null",
    "labels__name=gold", "not labels__name=gold", "inventory_sources__name=feed", "created_by__username=nobody",
)  # fmt: skip

FILL = (
    "INSERT INTO tenants (name) VALUES ('t')",
    "INSERT INTO inventories (tenant_id, name) SELECT id, 'plain' FROM tenants",
    f"""INSERT INTO groups (inventory_id, tenant_id, name, variables)
        SELECT i.id, i.tenant_id, 'group-' || lpad(g::text, 3, '0'), jsonb_build_object('zone', 'z' || g % 5)
        FROM inventories i, generate_series(0, {GROUPS - 1}) g""",
    """INSERT INTO group_edges (parent_id, child_id, inventory_id) SELECT p.id, c.id, p.inventory_id
       FROM groups p, groups c WHERE p.name = 'group-000' AND c.name LIKE '%7'""",
    f"""INSERT INTO hosts (inventory_id, tenant_id, name, enabled, os_family, variables, variables_text)
        SELECT i.id, i.tenant_id, 'host-' || lpad(h::text, 5, '0'), h % 9 > 0, (ARRAY['Debian', 'Fedora'])[h % 3],
               jsonb_build_object('role', (ARRAY['web', 'db', 'cache', 'mail'])[1 + h % 4], 'rank', h % 100),
               'rank: ' || h % 100
        FROM inventories i, generate_series(1, {HOSTS}) h""",
    """INSERT INTO host_facts (host_id, facts) SELECT id, jsonb_build_object(
         'os', (ARRAY['Debian', 'Fedora'])[1 + id % 2], 'cpus', id % 64,
         'nics', jsonb_build_array(jsonb_build_object('mac', 'aa:' || lpad((id % 99)::text, 2, '0'))),
         'more', (SELECT jsonb_object_agg('fact_' || k, md5(id || '.' || k)) FROM generate_series(1, 20) k))
       FROM hosts""",
    f"""INSERT INTO memberships (group_id, host_id, inventory_id) SELECT g.id, h.id, h.inventory_id
        FROM hosts h, generate_series(0, 2) k, groups g
        WHERE g.name = 'group-' || lpad(((h.id + k * 37) % {GROUPS})::text, 3, '0')""",
)
STORE = "INSERT INTO inventories (tenant_id, name, kind, host_filter) SELECT id, :name, 'smart', :search FROM tenants"


@dataclass
class Side:
    """One application and what was measured on it, in milliseconds by kind of write."""

    name: str
    client: httpx.AsyncClient
    engine: AsyncEngine
    inventory: int
    hosts: list[int]
    groups: list[int]
    spent: dict[str, list[float]] = field(default_factory=dict)


@asynccontextmanager
async def serving(server: str, name: str, folder: Path, *, on: bool) -> AsyncIterator[Side]:
    """An application on a filled database of its own."""
    url = await fresh_database(server, f"bench_memberships_{name}")
    settings = Settings(
        data_dir=folder / name,
        database_url=url,
        secret_key="bench",
        awx_rebuild_smart_membership=on,
    )
    app = create_app(settings)
    context = app.state.context
    async with unit_of_work(context.session_factory) as session:
        token = await ensure_admin(session, settings)
        await session.execute(text("SET LOCAL craton_inv.rebuild_smart_membership = off"))
        for statement in FILL:
            await session.execute(text(statement))
        for search in SEARCHES:
            values = {"name": search[:100], "search": search}
            await session.execute(text(STORE), values)
    async with context.engine.connect() as connection:
        await (await connection.execution_options(isolation_level="AUTOCOMMIT")).execute(text("VACUUM ANALYZE"))
    if on:
        await reconcile(make_session_factory(context.engine), 60.0)
    async with context.engine.connect() as connection:
        inventory = await connection.scalar(text("SELECT id FROM inventories WHERE name = 'plain'"))
        hosts = [*await connection.scalars(text("SELECT id FROM hosts ORDER BY md5(id::text) LIMIT 2000"))]
        groups = [*await connection.scalars(text("SELECT id FROM groups ORDER BY id"))]
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://bench", headers=headers) as client:
        yield Side(name, client, context.engine, inventory, hosts, groups)
    await context.engine.dispose()


async def send(side: Side, kind: str, method: str, path: str, body: Any = None) -> httpx.Response:
    """One request, its time kept."""
    begin = time.perf_counter()
    answer = await side.client.request(method, f"/v2{path}", json=body)
    side.spent.setdefault(kind, []).append((time.perf_counter() - begin) * 1000)
    answer.raise_for_status()
    return answer


async def one_round(side: Side, number: int) -> None:
    """One write of every kind; both sides make the same ones."""
    host = side.hosts[number]
    group = side.groups[number % GROUPS]
    text_ = f"role: web\nrank: {number}"
    new = {"name": f"new-{number}", "inventory": side.inventory, "variables": text_}
    made = (await send(side, "create a host", "POST", "/hosts/", new)).json()["id"]
    await send(side, "rename a host", "PATCH", f"/hosts/{made}/", {"name": f"newer-{number}"})
    await send(side, "change variables", "PATCH", f"/hosts/{host}/", {"variables": f"{text_}\nround: {number}"})
    await send(
        side, "change columns", "PATCH", f"/hosts/{host}/", {"description": f"edge {number}", "enabled": number % 2 > 0}
    )
    facts = {"os": "Debian", "cpus": number % 64}
    await send(side, "merge facts", "PATCH", f"/hosts/{host}/ansible_facts/", facts)
    await send(side, "join a group", "POST", f"/hosts/{made}/groups/", {"id": group})
    await send(side, "leave a group", "POST", f"/hosts/{made}/groups/", {"id": group, "disassociate": True})
    await send(side, "change a group of 100 hosts", "PATCH", f"/groups/{group}/", {"description": f"edge {number}"})
    await send(side, "delete a host", "DELETE", f"/hosts/{made}/")


async def run(server: str) -> list[Result]:
    """All figures."""
    configure_logs("WARNING", as_json=False)
    results: list[Result] = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="civ-bench-")))
        off = await stack.enter_async_context(serving(server, "off", folder, on=False))
        on = await stack.enter_async_context(serving(server, "on", folder, on=True))
        turns = itertools.cycle(((off, on), (on, off)))
        for number, sides in zip(range(WARM_UP + ROUNDS), turns, strict=False):
            for side in sides:
                with quiet_gc():
                    await one_round(side, number)
        for statistic, worked_out in STATISTICS.items():
            sums = {"off": 0.0, "on": 0.0}
            for kind in off.spent:
                times = {side.name: worked_out(side.spent[kind][WARM_UP:]) for side in (off, on)}
                sums = {name: sums[name] + times[name] for name in sums}
                if statistic == "median":
                    results += [
                        Result(f"{kind}: off", times["off"], "ms"),
                        Result(f"{kind}: on", times["on"], "ms"),
                        at_most(f"{kind}: on / off", times["on"] / times["off"], "x", GOAL),
                    ]
            results.append(at_most(f"all kinds, {statistic}: on / off", sums["on"] / sums["off"], "x", GOAL))
        report = await reconcile(make_session_factory(on.engine), 60.0)
        results.append(Result("smart inventories checked afterwards", report.checked))
        wrong = sum(each.difference.added + each.difference.gone for each in report.found)
        results.append(equal_to("memberships that were wrong", wrong, "", 0))
    return results


STATISTICS: dict[str, Callable[[list[float]], float]] = {
    "median": statistics.median,
    "95th percentile": lambda times: statistics.quantiles(times, n=20)[-1],
}


async def main(url: str | None) -> int:
    """Print the table; the exit status says whether the goals are met."""
    async with some_server(url) as server:
        return 0 if print_table(await run(server)) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None)))
