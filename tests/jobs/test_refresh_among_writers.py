"""Refreshes while people write: nobody's write is lost, no refresh fails, an unchanged one stands in nobody's way."""

import asyncio
import json

from sqlalchemy import select, text, update

from craton_inv.db.session import unit_of_work
from craton_inv.models import Host
from tests.jobs.updates import Updates

HOSTS = 200


async def test_refreshes_and_writers_of_single_hosts_do_not_stop_one_another(updates: Updates) -> None:
    world = updates.world
    await updates.run(source_vars=json.dumps({"hosts": HOSTS, "prefix": "web"}))
    names = sorted(await world.hosts())

    async def write(name: str) -> None:
        async with unit_of_work(world.factory) as session:
            mine = Host.variables.op("||")(text('\'{"mine": true, "ansible_host": "by hand"}\'::jsonb'))
            own = (Host.inventory_id == world.inventory_id) & (Host.name == name)
            await session.execute(update(Host).where(own).values(variables=mine))

    async def refresh_again() -> None:
        for _ in range(4):
            row = await updates.run()
            assert row.status == "successful", row.job_explanation

    async def write_all() -> None:
        for name in names[::4]:
            await write(name)

    await asyncio.gather(refresh_again(), write_all())
    await updates.run()
    hosts = await world.hosts()
    assert [name for name in names[::4] if hosts[name].get("mine") is not True] == []
    assert "by hand" not in {hosts[name]["ansible_host"] for name in names}


async def test_an_unchanged_refresh_leaves_the_inventory_free_for_writers(updates: Updates) -> None:
    world = updates.world
    await updates.run()
    before = (await world.inventory()).generation
    async with world.factory() as session:
        await session.execute(select(Host).where(Host.inventory_id == world.inventory_id).with_for_update())
        row = await asyncio.wait_for(updates.run(), 10)
    assert row.status == "successful"
    assert (await world.inventory()).generation == before
