"""DELETE with force: the route marks, the worker deletes the region or tenant with everything in it."""

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.db.session import SessionFactory
from craton_inv.jobs.context import JobContext
from craton_inv.jobs.registry import TASKS
from craton_inv.logs import get_logger
from craton_inv.models import Group, Host, Inventory, Job, Label, Region, Tenant
from craton_inv.queue import jobs
from craton_inv.settings import Settings
from tests.api.conftest import ClientOf
from tests.factories import make_group, make_host, make_inventory, make_label, make_region, make_source


async def work(job_id: int, session: AsyncSession, factory: SessionFactory, engine: AsyncEngine) -> None:
    """Do a job as a worker would."""
    claim = await jobs.claim(session, job_id, "worker", 30)
    assert claim is not None
    await session.commit()
    await TASKS[claim.task].run(JobContext(Settings(), engine, factory, claim, get_logger(__name__)))


async def make_full_region(session: AsyncSession) -> Region:
    """A region with a host, a group, a source and a label in its inventory; a host of another one stands in it too."""
    region = await make_region(session)
    tenant = await session.get_one(Tenant, region.tenant_id)
    inventory = await session.get_one(Inventory, region.inventory_id)
    group = await make_group(session, inventory=inventory)
    host = await make_host(session, "inside", inventory=inventory, region_id=region.id, groups=[group], facts={"a": 1})
    await make_label(session, "inside", tenant=tenant, on=[host, inventory])
    await make_label(session, "free", tenant=tenant)
    await make_source(session, inventory=inventory)
    other = await make_inventory(session, tenant=tenant)
    await make_host(session, "outside", inventory=other, region_id=region.id)
    return region


async def count(session: AsyncSession, model: type) -> int:
    """Rows of a table."""
    return await session.scalar(select(func.count()).select_from(model)) or 0


async def test_a_forced_region_goes_with_its_inventory_alone(
    client: httpx.AsyncClient, session: AsyncSession, session_factory: SessionFactory, engine: AsyncEngine
) -> None:
    region = await make_full_region(session)
    path = f"/v1/regions/{region.tenant_id}/{region.id}"
    assert (await client.delete(path)).status_code == 409
    first, again = [await client.delete(path, params={"force": "true"}) for _ in range(2)]
    assert (first.status_code, first.json()) == (again.status_code, again.json()) == (202, first.json())
    await work(first.json()["job_id"], session, session_factory, engine)
    assert (await client.get(path)).status_code == 404
    hosts = (await client.get("/v1/hosts")).json()["hosts"]
    assert [(host["name"], host["region_id"]) for host in hosts] == [("outside", None)]
    assert await count(session, Group) == 0
    assert list(await session.scalars(select(Label.name))) == ["free"]


async def test_a_forced_tenant_goes_with_everything(
    client: httpx.AsyncClient, session: AsyncSession, session_factory: SessionFactory, engine: AsyncEngine
) -> None:
    region, stays = await make_full_region(session), await make_full_region(session)
    path = f"/v1/tenants/{region.tenant_id}"
    assert (await client.delete(path)).status_code == 409
    job_id = (await client.delete(path, params={"force": "true"})).json()["job_id"]
    await work(job_id, session, session_factory, engine)
    assert (await client.get(path)).status_code == 404
    assert [await count(session, model) for model in (Tenant, Region, Inventory, Host, Label)] == [1, 1, 2, 2, 2]
    assert (await client.get(f"/v1/tenants/{stays.tenant_id}")).status_code == 200
    assert await session.scalar(select(Job.status).where(Job.id == job_id)) == "done"


async def test_nothing_new_comes_into_what_is_being_deleted(client: httpx.AsyncClient, session: AsyncSession) -> None:
    region = await make_full_region(session)
    await client.delete(f"/v1/regions/{region.tenant_id}/{region.id}", params={"force": "true"})
    answer = await client.post("/v1/hosts", json={"name": "late", "region_id": region.id})
    assert answer.status_code == 400


@pytest.mark.parametrize("role", ["admin", "operator"])
async def test_a_tenant_is_not_forced_by_its_own_people(role: str, session: AsyncSession, client_of: ClientOf) -> None:
    region = await make_full_region(session)
    member = await client_of(await session.get_one(Tenant, region.tenant_id), role)
    answer = await member.delete(f"/v1/tenants/{region.tenant_id}", params={"force": "true"})
    assert answer.status_code == 403


async def test_a_deletion_that_was_given_up_takes_its_marks_off(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    region = await make_full_region(session)
    await client.delete(f"/v1/tenants/{region.tenant_id}", params={"force": "true"})
    await TASKS["delete_tenant"].gave_up(session, {"tenant_id": region.tenant_id}, "no reason")
    marked = select(func.count()).select_from(Inventory).where(Inventory.pending_deletion)
    assert await session.scalar(marked) == 0
