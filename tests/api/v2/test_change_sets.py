"""Change sets and dry runs through /v2: listing, filtering, applying."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory, InventoryChangePart, InventorySource, InventoryUpdate, Tenant
from tests.api.conftest import ClientOf
from tests.factories import make_group, make_host, make_inventory, make_source, make_tenant, save


@pytest.fixture
async def tenant(session: AsyncSession) -> Tenant:
    return await make_tenant(session, "acme")


@pytest.fixture
async def source(session: AsyncSession, tenant: Tenant) -> InventorySource:
    inventory = await make_inventory(session, "production", tenant=tenant)
    return await make_source(session, "cloud", inventory=inventory, source="example", source_vars="{}")


async def make_run(session: AsyncSession, source: InventorySource, **values: Any) -> InventoryUpdate:
    values = {"status": "successful", "name": "run", **values}
    where = {"inventory_id": source.inventory_id, "tenant_id": source.tenant_id, "inventory_source_id": source.id}
    run: InventoryUpdate = await save(session, InventoryUpdate(**where, **values))
    return run


@pytest.fixture
async def run(session: AsyncSession, source: InventorySource) -> InventoryUpdate:
    """A run that made a host and its link, changed two hosts and deleted one."""
    made = await make_run(session, source)
    inventory = await session.get_one(Inventory, source.inventory_id)
    host, group = (
        await make_host(session, "web1", inventory=inventory),
        await make_group(session, "web", inventory=inventory),
    )
    parts: list[dict[str, Any]] = [
        {"collection": "hosts", "action": "created", "row_ids": [host.id], "refs": ["web1"]},
        {"collection": "memberships", "action": "created", "row_ids": [host.id], "parent_ids": [group.id]},
        {
            "collection": "hosts",
            "action": "updated",
            "row_ids": [8001, 8002],
            "refs": ["db1", "db2"],
            "changes": [{"enabled": [True, False]}, {"variables": [{}, {"a": 1}]}],
        },
        {
            "collection": "hosts",
            "action": "deleted",
            "row_ids": [8003],
            "refs": ["old1"],
            "changes": [{"name": "old1", "variables": {"a": 1}}],
        },
    ]
    for part in parts:
        await save(session, InventoryChangePart(update_id=made.id, size=len(part["row_ids"]), **part))
    return made


async def refs(client: httpx.AsyncClient, run: InventoryUpdate, **query: Any) -> list[str]:
    answer = await client.get(f"/v2/inventory_updates/{run.id}/changes/", params=query)
    assert answer.status_code == 200, answer.text
    return [row["ref"] for row in answer.json()["results"]]


async def test_changes_are_listed_in_order_with_what_changed(
    run: InventoryUpdate, tenant: Tenant, client_of: ClientOf
) -> None:
    client = await client_of(tenant, "reader")
    listed = (await client.get(f"/v2/inventory_updates/{run.id}/changes/")).json()
    assert listed["count"] == 5
    assert [row["ref"] for row in listed["results"]] == ["web1", "web > web1", "db1", "db2", "old1"]
    assert [row["changes"] for row in listed["results"]][2:] == [
        {"enabled": [True, False]},
        {"variables": [{}, {"a": 1}]},
        {"name": "old1", "variables": {"a": 1}},
    ]


async def test_changes_are_filtered_by_collection_action_and_ref(
    run: InventoryUpdate, tenant: Tenant, client_of: ClientOf
) -> None:
    client = await client_of(tenant, "reader")
    assert await refs(client, run, collection="hosts", action="updated") == ["db1", "db2"]
    assert await refs(client, run, collection="memberships") == ["web > web1"]
    assert await refs(client, run, ref__startswith="db", order_by="-ref") == ["db2", "db1"]
    assert await refs(client, run, search="old") == ["old1"]
    assert await refs(client, run, row_id__in="8002,8003") == ["db2", "old1"]


async def test_pages_of_changes_follow_each_other(run: InventoryUpdate, tenant: Tenant, client_of: ClientOf) -> None:
    client = await client_of(tenant, "reader")
    pages = [await refs(client, run, page=page, page_size=2) for page in (1, 2, 3)]
    assert pages == [["web1", "web > web1"], ["db1", "db2"], ["old1"]]


async def test_a_run_says_where_its_changes_are_and_whether_it_is_a_dry_run(
    session: AsyncSession, source: InventorySource, tenant: Tenant, client_of: ClientOf
) -> None:
    client = await client_of(tenant, "reader")
    dry = await make_run(session, source, purpose="dry_run")
    real = await make_run(session, source, purpose="apply", dry_run_id=dry.id)
    shown = {row["id"]: row for row in (await client.get("/v2/inventory_updates/")).json()["results"]}
    assert (shown[dry.id]["dry_run"], shown[dry.id]["applies"]) == (True, None)
    assert (shown[real.id]["dry_run"], shown[real.id]["applies"]) == (False, dry.id)
    assert shown[dry.id]["related"]["changes"] == f"/v2/inventory_updates/{dry.id}/changes/"
    assert shown[dry.id]["related"]["apply"] == f"/v2/inventory_updates/{dry.id}/apply/"
    assert shown[real.id]["related"]["applies"] == f"/v2/inventory_updates/{dry.id}/"


async def test_a_dry_run_is_asked_for_as_an_update_is(
    source: InventorySource, tenant: Tenant, client_of: ClientOf
) -> None:
    client = await client_of(tenant, "operator")
    asked = await client.post(f"/v2/inventory_sources/{source.id}/update/", json={"dry_run": True})
    assert (asked.status_code, asked.json()["dry_run"]) == (202, True)
    real = await client.post(f"/v2/inventory_sources/{source.id}/update/", json={"dry_run": False})
    assert (real.status_code, real.json()["dry_run"]) == (202, False)
    assert real.json()["id"] != asked.json()["id"]


async def test_an_update_that_was_no_dry_run_is_not_applied(
    run: InventoryUpdate, tenant: Tenant, client_of: ClientOf
) -> None:
    client = await client_of(tenant, "operator")
    answer = await client.post(f"/v2/inventory_updates/{run.id}/apply/")
    assert answer.status_code == 400
    assert "this update was none" in answer.text


async def test_a_dry_run_whose_delivery_is_gone_is_a_conflict(
    session: AsyncSession, source: InventorySource, tenant: Tenant, client_of: ClientOf
) -> None:
    dry = await make_run(session, source, purpose="dry_run")
    answer = await (await client_of(tenant, "operator")).post(f"/v2/inventory_updates/{dry.id}/apply/")
    assert answer.status_code == 409
    assert "expired" in answer.text


async def test_a_dry_run_says_whether_the_caller_can_apply_it(
    session: AsyncSession, source: InventorySource, tenant: Tenant, client_of: ClientOf
) -> None:
    dry = await make_run(session, source, purpose="dry_run")
    url = f"/v2/inventory_updates/{dry.id}/apply/"
    told = (await (await client_of(tenant, "operator")).get(url)).json()
    assert told["can_apply"] is False
    assert "expired" in told["reason"]
    reader = await (await client_of(tenant, "reader")).get(url)
    assert (reader.status_code, reader.json()["can_apply"]) == (200, False)
    assert reader.json()["reason"]
