"""DELETE of an organization: at once when it is empty, else by the worker with everything that belongs to it."""

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.db.session import SessionFactory
from craton_inv.jobs.context import JobContext
from craton_inv.jobs.registry import TASKS
from craton_inv.logs import get_logger
from craton_inv.models import (
    ActivityStream,
    Credential,
    CredentialType,
    Host,
    Inventory,
    InventorySource,
    InventoryUpdate,
    Job,
    Project,
    Schedule,
    Tenant,
)
from craton_inv.queue import jobs
from craton_inv.services import tenants
from craton_inv.settings import Settings
from tests.api.conftest import ClientOf
from tests.factories import (
    make_credential,
    make_credential_type,
    make_host,
    make_inventory,
    make_project,
    make_schedule,
    make_source,
    make_tenant,
)

MODELS = (Tenant, Inventory, Host, InventorySource, InventoryUpdate, Credential, Project, Schedule)


async def make_full(session: AsyncSession) -> Tenant:
    """An organization with an inventory, a source with credential, project, schedule and run, and a host."""
    tenant = await make_tenant(session)
    inventory = await make_inventory(session, tenant=tenant)
    await make_host(session, inventory=inventory)
    project = await make_project(session, tenant=tenant)
    kind = await make_credential_type(session, tenant=tenant)
    credential = await make_credential(session, tenant=tenant, credential_type=kind)
    source = await make_source(
        session, inventory=inventory, source="scm", source_project_id=project.id, credential_id=credential.id
    )
    await make_schedule(session, source=source)
    run = InventoryUpdate(
        inventory_id=inventory.id, tenant_id=tenant.id, inventory_source_id=source.id, name="r", status="successful"
    )
    session.add(run)
    await session.flush()
    return tenant


async def count(session: AsyncSession, model: type) -> int:
    """Rows of a table."""
    return await session.scalar(select(func.count()).select_from(model)) or 0


async def test_an_empty_one_goes_at_once(client: httpx.AsyncClient, session: AsyncSession) -> None:
    tenant = await make_tenant(session)
    assert (await client.delete(f"/v2/organizations/{tenant.id}/")).status_code == 204
    assert (await client.get(f"/v2/organizations/{tenant.id}/")).status_code == 404


async def test_a_full_one_is_marked_and_the_worker_takes_everything_with_it(
    client: httpx.AsyncClient, session: AsyncSession, session_factory: SessionFactory, engine: AsyncEngine
) -> None:
    tenant = await make_full(session)
    before = [await count(session, model) for model in MODELS]
    other = await make_full(session)
    answers = [await client.delete(f"/api/v2/organizations/{tenant.id}/") for _ in range(2)]
    told = {"id": tenant.id, "pending_deletion": True}
    assert [(answer.status_code, answer.json()) for answer in answers] == [(202, told)] * 2
    [job_id] = await session.scalars(select(Job.id).where(Job.task == "delete_tenant"))
    claim = await jobs.claim(session, job_id, "worker", 30)
    assert claim is not None
    await session.commit()
    await TASKS["delete_tenant"].run(JobContext(Settings(), engine, session_factory, claim, get_logger(__name__)))
    assert (await client.get(f"/v2/organizations/{tenant.id}/")).status_code == 404
    assert [await count(session, model) for model in MODELS] == before
    assert list(
        await session.scalars(select(CredentialType.tenant_id).where(CredentialType.tenant_id.is_not(None)))
    ) == [other.id]
    mine = select(func.count()).select_from(ActivityStream).where(ActivityStream.tenant_id == tenant.id)
    assert await session.scalar(mine) == 0


@pytest.mark.parametrize("role", ["admin", "operator"])
async def test_its_own_people_do_not_delete_it(role: str, session: AsyncSession, client_of: ClientOf) -> None:
    tenant = await make_full(session)
    member = await client_of(tenant, role)
    assert (await member.delete(f"/v2/organizations/{tenant.id}/")).status_code == 403


async def test_while_an_update_runs_it_stays(client: httpx.AsyncClient, session: AsyncSession) -> None:
    tenant = await make_full(session)
    [run] = await session.scalars(select(InventoryUpdate))
    run.status = "running"
    await session.flush()
    answer = await client.delete(f"/v2/organizations/{tenant.id}/")
    assert answer.status_code == 409
    assert await count(session, Job) == 0


async def test_a_marked_one_says_so_and_takes_nothing_new(client: httpx.AsyncClient, session: AsyncSession) -> None:
    tenant = await make_full(session)
    path = f"/v2/organizations/{tenant.id}/"
    assert (await client.get(path)).json()["pending_deletion"] is False
    await client.delete(path)
    assert (await client.get(path)).json()["pending_deletion"] is True
    kind = await session.scalar(select(CredentialType.id).where(CredentialType.tenant_id == tenant.id))
    asked = [
        await client.patch(path, json={"name": "other"}),
        await client.post("/v2/inventories/", json={"name": "late", "organization": tenant.id}),
        await client.post("/v2/credentials/", json={"name": "k", "organization": tenant.id, "credential_type": kind}),
        await client.post("/v2/projects/", json={"name": "late", "organization": tenant.id}),
    ]
    assert [(answer.status_code, answer.json()) for answer in asked] == [
        (409, {"error": "The organization is being deleted."})
    ] * 4
    moved = await make_inventory(session)
    answer = await client.patch(f"/v2/inventories/{moved.id}/", json={"organization": tenant.id})
    assert answer.status_code == 409


@pytest.mark.parametrize("path", ["/v2/organizations/{}/", "/v1/tenants/{}"])
async def test_one_without_inventories_that_has_much_else_is_the_worker_s(
    client: httpx.AsyncClient, session: AsyncSession, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(tenants, "AT_ONCE", 2)
    tenant = await make_tenant(session)
    for _ in range(3):
        await make_project(session, tenant=tenant)
    answers = [await client.delete(path.format(tenant.id)) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert await count(session, Job) == 1
    await session.refresh(tenant)
    assert tenant.pending_deletion is True
