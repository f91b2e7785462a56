"""Deletions of whatever is large: nothing of it is left, nothing else goes, and no transaction takes many rows."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.db.locks import lock_transaction
from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.jobs import delete_inventory, delete_region, delete_source, delete_tenant
from craton_inv.jobs.context import JobContext
from craton_inv.jobs.deleting import repeat
from craton_inv.jobs.registry import TASKS
from craton_inv.logs import get_logger
from craton_inv.models import Base, Host, Inventory, InventorySource, Job, Membership, Tenant
from craton_inv.queue import jobs
from craton_inv.queue.jobs import LeaseLost
from craton_inv.services.lost_deletions import order_lost_deletions
from craton_inv.settings import Settings
from tests.factories import make_host, make_inventory, make_region, make_source, make_tenant
from tests.full_world import FullWorld, counts, doomed, make_full_world

HOSTS = 12
SIZE = 2
# A host of this world is in two groups, a group holds half of them; all other children are one to a row.
MOST = SIZE * HOSTS // 2
PARTS = (delete_inventory, delete_region, delete_source, delete_tenant)
NOTE_ROWS = """
CREATE FUNCTION note_rows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO noted SELECT pg_current_xact_id()::text, TG_TABLE_NAME, count(*) FROM before HAVING count(*) > 0;
  RETURN NULL;
END $$
"""


@dataclass(frozen=True)
class Deletion:
    """A job that deletes: its task, what it is told, and the rows that it is about."""

    task: str
    args: dict[str, int]
    marks: tuple[tuple[Any, int], ...]


def deletion_of(what: str, world: FullWorld) -> Deletion:
    """The job that deletes this part of the world."""
    inventory, tenant, source, region = world.inventory, world.tenant, world.source, world.region
    if what == "inventory":
        return Deletion("delete_inventory", {"inventory_id": inventory.id}, ((Inventory, inventory.id),))
    if what == "source":
        return Deletion("delete_source", {"source_id": source.id}, ((InventorySource, source.id),))
    if what == "region":
        args = {"region_id": region.id, "inventory_id": region.inventory_id}
        return Deletion("delete_region", args, ((Inventory, region.inventory_id),))
    return Deletion("delete_tenant", {"tenant_id": tenant.id}, ((Tenant, tenant.id),))


async def begin(factory: SessionFactory, engine: AsyncEngine, deletion: Deletion) -> JobContext:
    """Mark what the job deletes, and claim the job as a worker."""
    async with unit_of_work(factory) as session:
        for model, row_id in deletion.marks:
            await session.execute(update(model).where(model.id == row_id).values(pending_deletion=True))
        job_id = await jobs.enqueue(session, deletion.task, deletion.args)
    async with unit_of_work(factory) as session:
        claim = await jobs.claim(session, job_id, "w1", 30)
    assert claim is not None
    return JobContext(Settings(), engine, factory, claim, get_logger("test"))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows at a time."""
    for module in PARTS:
        monkeypatch.setattr(module, "PIECES", [replace(piece, size=SIZE) for piece in module.PIECES])
    monkeypatch.setattr(delete_source, "HOSTS", SIZE)


async def work(context: JobContext) -> None:
    """Do the job."""
    await TASKS[context.claim.task].run(context)


@pytest.mark.parametrize("what", ["inventory", "source", "tenant"])
async def test_nothing_is_left_and_nothing_else_goes(
    what: str, session: AsyncSession, session_factory: SessionFactory, engine: AsyncEngine
) -> None:
    await make_full_world(session, 2)
    before = await counts(session)
    world = await make_full_world(session, HOSTS)
    full = await counts(session)
    context = await begin(session_factory, engine, deletion_of(what, world))
    await work(context)
    left = await counts(session)
    assert await session.scalar(select(Job.status).where(Job.id == context.claim.job_id)) == "done"
    made = {name: full[name] - before[name] for name in full if name != "jobs"}
    assert [name for name, rows in made.items() if not rows] == []
    assert {name: full[name] - left[name] for name in made} == doomed(what, made)


async def test_the_hosts_of_a_deleted_source_stay_as_they_are_but_for_what_it_linked(
    session: AsyncSession, session_factory: SessionFactory, engine: AsyncEngine, small: None
) -> None:
    world = await make_full_world(session, HOSTS)
    other_id = world.other_source.id
    mine = select(Host).where(Host.name.like(f"s{world.source.id}-%")).order_by(Host.id)
    before = {host.name: host.variables for host in await session.scalars(mine)}
    theirs = Host.name.like(f"s{other_id}-%")
    # Hosts of the other source that stand on this one's hypervisors, with a membership that both deliver.
    await session.execute(
        text(
            f"UPDATE hosts SET parent_host_id = (SELECT min(id) FROM hypervisors WHERE inventory_source_id ="
            f" {world.source.id}) WHERE name LIKE 's{other_id}-%'"
        )
    )
    await session.execute(
        update(Membership)
        .where(Membership.host_id.in_(select(Host.id).where(theirs)))
        .values(source_ids=[world.source.id, other_id])
    )
    await work(await begin(session_factory, engine, deletion_of("source", world)))
    session.expire_all()
    hosts = list(await session.scalars(mine))
    assert {host.name: host.variables for host in hosts} == before
    assert {(host.parent_host_id, host.flavor_id, host.image_id) for host in hosts} == {(None, None, None)}
    others = list(await session.scalars(select(Host).where(theirs)))
    assert [host.name for host in others if host.parent_host_id is not None] == []
    assert [host.name for host in others if host.flavor_id is None] == []
    named = set(map(tuple, await session.scalars(select(Membership.source_ids))))
    assert named == {(), (other_id,)}


async def test_hosts_of_other_inventories_leave_a_deleted_region(
    session: AsyncSession, session_factory: SessionFactory, engine: AsyncEngine, small: None
) -> None:
    world = await make_full_world(session, 2)
    hosts = [await make_host(session, inventory=world.inventory, region_id=world.region.id) for _ in range(SIZE + 1)]
    await work(await begin(session_factory, engine, deletion_of("region", world)))
    left = select(Host.region_id).where(Host.id.in_([host.id for host in hosts]))
    assert list(await session.scalars(left)) == [None] * len(hosts)


@pytest.mark.parametrize(
    "what", ["source", *(pytest.param(what, marks=pytest.mark.full) for what in ("inventory", "tenant"))]
)
async def test_no_transaction_touches_many_rows(
    what: str, fresh_engine: AsyncEngine, fresh_factory: SessionFactory, small: None
) -> None:
    async with unit_of_work(fresh_factory) as session:
        world = await make_full_world(session, HOSTS)
        await session.execute(text("CREATE TABLE noted (transaction text, place text, rows bigint)"))
        await session.execute(text(NOTE_ROWS))
        # A generation is one row, however often a transaction moves it.
        for table in sorted({table.name for table in Base.metadata.sorted_tables} - {"inventories", "jobs"}):
            for event in ("UPDATE", "DELETE"):
                await session.execute(
                    text(
                        f"CREATE TRIGGER note_rows_{event} AFTER {event} ON {table} REFERENCING OLD TABLE AS before"
                        " FOR EACH STATEMENT EXECUTE FUNCTION note_rows()"
                    )
                )
    await work(await begin(fresh_factory, fresh_engine, deletion_of(what, world)))
    async with fresh_factory() as session:
        touched = await session.execute(
            text(
                "SELECT place, max(rows) FROM (SELECT place, sum(rows) AS rows FROM noted GROUP BY place, transaction)"
                " AS each GROUP BY place"
            )
        )
        most = {row.place: int(row.max) for row in touched}
        total = await session.scalar(text("SELECT sum(rows) FROM noted"))
    assert total > 10 * HOSTS
    assert {place: rows for place, rows in most.items() if rows > MOST} == {}


@pytest.mark.parametrize("what", ["source", "tenant"])
async def test_what_is_not_marked_stays(
    what: str, session: AsyncSession, session_factory: SessionFactory, engine: AsyncEngine
) -> None:
    world = await make_full_world(session, 2)
    deletion = deletion_of(what, world)
    context = await begin(session_factory, engine, replace(deletion, marks=()))
    before = await counts(session)
    if what == "tenant":  # the job of a tenant marks it itself
        context = replace(context, claim=replace(context.claim, args={"tenant_id": 2**40}))
    await work(context)
    assert await counts(session) == before


async def test_a_worker_that_lost_its_lease_takes_nothing_of_a_source(
    session: AsyncSession, session_factory: SessionFactory, engine: AsyncEngine
) -> None:
    world = await make_full_world(session, 2)
    context = await begin(session_factory, engine, deletion_of("source", world))
    await session.execute(update(Job).where(Job.id == context.claim.job_id).values(token=99))
    await session.commit()
    before = await counts(session)
    with pytest.raises(LeaseLost):
        await work(context)
    assert await counts(session) == before


async def test_a_worker_that_sleeps_in_a_piece_keeps_nobody_waiting(
    fresh_engine: AsyncEngine, fresh_factory: SessionFactory
) -> None:
    async with unit_of_work(fresh_factory) as session:
        world = await make_full_world(session, 2)
    context = await begin(fresh_factory, fresh_engine, deletion_of("source", world))
    context = replace(context, settings=Settings(job_lease=0.2, job_heartbeat=0.1))
    asleep, waking = asyncio.Event(), asyncio.Event()

    async def sleep(session: AsyncSession) -> int:
        asleep.set()
        await waking.wait()
        return 0

    work = asyncio.ensure_future(repeat(context, sleep, SIZE, "inventory:1"))
    await asleep.wait()
    async with asyncio.timeout(60), unit_of_work(fresh_factory) as session:
        await lock_transaction(session, "inventory:1")
    waking.set()
    with pytest.raises(DBAPIError):
        await work


async def test_a_piece_that_lost_a_deadlock_is_taken_again_by_the_same_attempt(
    fresh_engine: AsyncEngine, fresh_factory: SessionFactory
) -> None:
    async with unit_of_work(fresh_factory) as session:
        world = await make_full_world(session, 2)
    context = await begin(fresh_factory, fresh_engine, deletion_of("source", world))
    lost = iter([True, True, False])

    async def take_some(session: AsyncSession) -> int:
        if next(lost):
            await session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40P01'; END $$"))
        return 1

    assert await repeat(context, take_some, SIZE) == 1


async def test_a_worker_that_lost_its_lease_marks_no_tenant(
    session: AsyncSession, session_factory: SessionFactory, engine: AsyncEngine
) -> None:
    tenant = await make_tenant(session)
    await make_inventory(session, tenant=tenant)
    context = await begin(session_factory, engine, Deletion("delete_tenant", {"tenant_id": tenant.id}, ()))
    await session.execute(update(Job).where(Job.id == context.claim.job_id).values(token=99))
    await session.commit()
    with pytest.raises(LeaseLost):
        await work(context)
    marks = [await session.scalar(select(model.pending_deletion)) for model in (Tenant, Inventory)]
    assert marks == [False, False]


async def test_an_inventory_that_was_on_its_way_in_goes_with_its_tenant(
    session: AsyncSession, session_factory: SessionFactory, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = await make_tenant(session)
    context = await begin(session_factory, engine, Deletion("delete_tenant", {"tenant_id": tenant.id}, ()))
    taken = delete_tenant.take_all

    async def late(*args: Any) -> None:
        await taken(*args)
        if not await session.scalar(select(Inventory.id).where(Inventory.name == "late")):
            await make_host(session, inventory=await make_inventory(session, "late", tenant=tenant))
            await session.commit()
            monkeypatch.setattr(delete_tenant, "take_all", taken)

    monkeypatch.setattr(delete_tenant, "take_all", late)
    await work(context)
    assert [await session.scalar(select(model.id).limit(1)) for model in (Tenant, Inventory, Host)] == [None] * 3


async def test_lost_deletions_are_ordered_again_once(session: AsyncSession) -> None:
    tenant = await make_tenant(session, pending_deletion=True)
    await make_inventory(session, tenant=tenant, pending_deletion=True)
    source = await make_source(session, pending_deletion=True)
    await make_source(session, inventory=await make_inventory(session, tenant=tenant), pending_deletion=False)
    gone = await make_inventory(session, pending_deletion=True)
    await make_source(session, inventory=gone, pending_deletion=True)
    for _ in range(2):
        await order_lost_deletions(session)
    rows = await session.execute(select(Job.task, Job.args, Job.unique_key).order_by(Job.task))
    assert [tuple(row) for row in rows] == [
        ("delete_inventory", {"inventory_id": gone.id}, f"delete_inventory:{gone.id}"),
        ("delete_source", {"source_id": source.id}, f"delete_source:{source.id}"),
        ("delete_tenant", {"tenant_id": tenant.id}, f"delete_tenant:{tenant.id}"),
    ]


async def test_giving_up_takes_the_marks_off_but_not_those_of_other_deletions(session: AsyncSession) -> None:
    tenant = await make_tenant(session, pending_deletion=True)
    marked = await make_inventory(session, tenant=tenant, pending_deletion=True)
    asked = await make_inventory(session, tenant=tenant, pending_deletion=True)
    region = await make_region(session, tenant=tenant)
    standing = await session.get_one(Inventory, region.inventory_id)
    standing.pending_deletion = True
    source = await make_source(session, inventory=marked, pending_deletion=True)
    args = {"inventory_id": asked.id}
    await jobs.enqueue(session, "delete_inventory", args, unique_key=f"delete_inventory:{asked.id}")
    args = {"region_id": region.id, "inventory_id": standing.id}
    await jobs.enqueue(session, "delete_region", args, unique_key=f"delete_region:{region.id}")
    await delete_tenant.gave_up(session, {"tenant_id": tenant.id}, "no reason")
    await delete_source.gave_up(session, {"source_id": source.id}, "no reason")
    rows = (tenant, marked, asked, standing, source)
    for row in rows:
        await session.refresh(row)
    assert [row.pending_deletion for row in rows] == [False, False, True, True, False]
