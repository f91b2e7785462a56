"""One targeted host among many: how many statements, and that they find it by index at any size."""

import asyncio

import pytest
from benchmarks.common import statement_counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.refresh.deliveries import Make, deliver, disk, disks, group, host, member, named, port, thing
from tests.refresh.world import World

MOST = 15  # statements of one host with its parts and what it links to
MANY = 100_000


def machine(name: str, value: int = 1, *, size: int = 1) -> tuple[Make, ...]:
    """A machine as a benchmark has it: two disks, a port, a flavor and a hypervisor."""
    return (
        thing("flavors", "small", cpus=value),
        thing("hypervisors", "hv"),
        host(name, f"i-{name}", {"v": value}, flavor="small", hypervisor="hv"),
        disk(f"{name}-1", name, size),
        disk(f"{name}-2", name, size),
        port(f"{name}-p", name),
    )


async def test_one_target_takes_few_statements_however_many_hosts_there_are(world: World) -> None:
    few = await World.make(world.engine)
    counted = []
    for each, count in ((few, 2), (world, 300)):
        await deliver(each, *(make for number in range(count) for make in machine(f"h{number}")))
        with statement_counter(world.engine) as statements:
            await deliver(each, *machine("h1", 2, size=9), targets=[named("hosts", instance_id="i-h1")])
        counted.append(statements.count)
    assert counted[0] == counted[1]
    assert counted[0] <= MOST
    assert (await disks(world))["h1-1"] == ("h1", 9)


async def test_a_target_that_is_gone_takes_fewer_still(world: World) -> None:
    await deliver(world, *machine("a"), *machine("b"), group("g"), member("g", "a"))
    with statement_counter(world.engine) as statements:
        await deliver(world, targets=[named("hosts", name="a")])
    assert statements.count <= MOST // 2
    assert set(await world.hosts()) == {"b"}


async def many(connection: AsyncConnection, world: World, source_id: int) -> None:
    """Hosts with two disks each, a layer each, and a membership each, by plain SQL."""
    inventory, tenant = world.inventory_id, world.tenant_id
    for statement in (
        "INSERT INTO groups (inventory_id, tenant_id, name, manual) "
        f"SELECT {inventory}, {tenant}, 'g' || n, false FROM generate_series(1, 100) n",
        "INSERT INTO hosts (inventory_id, tenant_id, name, instance_id, manual, variables, variables_text) "
        f"SELECT {inventory}, {tenant}, 'h' || n, 'i-' || n, false, '{{}}', '{{}}' FROM generate_series(1, {MANY}) n",
        "INSERT INTO host_sources (inventory_source_id, host_id, ref, digest) "
        f"SELECT {source_id}, id, name, '\\x00' FROM hosts WHERE inventory_id = {inventory}",
        "INSERT INTO disks (inventory_source_id, inventory_id, tenant_id, ref, host_id) "
        f"SELECT {source_id}, {inventory}, {tenant}, name || '-' || k, id FROM hosts, generate_series(1, 2) k "
        f"WHERE inventory_id = {inventory}",
        "INSERT INTO memberships (inventory_id, group_id, host_id, manual, source_ids) "
        f"SELECT {inventory}, g.id, h.id, false, ARRAY[{source_id}::bigint] FROM hosts h JOIN groups g "
        f"ON g.inventory_id = {inventory} AND g.name = 'g' || (1 + h.id % 100) WHERE h.inventory_id = {inventory}",
        "ANALYZE groups, hosts, host_sources, disks, memberships",
    ):
        await connection.execute(text(statement))


async def rows_read(connection: AsyncConnection) -> dict[str, int]:
    """Rows that all statements so far have read from each table, by scans or through indexes."""
    await connection.execute(text("SELECT pg_stat_force_next_flush()"))
    await connection.commit()
    query = text(
        "SELECT relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables "
        "WHERE relname IN ('groups', 'hosts', 'host_sources', 'group_sources', 'disks', 'memberships', 'network_ports')"
    )
    rows = (await connection.execute(query)).all()
    await connection.commit()
    return {name: int(count) for name, count in rows}


@pytest.mark.full
@pytest.mark.parametrize("by", [{"name": "h777"}, {"instance_id": "i-777"}], ids=["by name", "by instance id"])
@pytest.mark.parametrize("gone", [False, True], ids=["delivered", "gone"])
async def test_one_target_among_very_many_reads_a_handful_of_rows(
    world: World, by: dict[str, str], *, gone: bool
) -> None:
    # Given 100 000 hosts with two disks and a group each, when one is refreshed, then others are not looked at.
    source_id = await world.source()
    async with world.engine.begin() as connection:
        await many(connection, world, source_id)
    make = () if gone else (host("h777", "i-777", {"v": 2}), disk("h777-1", "h777"), group("g1"), member("g1", "h777"))
    async with world.engine.connect() as connection:
        before = await rows_read(connection)
        await deliver(world, *make, targets=[named("hosts", **by)])
        await asyncio.sleep(0.1)
        async with world.engine.connect() as other:  # the connection that refreshed tells its figures when it is idle
            await other.execute(text("SELECT pg_stat_force_next_flush()"))
            await other.commit()
        after = await rows_read(connection)
    assert {name: after[name] - before[name] for name in after if after[name] - before[name] > 1000} == {}
    found = await disks(world)
    assert len(found) == 2 * MANY - (2 if gone else 1)
