"""DELETE of a source: at once when it has little, else marked for the worker; nothing can be done with it meanwhile."""

from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import ActivityStream, Inventory, InventorySource, InventoryUpdate, Job, Schedule, Tenant
from craton_inv.repositories import schedules
from craton_inv.services import inventory_sources
from craton_inv.services.update_on_launch import due_sources
from tests.factories import make_credential, make_credential_type, make_schedule, make_source
from tests.full_world import make_full_world

HTTP_METHODS = {
    "patch": ("PATCH", "", {"name": "other"}),
    "put": ("PUT", "", {"name": "other"}),
    "update": ("POST", "update/", {}),
    "target": ("POST", "update/", {"targets": [{"association": "hosts", "manager_ref": {"name": "h"}}]}),
    "event": ("POST", "events/", {"event_type": "x", "uid": "1", "targets": []}),
    "schedule": ("POST", "schedules/", {"name": "s", "rrule": "DTSTART:20260101T000000Z RRULE:FREQ=DAILY;INTERVAL=1"}),
    "upload": ("POST", "upload/?filename=hosts", None),
    "upload deletion": ("DELETE", "upload/", None),
    "hosts": ("DELETE", "hosts/", None),
    "groups": ("DELETE", "groups/", None),
}


@pytest.fixture
async def pending(session: AsyncSession, inventory: Inventory) -> InventorySource:
    """A source that waits for its deletion."""
    return await make_source(
        session, "going", inventory=inventory, source="example", source_vars='{"hosts": 1}', update_on_launch=True,
        pending_deletion=True,
    )  # fmt: skip


def path_of(source: InventorySource) -> str:
    return f"/v2/inventory_sources/{source.id}/"


async def test_one_that_has_little_goes_at_once(client: httpx.AsyncClient, session: AsyncSession) -> None:
    source = (await make_full_world(session, 2)).source
    answer = await client.delete(path_of(source))
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await client.get(path_of(source))).status_code == 404
    assert await session.scalar(select(func.count()).where(Job.task == "delete_source")) == 0


async def test_one_that_has_much_is_marked_and_asked_again_gives_the_same_answer(
    client: httpx.AsyncClient, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory_sources, "AT_ONCE", 20)
    world = await make_full_world(session, 2)
    answers = [await client.delete(path_of(world.source)) for _ in range(2)]
    told = {"id": world.source.id, "pending_deletion": True}
    assert [(answer.status_code, answer.json()) for answer in answers] == [(202, told)] * 2
    orders = await session.execute(select(Job.args, Job.tenant_id).where(Job.task == "delete_source"))
    assert [tuple(row) for row in orders] == [({"source_id": world.source.id}, world.tenant.id)]
    assert (await client.get(path_of(world.source))).json()["pending_deletion"] is True
    listed = (await client.get("/v2/inventory_sources/", params={"pending_deletion": "true"})).json()["results"]
    assert [found["id"] for found in listed] == [world.source.id]
    told_of = select(ActivityStream.operation).where(ActivityStream.object1 == "inventory_source")
    assert list(await session.scalars(told_of)) == ["delete"]


async def test_while_a_run_of_it_waits_it_stays(client: httpx.AsyncClient, session: AsyncSession) -> None:
    source = (await make_full_world(session, 2)).source
    of_source = select(InventoryUpdate).where(InventoryUpdate.inventory_source_id == source.id).limit(1)
    (await session.scalars(of_source)).one().status = "pending"
    await session.flush()
    assert (await client.delete(path_of(source))).status_code == 409
    await session.refresh(source)
    assert source.pending_deletion is False


@pytest.mark.parametrize("what", ["hosts", "groups"])
async def test_while_the_worker_deletes_what_it_made_it_stays(
    client: httpx.AsyncClient, session: AsyncSession, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    source = (await make_full_world(session, 2)).source
    monkeypatch.setattr(inventory_sources, "AT_ONCE", 1)
    assert (await client.delete(f"{path_of(source)}{what}/")).is_success
    assert (await client.delete(path_of(source))).status_code == 409
    await session.refresh(source)
    assert source.pending_deletion is False


@pytest.mark.parametrize("what", HTTP_METHODS)
async def test_nothing_is_done_with_a_marked_one(
    client: httpx.AsyncClient, session: AsyncSession, pending: InventorySource, what: str
) -> None:
    method, below, body = HTTP_METHODS[what]
    given: dict[str, Any] = {"content": b"x"} if body is None else {"json": body}
    if what == "put":
        given["json"] = {**given["json"], "inventory": pending.inventory_id}
    answer = await client.request(method, path_of(pending) + below, **given)
    assert (answer.status_code, answer.json()) == (409, {"error": "The inventory source is being deleted."})
    assert await session.scalar(select(func.count()).select_from(Job)) == 0


async def test_it_takes_no_credential_and_keeps_its_own(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory
) -> None:
    tenant = await session.get_one(Tenant, inventory.tenant_id)
    kind = await make_credential_type(session, tenant=tenant)
    credential = await make_credential(session, tenant=tenant, credential_type=kind)
    source = await make_source(session, inventory=inventory, pending_deletion=True)
    for body in ({"id": credential.id}, {"id": credential.id, "disassociate": True}):
        answer = await client.post(path_of(source) + "credentials/", json=body)
        assert answer.status_code == 409, answer.text


async def test_its_schedules_are_not_changed_and_do_not_fire(
    client: httpx.AsyncClient, session: AsyncSession, pending: InventorySource
) -> None:
    schedule = await make_schedule(session, source=pending)
    schedule.next_run = func.now()
    await session.flush()
    assert (await client.patch(f"/v2/schedules/{schedule.id}/", json={"name": "s"})).status_code == 409
    assert await schedules.due(session, None, 10) == []
    pending.pending_deletion = False
    await session.flush()
    assert await schedules.due(session, None, 10) == [(schedule.id, pending.id)]
    assert await session.scalar(select(func.count()).select_from(Schedule)) == 1


async def test_updates_of_its_inventory_leave_it_out(
    client: httpx.AsyncClient, session: AsyncSession, pending: InventorySource
) -> None:
    path = f"/v2/inventories/{pending.inventory_id}/update_inventory_sources/"
    assert (await client.get(path_of(pending) + "update/")).json() == {"can_update": False}
    assert (await client.get(path)).json() == {"results": []}
    assert (await client.post(path)).status_code == 400
    assert await due_sources(session, [pending.inventory_id]) == []
    other = await make_source(
        session, inventory=await session.get_one(Inventory, pending.inventory_id), source="example",
        source_vars='{"hosts": 1}',
    )  # fmt: skip
    started = (await client.post(path)).json()["results"]
    assert [found["inventory_source"] for found in started] == [other.id]
