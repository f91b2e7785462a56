"""/v1/jobs: what waits and what runs, for those who operate the service."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import InventorySource, Job, Tenant
from tests.api.conftest import ClientOf
from tests.factories import make_inventory, make_project, make_source, make_tenant, save

NOW = datetime.now(UTC)


@pytest.fixture
async def tenant(session: AsyncSession) -> Tenant:
    """Whose jobs are looked at."""
    return await make_tenant(session)


async def add(session: AsyncSession, tenant: Tenant | None = None, **values: Any) -> Job:
    """A job."""
    values.setdefault("task", "refresh")
    job: Job = await save(session, Job(tenant_id=tenant.id if tenant else None, args={"update_id": 7}, **values))
    return job


async def ids(client: httpx.AsyncClient, **query: Any) -> list[int]:
    """The ids that the list gives."""
    answer = await client.get("/v1/jobs", params=query)
    assert answer.status_code == 200, answer.text
    return [job["id"] for job in answer.json()["jobs"]]


async def test_a_running_job_is_shown_with_its_worker_heartbeat_and_lease(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    job = await add(
        session,
        tenant,
        status="running",
        attempt=2,
        worker="node-1:42",
        created=NOW - timedelta(seconds=90),
        heartbeat_at=NOW,
        lease_until=NOW + timedelta(seconds=30),
        error="It was interrupted once.",
    )
    [shown] = (await client.get("/v1/jobs")).json()["jobs"]
    assert shown == (await client.get(f"/v1/jobs/{job.id}")).json() | {"age": shown["age"]}
    expected = {"task": "refresh", "args": {"update_id": 7}, "tenant_id": tenant.id, "status": "running", "attempt": 2}
    assert shown.items() >= expected.items()
    assert (shown["worker"], shown["error"]) == ("node-1:42", "It was interrupted once.")
    assert datetime.fromisoformat(shown["lease_until"]) - datetime.fromisoformat(shown["heartbeat_at"]) == timedelta(
        seconds=30
    )
    assert shown["age"] >= 90


async def test_the_list_holds_what_waits_and_runs_unless_told_otherwise(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    made = {status: await add(session, status=status) for status in ("queued", "running", "done", "failed")}
    assert await ids(client) == [made["queued"].id, made["running"].id]
    assert await ids(client, status="failed") == [made["failed"].id]
    assert await ids(client, status=["done", "failed"], task="refresh") == [made["done"].id, made["failed"].id]
    assert await ids(client, task="delete_inventory") == []


async def test_the_list_comes_in_pages(client: httpx.AsyncClient, session: AsyncSession) -> None:
    jobs = [await add(session) for _ in range(3)]
    first = (await client.get("/v1/jobs", params={"limit": 2})).json()
    following = next(link["href"] for link in first["links"] if link["rel"] == "next")
    assert [job["id"] for job in (await client.get(following)).json()["jobs"]] == [jobs[2].id]


@pytest.mark.parametrize("query", [{"status": "lost"}, {"limit": 0}, {"task": "x" * 65}, {"marker": "x"}])
async def test_what_the_list_cannot_take_is_refused(client: httpx.AsyncClient, query: dict[str, Any]) -> None:
    answer = await client.get("/v1/jobs", params=query)
    assert answer.status_code == 400, answer.text
    assert [field.partition(".")[0] for field in answer.json()["errors"]] == list(query)


async def test_a_member_sees_the_jobs_of_his_tenant_and_none_of_the_service(
    session: AsyncSession, tenant: Tenant, client_of: ClientOf
) -> None:
    own, of_all, foreign = (
        await add(session, tenant),
        await add(session),
        await add(session, await make_tenant(session)),
    )
    reader = await client_of(tenant, "reader")
    assert await ids(reader) == [own.id]
    assert [(await reader.get(f"/v1/jobs/{job.id}")).status_code for job in (own, of_all, foreign)] == [200, 404, 404]


async def test_an_administrator_sees_the_jobs_of_the_service_too(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    assert await ids(client) == []
    jobs = [await add(session, tenant), await add(session)]
    assert await ids(client) == [job.id for job in jobs]


@pytest.fixture
async def source(session: AsyncSession, tenant: Tenant) -> InventorySource:
    """A source that can be updated."""
    return await make_source(session, "cloud", inventory=await make_inventory(session, tenant=tenant), source="example")


async def started(client: httpx.AsyncClient, source: InventorySource) -> tuple[int, str]:
    """An update that was asked for: its job's id, and where it is read."""
    answer = await client.post(f"/v2/inventory_sources/{source.id}/update/")
    assert answer.status_code == 202, answer.text
    [job] = (await client.get("/v1/jobs")).json()["jobs"]
    return job["id"], answer.json()["url"]


async def test_cancelling_the_job_of_an_update_cancels_the_update(
    client: httpx.AsyncClient, source: InventorySource
) -> None:
    job_id, update = await started(client, source)
    answer = await client.post(f"/v1/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "canceled"), answer.text
    assert (await client.get(update)).json()["status"] == "canceled"


async def test_cancelling_a_job_at_work_flags_it_for_its_worker(
    client: httpx.AsyncClient, session: AsyncSession, source: InventorySource
) -> None:
    job_id, _ = await started(client, source)
    job = await session.get_one(Job, job_id)
    job.status, job.lease_until = "running", NOW + timedelta(seconds=30)
    await session.flush()
    answer = await client.post(f"/v1/jobs/{job_id}/cancel")
    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["cancel_requested"]) == ("running", True)


async def test_cancelling_the_job_of_a_projects_update_cancels_that(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    project = await make_project(session, "playbooks", tenant=tenant)
    asked = await client.post(f"/v2/projects/{project.id}/update/")
    assert asked.status_code == 202, asked.text
    [job] = (await client.get("/v1/jobs", params={"task": "update_project"})).json()["jobs"]
    assert (await client.post(f"/v1/jobs/{job['id']}/cancel")).json()["status"] == "canceled"
    assert (await client.get(asked.json()["url"])).json()["status"] == "canceled"


@pytest.mark.parametrize("task", ["delete_inventory", "rewrap_keys", "reconcile_smart_memberships"])
async def test_a_job_of_a_kind_that_cannot_stop_half_way_says_so(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant, task: str
) -> None:
    job = await add(session, tenant, task=task)
    answer = await client.post(f"/v1/jobs/{job.id}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "job.not_cancelable"), answer.text
    assert task in answer.json()["message"]
    assert (await client.get(f"/v1/jobs/{job.id}")).json()["cancel_requested"] is False


@pytest.mark.parametrize("status", ["done", "failed", "canceled"])
async def test_a_job_that_has_ended_is_not_cancelled(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant, status: str
) -> None:
    job = await add(session, tenant, status=status)
    answer = await client.post(f"/v1/jobs/{job.id}/cancel")
    assert (answer.status_code, answer.json()["code"]) == (409, "job.ended"), answer.text


async def test_the_job_of_an_update_that_is_gone_is_cancelled_by_itself(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    job = await add(session, tenant)
    answer = await client.post(f"/v1/jobs/{job.id}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "canceled"), answer.text


async def test_a_run_that_moved_to_another_tenant_is_not_cancelled_by_its_job(
    client: httpx.AsyncClient, client_of: ClientOf, session: AsyncSession, tenant: Tenant, source: InventorySource
) -> None:
    job_id, update = await started(client, source)
    other = await make_tenant(session)
    moved = await client.patch(f"/v2/inventories/{source.inventory_id}/", json={"organization": other.id})
    assert moved.status_code == 200, moved.text
    stranger = await client_of(tenant)
    assert (await stranger.get(update)).status_code == 404
    assert (await stranger.post(f"/v1/jobs/{job_id}/cancel")).status_code == 404
    assert (await client.get(update)).json()["status"] == "pending"
    assert (await client.get(f"/v1/jobs/{job_id}")).json()["status"] == "queued"


async def test_only_who_may_start_the_work_cancels_it(
    session: AsyncSession, tenant: Tenant, source: InventorySource, client_of: ClientOf
) -> None:
    operator, reader = await client_of(tenant, "operator"), await client_of(tenant, "reader")
    stranger = await client_of(await make_tenant(session), "admin")
    job_id, _ = await started(operator, source)
    of_the_service = await add(session, task="refresh")
    asked = [(reader, job_id), (stranger, job_id), (operator, of_the_service.id), (operator, job_id)]
    answers = [(await each.post(f"/v1/jobs/{number}/cancel")).status_code for each, number in asked]
    assert answers == [403, 404, 404, 202]
