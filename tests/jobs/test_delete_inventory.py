"""The job that deletes an inventory: all of it, in chunks, once, and only what was marked."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.jobs import delete_inventory
from craton_inv.jobs.context import JobContext
from craton_inv.logs import get_logger
from craton_inv.models import (
    Flavor,
    Group,
    Host,
    Hypervisor,
    Image,
    Inventory,
    InventorySource,
    InventoryUpdate,
    Job,
    Label,
    Network,
    Resource,
)
from craton_inv.queue import jobs
from craton_inv.queue.jobs import LeaseLost
from craton_inv.services.lost_deletions import order_lost_deletions
from craton_inv.settings import Settings
from tests.factories import (
    make_group,
    make_host,
    make_inventory,
    make_label,
    make_object,
    make_region,
    make_source,
    make_tenant,
)


async def claimed(
    session: AsyncSession, factory: SessionFactory, engine: AsyncEngine, inventory: Inventory
) -> JobContext:
    """The context of a worker that holds the job of this inventory."""
    job_id = await jobs.enqueue(session, "delete_inventory", {"inventory_id": inventory.id})
    claim = await jobs.claim(session, job_id, "worker", 30)
    assert claim is not None
    await session.commit()
    return JobContext(Settings(), engine, factory, claim, get_logger(__name__))


async def marked_inventory(session: AsyncSession, hosts: int) -> Inventory:
    """An inventory that waits for its deletion, with hosts, a group and a source."""
    inventory = await make_inventory(session, pending_deletion=True)
    group = await make_group(session, inventory=inventory)
    await make_source(session, inventory=inventory)
    for _ in range(hosts):
        await make_host(session, inventory=inventory, groups=[group], facts={"a": 1})
    return inventory


def in_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """One row at a time."""
    monkeypatch.setattr(delete_inventory, "PIECES", [replace(piece, size=1) for piece in delete_inventory.PIECES])


async def count(session: AsyncSession, model: type, inventory: Inventory) -> int:
    """How many rows of an inventory are left."""
    return await session.scalar(select(func.count()).where(model.inventory_id == inventory.id)) or 0


async def test_everything_of_a_marked_inventory_goes(
    session: AsyncSession, session_factory: SessionFactory, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_ones(monkeypatch)
    inventory = await marked_inventory(session, hosts=5)
    context = await claimed(session, session_factory, engine, inventory)
    await delete_inventory.delete_inventory(context)
    assert [await count(session, model, inventory) for model in (Host, Group, InventorySource)] == [0, 0, 0]
    assert await session.scalar(select(Inventory.id).where(Inventory.id == inventory.id)) is None
    assert await session.scalar(select(Job.status).where(Job.id == context.claim.job_id)) == "done"


async def test_a_smart_inventory_goes_and_its_hosts_stay(
    session: AsyncSession, session_factory: SessionFactory, engine: AsyncEngine
) -> None:
    host = await make_host(session, "web1")
    smart = Inventory(tenant_id=host.tenant_id, name="s", kind="smart", host_filter="name=web1", pending_deletion=True)
    session.add(smart)
    await session.flush()
    await delete_inventory.delete_inventory(await claimed(session, session_factory, engine, smart))
    assert await session.scalar(select(Inventory.id).where(Inventory.id == smart.id)) is None
    assert await session.scalar(select(Host.id).where(Host.id == host.id)) == host.id


async def test_labels_that_nothing_else_bears_go_with_the_inventory(
    session: AsyncSession, session_factory: SessionFactory, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_ones(monkeypatch)
    tenant = await make_tenant(session)
    inventory = await make_inventory(session, tenant=tenant, pending_deletion=True)
    other = await make_inventory(session, tenant=tenant)
    hosts = [await make_host(session, inventory=inventory) for _ in range(5)]
    await make_label(session, "own", tenant=tenant, on=[inventory, *hosts])
    await make_label(session, "shared", tenant=tenant, on=[inventory, *hosts, other])
    await make_label(session, "free", tenant=tenant)
    await delete_inventory.delete_inventory(await claimed(session, session_factory, engine, inventory))
    left = await session.scalars(select(Label.name).where(Label.tenant_id == tenant.id).order_by(Label.name))
    assert list(left) == ["free", "shared"]


async def test_an_inventory_that_is_not_marked_stays(
    session: AsyncSession, session_factory: SessionFactory, engine: AsyncEngine
) -> None:
    inventory = await make_inventory(session)
    await make_host(session, inventory=inventory)
    await delete_inventory.delete_inventory(await claimed(session, session_factory, engine, inventory))
    assert await count(session, Host, inventory) == 1


async def test_a_worker_that_lost_its_lease_deletes_nothing(
    session: AsyncSession, session_factory: SessionFactory, engine: AsyncEngine
) -> None:
    inventory = await marked_inventory(session, hosts=1)
    context = await claimed(session, session_factory, engine, inventory)
    await session.execute(Job.__table__.update().values(token=99))
    await session.commit()
    with pytest.raises(LeaseLost):
        await delete_inventory.delete_inventory(context)
    assert await count(session, Host, inventory) == 1


async def test_what_hosts_are_linked_to_and_runs_go_in_chunks_too(
    session: AsyncSession, session_factory: SessionFactory, engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given more rows than a chunk holds, when they are deleted, then they go chunk by chunk."""
    in_ones(monkeypatch)
    inventory = await marked_inventory(session, hosts=1)
    source = await make_source(session, inventory=inventory)
    for model in (Hypervisor, Flavor, Image, Network, Resource):
        for number in range(2):
            await make_object(session, model, f"o{number}", source=source)
    for status in ("successful", "failed"):
        run = InventoryUpdate(
            inventory_id=inventory.id, tenant_id=inventory.tenant_id, inventory_source_id=source.id, name="r"
        )
        run.status = status
        session.add(run)
    await session.flush()
    await delete_inventory.empty_inventory(await claimed(session, session_factory, engine, inventory), inventory.id)
    models = (Host, Group, Hypervisor, Flavor, Image, Network, Resource, InventoryUpdate)
    left = [await count(session, model, inventory) for model in models]
    assert (left, await count(session, InventorySource, inventory)) == ([0] * len(left), 2)


async def test_a_mark_without_a_job_gets_one_and_no_second(session: AsyncSession) -> None:
    lost = await marked_inventory(session, hosts=0)
    waiting = await marked_inventory(session, hosts=0)
    key = f"delete_inventory:{waiting.id}"
    known = await jobs.enqueue(session, "delete_inventory", {"inventory_id": waiting.id}, unique_key=key)
    region = await make_region(session)
    of_region = await session.get_one(Inventory, region.inventory_id)
    of_region.pending_deletion = True
    await make_inventory(session)
    for _ in range(2):
        await order_lost_deletions(session)
    rows = await session.execute(select(Job.task, Job.args).where(Job.id > known).order_by(Job.id))
    assert [tuple(row) for row in rows] == [
        ("delete_inventory", {"inventory_id": lost.id}),
        ("delete_region", {"inventory_id": of_region.id, "region_id": region.id}),
    ]


async def test_the_inventories_of_a_tenant_that_is_being_deleted_have_their_job(session: AsyncSession) -> None:
    inventory = await marked_inventory(session, hosts=0)
    key = f"delete_tenant:{inventory.tenant_id}"
    await jobs.enqueue(session, "delete_tenant", {"tenant_id": inventory.tenant_id}, unique_key=key)
    await order_lost_deletions(session)
    assert list(await session.scalars(select(Job.task))) == ["delete_tenant"]


async def test_giving_up_takes_the_mark_off(session: AsyncSession, session_factory: SessionFactory) -> None:
    inventory = await marked_inventory(session, hosts=0)
    await session.commit()
    async with unit_of_work(session_factory) as other:
        await delete_inventory.gave_up(other, {"inventory_id": inventory.id}, "the database was away")
    await session.refresh(inventory)
    assert inventory.pending_deletion is False
