"""What is left to the job, what a bad search costs, what happens to smart inventories themselves."""

from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv.db.engine import make_engine
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.jobs.context import JobContext
from craton_inv.jobs.rebuild_smart_memberships import rebuild_smart_memberships
from craton_inv.jobs.reconcile_smart_memberships import reconcile_smart_memberships
from craton_inv.logs import get_logger
from craton_inv.models import Host, Inventory, Job, SmartInventoryMembership, SmartMembershipChange, Tenant
from craton_inv.queue import jobs
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services import inventories
from craton_inv.services.membership_changes import keep_memberships, order_waiting, work_off
from craton_inv.services.membership_reconciliation import order_reconciliation, reconcile
from craton_inv.settings import Settings
from tests.factories import make_host, make_inventory
from tests.memberships.keeping import SECONDS, Keeping


async def forget(keeping: Keeping, text: str) -> None:
    """Delete a smart inventory with a bad search: reconciliations look at all tenants."""
    async with keeping.writing() as session:
        await session.execute(delete(Inventory).where(Inventory.id == keeping.smart[text]))


async def add_hosts(keeping: Keeping, count: int, start: int = 0) -> None:
    """Hosts of one statement."""
    inventory = keeping.inventory
    rows = [
        {"inventory_id": inventory.id, "tenant_id": inventory.tenant_id, "name": f"host{number:05}"}
        for number in range(start, start + count)
    ]
    async with keeping.writing() as session:
        await session.execute(insert(Host), rows)


async def queued(keeping: Keeping) -> list[Job]:
    """The jobs that wait for the tenant."""
    async with keeping.factory() as session:
        key = f"rebuild_smart_memberships:{keeping.tenant.id}"
        return [*await session.scalars(select(Job).where(Job.unique_key == key, Job.status == "queued"))]


async def work(keeping: Keeping, job: Job, run: Any) -> None:
    """Play the worker for one job."""
    async with unit_of_work(keeping.factory) as session:
        claim = await jobs.claim(session, job.id, "w", 30)
    assert claim is not None
    engine: Any = None  # of no use to these jobs
    await run(JobContext(Settings(), engine, keeping.factory, claim, get_logger("test")))


async def test_a_bulk_write_is_one_job_and_its_end_is_exact(keeping: Keeping) -> None:
    await keeping.search('name ~ "7$"', 'not name ~ "7$"')
    await add_hosts(keeping, 2500)
    await add_hosts(keeping, 150, 5000)
    assert await keeping.table() == set()
    (job,) = await queued(keeping)
    await work(keeping, job, rebuild_smart_memberships)
    assert await keeping.difference() == ""
    assert len(await keeping.members('name ~ "7$"')) == 265
    assert await keeping.waiting() == 0


async def test_a_change_left_to_the_job_before_its_last_look_is_seen_by_it(keeping: Keeping) -> None:
    await keeping.search("enabled=false")
    await add_hosts(keeping, 200)
    (job,) = await queued(keeping)
    async with unit_of_work(keeping.factory) as session:
        await session.execute(update(Host).where(Host.tenant_id == keeping.tenant.id).values(enabled=False))
    assert [each.id for each in await queued(keeping)] == [job.id]
    await work(keeping, job, rebuild_smart_memberships)
    assert len(await keeping.members("enabled=false")) == 200


async def test_what_a_command_left_gets_a_job_of_the_sweeper(keeping: Keeping) -> None:
    await keeping.search("enabled=true")
    async with keeping.factory() as session:
        await make_host(session, inventory=keeping.inventory)
        await session.commit()
    assert await queued(keeping) == []
    async with unit_of_work(keeping.factory) as session:
        await order_waiting(session)
    (job,) = await queued(keeping)
    await work(keeping, job, rebuild_smart_memberships)
    assert len(await keeping.members("enabled=true")) == 1


async def test_a_changed_search_has_other_members_at_once(keeping: Keeping) -> None:
    await keeping.search("name=a")
    async with keeping.writing() as session:
        made = {name: (await make_host(session, name, inventory=keeping.inventory)).id for name in "ab"}
    assert await keeping.members("name=a") == {made["a"]}
    async with keeping.writing() as session:
        smart = await InventoryRepository(session, SYSTEM).get(keeping.smart["name=a"], lock=True)
        await inventories.change_inventory(session, SYSTEM, smart, {"host_filter": "not name=a"})
    assert await keeping.members("name=a") == {made["b"]}


async def test_a_smart_inventory_that_is_deleted_has_no_members_at_once(keeping: Keeping) -> None:
    await keeping.search("enabled=true")
    await add_hosts(keeping, 3)
    assert len(await keeping.members("enabled=true")) == 3
    async with keeping.writing() as session:
        smart = await InventoryRepository(session, SYSTEM).get(keeping.smart["enabled=true"], lock=True)
        await inventories.delete_inventory(session, SYSTEM, smart)
    assert await keeping.table() == set()


@pytest.mark.parametrize("moved", ["the smart one", "the one with the hosts"])
async def test_an_inventory_that_moves_leaves_nothing_behind(
    moved: str, keeping: Keeping, keeping_engine: AsyncEngine
) -> None:
    await keeping.search("enabled=true")
    await add_hosts(keeping, 3, 100)
    target = await Keeping.make(keeping_engine)
    await target.search("enabled=true")
    await add_hosts(target, 2)
    number = keeping.smart["enabled=true"] if moved == "the smart one" else keeping.inventory.id
    async with keeping.writing() as session:
        inventory = await InventoryRepository(session, SYSTEM).get(number, lock=True)
        await inventories.change_inventory(session, SYSTEM, inventory, {"tenant_id": target.tenant.id, "name": "moved"})
    assert await keeping.difference() == ""
    assert await target.difference() == ""
    assert len(await keeping.table()) == 0
    assert len(await target.table()) == (4 if moved == "the smart one" else 5)


async def test_a_search_that_the_database_refuses_costs_nobody_his_write(keeping: Keeping) -> None:
    await keeping.search("enabled=true", 'name ~ "((("')
    await keeping.drain()
    async with keeping.writing() as session:
        host = await make_host(session, inventory=keeping.inventory)
    assert len(await queued(keeping)) == 1
    await keeping.drain()
    assert await keeping.members("enabled=true") == {host.id}
    assert await keeping.members('name ~ "((("') == set()
    await forget(keeping, 'name ~ "((("')


async def test_a_search_that_takes_too_long_costs_neither_a_write_nor_the_job_more_than_its_time(
    keeping: Keeping, keeping_engine: AsyncEngine
) -> None:
    seconds, heavy = 0.25, f'name ~ "({".*" * 14}){{100}}"'  # every name, half a minute after the pattern is begun
    factory = make_session_factory(keeping_engine, keep_memberships(seconds))
    hurried = Keeping(factory, keeping.tenant, keeping.inventory)
    await hurried.search("enabled=true", heavy)
    async with hurried.writing() as session:
        host = await make_host(session, inventory=keeping.inventory)
    assert len(await queued(hurried)) == 1
    assert await hurried.members("enabled=true") == set()
    while await hurried.waiting():
        async with unit_of_work(factory) as session:
            await work_off(session, keeping.tenant.id, seconds)
    assert await hurried.members("enabled=true") == {host.id}
    assert await hurried.members(heavy) == set()
    await forget(hurried, heavy)


async def test_a_search_that_is_no_longer_valid_has_no_members(keeping: Keeping) -> None:
    await keeping.search("enabled=true")
    await add_hosts(keeping, 2)
    async with keeping.writing() as session:
        smart = Inventory.id == keeping.smart["enabled=true"]
        await session.execute(update(Inventory).where(smart).values(host_filter="gone_field=1"))
    assert await keeping.table() == set()


async def test_the_reconciliation_mends_and_tells(keeping: Keeping) -> None:
    await keeping.search("enabled=true", "last_seen_at < now-1d")
    await add_hosts(keeping, 3)
    async with keeping.factory() as session:
        first = (await keeping.members("enabled=true")).pop()
        member = SmartInventoryMembership.__table__
        await session.execute(member.delete().where(member.c.host_id == first))
        await session.execute(insert(member).values(inventory_id=keeping.smart["enabled=true"], host_id=2**40))
        await session.commit()
    report = await reconcile(keeping.factory, SECONDS)
    assert [(each.inventory_id, *each.difference) for each in report.found] == [(keeping.smart["enabled=true"], 1, 1)]
    assert report.renewed >= 1
    assert await keeping.difference() == ""
    assert (await reconcile(keeping.factory, SECONDS)).found == []


async def test_the_reconciliation_sees_to_what_waits_first(keeping: Keeping) -> None:
    await keeping.search("enabled=true")
    await add_hosts(keeping, 300)
    assert await keeping.waiting() > 0
    report = await reconcile(keeping.factory, SECONDS)
    assert report.found == []
    assert len(await keeping.members("enabled=true")) == 300


async def test_the_reconciliation_is_a_job_too(keeping: Keeping) -> None:
    await keeping.search("enabled=true")
    async with unit_of_work(keeping.factory) as session:
        number = await order_reconciliation(session)
        assert await order_reconciliation(session) == number
    async with keeping.factory() as session:
        job = await session.get_one(Job, number)
    await work(keeping, job, reconcile_smart_memberships)
    async with keeping.factory() as session:
        assert (await session.get_one(Job, number)).status == "done"


async def test_s24_a_host_is_no_member_of_another_tenants_smart_inventory(
    keeping: Keeping, keeping_engine: AsyncEngine
) -> None:
    await keeping.search("enabled=true")
    stranger = await Keeping.make(keeping_engine)
    async with stranger.writing() as session:
        host = await make_host(session, inventory=stranger.inventory)
    rows = [
        {"inventory_id": keeping.smart["enabled=true"], "host_id": host.id},
        {"inventory_id": stranger.inventory.id, "host_id": host.id},
    ]
    for row in rows:
        async with keeping.factory() as session:
            with pytest.raises(IntegrityError, match="own tenant"):
                await session.execute(insert(SmartInventoryMembership), [row])


async def test_nothing_is_noted_while_the_switch_is_off(keeping: Keeping, keeping_engine: AsyncEngine) -> None:
    url = keeping_engine.url.render_as_string(hide_password=False)
    engine = make_engine(url, Settings(database_url=url))
    async with unit_of_work(make_session_factory(engine)) as session:
        inventory = await make_inventory(session, "quiet", tenant=keeping.tenant)
        host = await make_host(session, inventory=inventory, facts={"a": 1})
        await session.execute(update(Host).where(Host.id == host.id).values(name="b"))
        await session.execute(update(Tenant).where(Tenant.id == keeping.tenant.id).values(description="b"))
        noted = select(SmartMembershipChange.id).where(SmartMembershipChange.tenant_id == keeping.tenant.id)
        assert await session.scalar(noted) is None
    await engine.dispose()


async def test_a_lock_is_taken_after_the_order_is_known(keeping: Keeping) -> None:
    """Two tenants changed in one transaction are locked in the order of their ids, whichever was changed first."""
    async with keeping.factory() as session:
        # An index that gives the order by itself would leave nothing to see.
        await session.execute(text("SET LOCAL enable_indexscan = off"))
        await session.execute(text("SET LOCAL enable_indexonlyscan = off"))
        plan = await session.scalars(
            text(
                "EXPLAIN (VERBOSE, COSTS OFF) SELECT tenant_id, pg_advisory_xact_lock(tenant_id) "
                "FROM smart_membership_changes WHERE transaction = 1 ORDER BY tenant_id, id LIMIT 201"
            )
        )
        lines = [line.strip() for line in plan]
    lock = next(number for number, line in enumerate(lines) if "pg_advisory_xact_lock" in line)
    sort = next(number for number, line in enumerate(lines) if line.startswith(("->  Sort", "->  Incremental Sort")))
    assert lock < sort
