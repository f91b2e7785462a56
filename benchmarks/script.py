"""The script of 10 000 hosts (10 variables, 3 memberships each) against the same rows fetched and dumped by hand.

Run alone: python -m benchmarks.script [URL]. Ours is the whole service call: the inventory's row, the view, the
document with hostvars, its bytes. Bare is asyncpg's fetch of the same four result sets and one json.dumps of the
simplest document, in two forms: with the variables as values, which Ansible can use, and with the variables as unparsed
text, which is less than anybody can use. The goal holds for both at 10 000 hosts; at 1 000 fixed costs are what counts.
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

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
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.scripts import Script, ScriptQuery, inventory_script
from craton_inv.settings import Settings

SIZES = (1_000, 10_000)
ROUNDS = 9
GROUPS = 100
GOAL = 3.0

BARE = {
    "groups": "SELECT id, name, variables FROM groups WHERE inventory_id = $1",
    "hosts": "SELECT id, name, variables FROM hosts WHERE inventory_id = $1 AND enabled",
    "memberships": "SELECT group_id, host_id FROM memberships WHERE inventory_id = $1",
    "edges": "SELECT parent_id, child_id FROM group_edges WHERE inventory_id = $1",
}


async def build(engine: AsyncEngine, hosts: int) -> int:
    """An inventory of `hosts` hosts; its id."""
    async with engine.begin() as connection:
        tenant = await connection.scalar(text(f"INSERT INTO tenants (name) VALUES ('t{hosts}') RETURNING id"))
        inventory = await connection.scalar(
            text(f"INSERT INTO inventories (tenant_id, name) VALUES ({tenant}, 'i') RETURNING id")
        )
        values = {"t": tenant, "i": inventory, "n": hosts, "g": GROUPS}
        await connection.execute(
            text(
                "INSERT INTO groups (inventory_id, tenant_id, name, variables) SELECT :i, :t, 'group_' || g, "
                "jsonb_build_object('number', g) FROM generate_series(0, :g - 1) g"
            ),
            values,
        )
        await connection.execute(
            text(
                "INSERT INTO hosts (inventory_id, tenant_id, name, variables) SELECT :i, :t, "
                "'host-' || lpad(h::text, 6, '0') || '.example.org', (SELECT jsonb_object_agg('variable_' || k, "
                "CASE k % 4 WHEN 0 THEN to_jsonb(h * k) WHEN 1 THEN to_jsonb('value ' || h || ' of ' || k) "
                "WHEN 2 THEN jsonb_build_object('x', h, 'list', ARRAY[1, 2, 3]) ELSE 'true' END) "
                "FROM generate_series(1, 10) k) FROM generate_series(1, :n) h"
            ),
            values,
        )
        await connection.execute(
            text(
                "INSERT INTO memberships (group_id, host_id, inventory_id) SELECT g.id, h.id, :i "
                "FROM hosts h, generate_series(0, 2) k, groups g WHERE h.inventory_id = :i AND g.inventory_id = :i "
                "AND g.name = 'group_' || ((h.id + k * 37) % :g)"
            ),
            values,
        )
        await connection.execute(
            text(
                "INSERT INTO group_edges (parent_id, child_id, inventory_id) SELECT p.id, c.id, :i "
                "FROM groups p, groups c WHERE p.inventory_id = :i AND c.inventory_id = :i AND p.name = 'group_0' "
                "AND c.id % 5 = 0 AND p.id <> c.id"
            ),
            values,
        )
    return int(inventory)


async def ours(engine: AsyncEngine, inventory_id: int, known: tuple[str, ...] = ()) -> Script:
    """What the route does between authentication and the answer."""
    async with AsyncSession(engine) as session:
        inventory = await InventoryRepository(session, SYSTEM).get(inventory_id)
        return await inventory_script(session, SYSTEM, inventory, ScriptQuery(hostvars=True), known)


async def bare(connection: asyncpg.Connection, inventory_id: int, read: Callable[[str], Any]) -> bytes:
    """The four result sets and the simplest document, its host variables as `read` gives them."""
    rows = {name: await connection.fetch(query, inventory_id) for name, query in BARE.items()}
    names = {row[0]: row[1] for row in rows["hosts"]}
    groups = {row[0]: {"name": row[1], "vars": read(row[2]), "hosts": [], "children": []} for row in rows["groups"]}
    for group_id, host_id in rows["memberships"]:
        groups[group_id]["hosts"].append(names[host_id])
    for parent_id, child_id in rows["edges"]:
        groups[parent_id]["children"].append(groups[child_id]["name"])
    document = {group.pop("name"): group for group in groups.values()}
    document["_meta"] = {"hostvars": {row[1]: read(row[2]) for row in rows["hosts"]}}
    return json.dumps(document).encode()


async def median_ms(*calls: Callable[[], Awaitable[Any]]) -> list[float]:
    """Milliseconds of each call: medians of rounds in which they take turns, after one to warm up."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS + 1):
        for spent, call in zip(times, calls, strict=True):
            with quiet_gc():
                begin = time.perf_counter()
                await call()
                spent.append((time.perf_counter() - begin) * 1000)
    return [statistics.median(spent[1:]) for spent in times]


def told(name: str, value: float, unit: str, _limit: float) -> Result:
    """A figure that is held to nothing."""
    return Result(name, value, unit)


def require_same(script: Script, by_hand: bytes) -> None:
    """Stop unless both documents say the same of every host and group."""
    assert script.body is not None
    mine, theirs = json.loads(script.body), json.loads(by_hand)
    assert mine["_meta"] == theirs["_meta"], "the host variables differ"
    for name, group in theirs.items():
        if name != "_meta":
            for key in ("hosts", "children"):
                assert mine[name].get(key, []) == sorted(group[key]), (name, key)


async def run(server: str) -> list[Result]:
    """All figures, on a database of its own."""
    url = await fresh_database(server, "bench_script")
    engine = make_engine(url, Settings(database_url=url))
    parts = make_url(url)
    connection = await asyncpg.connect(
        host=parts.query.get("host") or parts.host, port=parts.query.get("port") or parts.port or 5432,
        user=parts.username, password=parts.password, database=parts.database,
    )  # fmt: skip
    results: list[Result] = []
    counts = []
    try:
        for size in SIZES:
            inventory_id = await build(engine, size)
            await connection.execute("VACUUM ANALYZE")
            script = await ours(engine, inventory_id)
            require_same(script, await bare(connection, inventory_id, json.loads))
            with statement_counter(engine) as seen:
                await ours(engine, inventory_id)
            counts.append(seen.count)
            mine, text_only, usable, unchanged = await median_ms(
                lambda inventory_id=inventory_id: ours(engine, inventory_id),  # type: ignore[misc]
                lambda inventory_id=inventory_id: bare(connection, inventory_id, str),  # type: ignore[misc]
                lambda inventory_id=inventory_id: bare(connection, inventory_id, json.loads),  # type: ignore[misc]
                lambda inventory_id=inventory_id, tag=script.tag: ours(engine, inventory_id, (tag,)),  # type: ignore[misc]
            )
            label = f"{size} hosts: "
            ratio = at_most if size == SIZES[-1] else told
            results += [
                Result(f"{label}script with hostvars", mine, "ms"),
                Result(f"{label}bare SQL and json.dumps, variables as text", text_only, "ms"),
                Result(f"{label}bare SQL and json.dumps, variables as values", usable, "ms"),
                ratio(f"{label}script / bare, variables as text", mine / text_only, "x", GOAL),
                ratio(f"{label}script / bare, variables as values", mine / usable, "x", GOAL),
                at_most(f"{label}unchanged (304)", unchanged, "ms", 15),
                Result(f"{label}statements", seen.count),
            ]
        results.append(equal_to("statements more for ten times the hosts", counts[1] - counts[0], "", 0))
    finally:
        await connection.close()
        await engine.dispose()
    return results


async def main(url: str | None) -> int:
    """Print the table; the exit status says whether the goals are met."""
    async with some_server(url) as server:
        return 0 if print_table(await run(server)) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else None)))
