"""Writers of the facts of many hosts at the same time: each waits for the others, none is ever locked out."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import array

from craton_inv.db.engine import make_engine
from craton_inv.db.session import SessionFactory, make_session_factory, unit_of_work
from craton_inv.models import FactPath, Host, HostFacts, Inventory
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.facts_load import FactLines, Loaded, find_hosts
from craton_inv.services.host_facts import write_facts
from craton_inv.settings import Settings
from tests.factories import make_host, make_inventory

WRITERS, HOSTS, ROUNDS = 4, 120, 4
LIMIT = 1024 * 1024


@pytest.fixture
async def factory(fresh_database_url: str) -> AsyncIterator[SessionFactory]:
    """Sessions of several connections, whose commits are real."""
    engine = make_engine(fresh_database_url, Settings(database_url=fresh_database_url))
    yield make_session_factory(engine)
    await engine.dispose()


async def load(factory: SessionFactory, inventory: Inventory, writer: int, order: list[int]) -> Loaded:
    """One bulk write: a key of the writer's own, paths of its own, the hosts in its own order."""
    with FactLines() as lines:
        for number, host in enumerate(order, start=1):
            facts = {f"writer{writer}": random.random(), f"path{random.randrange(40)}": 1}
            lines.add(number, {"name": f"h{host}", "ansible_facts": facts})
        async with unit_of_work(factory) as session:
            found = await find_hosts(session, SYSTEM, inventory, lines.hosts)
            hosts = await lines.lock(session, SYSTEM, found, missing="refuse")
            return await lines.save(session, SYSTEM, inventory, hosts, merge=True, limit=LIMIT)


async def test_four_bulk_writers_and_a_single_one_never_lock_each_other_out(factory: SessionFactory) -> None:
    async with unit_of_work(factory) as session:
        inventory = await make_inventory(session)
        hosts = [await make_host(session, f"h{number}", inventory=inventory) for number in range(HOSTS)]

    async def bulk(writer: int) -> None:
        for _ in range(ROUNDS):
            loaded = await load(factory, inventory, writer, random.sample(range(HOSTS), HOSTS))
            assert loaded.updated == HOSTS

    async def single() -> None:
        for host in random.sample(hosts, 40):
            async with unit_of_work(factory) as session:
                row = await HostRepository(session, SYSTEM).get(host.id, lock=True)
                await write_facts(
                    session, SYSTEM, row, {"single": 1, f"path{host.id % 40}": 1}, merge=True, limit=LIMIT
                )

    await asyncio.wait_for(asyncio.gather(*map(bulk, range(WRITERS)), single()), 60)
    async with unit_of_work(factory) as session:
        # Nothing that one of them merged was lost to another.
        whole = HostFacts.facts.has_all(array([f"writer{writer}" for writer in range(WRITERS)]))
        assert await session.scalar(select(func.count()).where(whole)) == HOSTS
        stamped = Host.ansible_facts_modified.is_not(None)
        assert await session.scalar(select(func.count()).where(stamped)) == HOSTS
        paths = select(func.count()).where(FactPath.path.startswith("ansible_facts__path"))
        assert await session.scalar(paths) == 40
