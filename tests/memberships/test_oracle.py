"""Four writers, fifty stored searches, a worker among them: in the end every membership is what a search finds."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv.db.engine import make_engine
from craton_inv.db.session import make_session_factory
from craton_inv.models import Region
from craton_inv.services.membership_changes import keep_memberships
from craton_inv.services.membership_reconciliation import reconcile
from craton_inv.settings import Settings
from tests.factories import make_group, make_inventory, make_source, make_user, save
from tests.memberships.keeping import SECONDS, Keeping
from tests.memberships.writers import GROUPS, SEARCHES, Writer

WRITERS = 4


async def build(engine: AsyncEngine, searches: int = len(SEARCHES)) -> list[Keeping]:
    """Two tenants, the stored searches shared out between them, and places for hosts."""
    first, second = [await Keeping.make(engine) for _ in range(2)]
    for keeping in (first, second):
        async with keeping.writing() as session:
            tenant = keeping.tenant
            inventories = [
                keeping.inventory,
                await make_inventory(session, "first", tenant=tenant),
                await make_inventory(session, "second", tenant=tenant),
            ]
            for inventory in inventories:
                for name in GROUPS[:6]:
                    await make_group(session, name, inventory=inventory)
                await make_source(session, "feed", inventory=inventory)
            await save(session, Region(tenant_id=tenant.id, inventory_id=inventories[0].id, name="north"))
            if keeping is first:
                await make_user(session, f"somebody-{tenant.id}", email=f"{tenant.id}@x")
    await first.search(*SEARCHES[: searches - searches // 5])
    await second.search(*SEARCHES[searches - searches // 5 : searches])
    return [first, second]


async def run(engine: AsyncEngine, writes: int, seed: int) -> None:
    """Write, with a worker beside the writers; then look."""
    keepings = await build(engine)
    factory = make_session_factory(engine, keep_memberships(SECONDS))
    tenants = [keeping.tenant.id for keeping in keepings]
    writers = [Writer(factory, tenants, seed * 10 + number) for number in range(WRITERS)]
    done = asyncio.Event()

    async def worker() -> None:
        while not done.is_set():
            await keepings[0].drain()
            await asyncio.sleep(0.02)

    async def write() -> float:
        begun = time.monotonic()
        await asyncio.gather(*(writer.write(writes // WRITERS) for writer in writers))
        done.set()
        return time.monotonic() - begun

    async with asyncio.TaskGroup() as group:
        group.create_task(worker())
        writing = group.create_task(write())
    spent = writing.result()
    refused = sum((writer.refused for writer in writers), start=Counter[str]())
    print(f"seed {seed}: {writes} writes in {spent:.1f} s, {refused.total()} refused")
    assert sum((writer.faults for writer in writers), start=Counter[str]()) == {}
    assert sum(writer.done.total() for writer in writers) == writes
    await keepings[0].drain()
    for keeping in keepings:
        assert await keeping.difference() == ""
    report = await reconcile(factory, SECONDS)
    assert report.found == []
    assert (report.skipped, report.strays) == (0, 0)
    assert report.checked == len(SEARCHES)


@pytest.fixture
async def engine(fresh_database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine with the switch on, on a database of the test's own."""
    settings = Settings(database_url=fresh_database_url, awx_rebuild_smart_membership=True)
    engine = make_engine(fresh_database_url, settings, statement_timeout=0)
    yield engine
    await engine.dispose()


async def test_many_writers_leave_no_difference(engine: AsyncEngine) -> None:
    await run(engine, 300, 1)


@pytest.mark.full
async def test_twenty_thousand_writes_leave_no_difference(engine: AsyncEngine) -> None:
    await run(engine, 20_000, 2)
