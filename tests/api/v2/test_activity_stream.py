"""The activity stream: what is written through either dialect, told once, without secrets."""

from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import ActivityStream, Inventory, Tenant, User
from craton_inv.repositories.activity import LONGEST, forget_activity, shown
from tests.api.conftest import ClientOf
from tests.factories import make_group, make_host, make_inventory, make_label, make_tenant


@pytest.fixture
async def tenant(session: AsyncSession) -> Tenant:
    return await make_tenant(session, "acme")


@pytest.fixture
async def inventory(session: AsyncSession, tenant: Tenant) -> Inventory:
    return await make_inventory(session, "production", tenant=tenant)


@pytest.fixture
async def client(tenant: Tenant, client_of: ClientOf) -> httpx.AsyncClient:
    return await client_of(tenant, "admin")


async def entries(client: httpx.AsyncClient, path: str = "/v2/activity_stream/", **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def brief(found: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(entry["operation"], entry["object1"], entry["object2"]) for entry in found]


async def test_a_host_that_is_made_changed_and_deleted_leaves_three_entries(
    client: httpx.AsyncClient, inventory: Inventory
) -> None:
    made = (await client.post("/v2/hosts/", json={"name": "web1", "inventory": inventory.id})).json()
    await client.patch(f"/v2/hosts/{made['id']}/", json={"enabled": False})
    assert (await client.delete(f"/v2/hosts/{made['id']}/")).status_code == 204
    found = await entries(client)
    assert brief(found) == [("create", "host", ""), ("update", "host", ""), ("delete", "host", "")]
    assert found[0]["changes"]["name"] == "web1"
    assert found[1]["changes"] == {"enabled": [True, False]}
    assert found[2]["summary_fields"]["host"] == [{"id": made["id"], "name": "web1"}]


async def test_an_entry_says_who_did_it_and_where_it_is(
    session: AsyncSession, client: httpx.AsyncClient, inventory: Inventory
) -> None:
    await client.post("/v2/hosts/", json={"name": "web1", "inventory": inventory.id})
    found = (await entries(client))[0]
    actor = (await session.scalars(select(User).where(User.id == found["summary_fields"]["actor"]["id"]))).one()
    assert found["summary_fields"]["actor"]["username"] == actor.username
    assert found["related"]["actor"] == f"/v2/users/{actor.id}/"
    assert found["url"] == f"/v2/activity_stream/{found['id']}/"
    assert (await client.get(found["url"])).json() == found


async def test_v1_writes_are_told_too(client: httpx.AsyncClient, inventory: Inventory) -> None:
    made = await client.post("/v1/groups", json={"name": "web", "inventory_id": inventory.id})
    assert made.status_code == 201, made.text
    assert brief(await entries(client)) == [("create", "group", "")]


async def test_a_request_that_changes_nothing_is_not_told(
    session: AsyncSession, client: httpx.AsyncClient, inventory: Inventory
) -> None:
    host = await make_host(session, "web1", inventory=inventory)
    assert (await client.patch(f"/v2/hosts/{host.id}/", json={"name": "web1"})).status_code == 200
    assert await entries(client) == []


async def test_a_refused_write_is_not_told(client: httpx.AsyncClient, inventory: Inventory) -> None:
    for status in (201, 400):
        answer = await client.post("/v2/hosts/", json={"name": "web1", "inventory": inventory.id})
        assert answer.status_code == status
    assert len(await entries(client)) == 1


async def test_links_are_told_with_both_sides(
    session: AsyncSession, client: httpx.AsyncClient, inventory: Inventory, tenant: Tenant
) -> None:
    host, group = (
        await make_host(session, "web1", inventory=inventory),
        await make_group(session, "web", inventory=inventory),
    )
    child = await make_group(session, "child", inventory=inventory)
    label = await make_label(session, "gold", tenant=tenant)
    await client.post(f"/v2/groups/{group.id}/hosts/", json={"id": host.id})
    await client.post(f"/v2/groups/{group.id}/children/", json={"id": child.id})
    await client.post(f"/v2/inventories/{inventory.id}/labels/", json={"id": label.id})
    await client.post(f"/v2/groups/{group.id}/hosts/", json={"id": host.id, "disassociate": True})
    found = await entries(client)
    assert brief(found) == [
        ("associate", "group", "host"),
        ("associate", "group", "group"),
        ("associate", "inventory", "label"),
        ("disassociate", "group", "host"),
    ]
    assert [entry["object_association"] for entry in found] == ["hosts", "children", "labels", "hosts"]
    assert found[0]["related"]["host"] == [f"/v2/hosts/{host.id}/"]


async def test_secrets_are_hidden_and_long_values_are_not_repeated(
    client: httpx.AsyncClient, inventory: Inventory
) -> None:
    variables = '{"ansible_password": "hunter2", "deep": {"api_token": "hunter2"}, "plain": 1}'
    made = await client.post("/v2/hosts/", json={"name": "h", "inventory": inventory.id, "variables": variables})
    await client.patch(f"/v2/hosts/{made.json()['id']}/", json={"variables": '{"long": "' + "x" * LONGEST + '"}'})
    source = {"name": "s", "inventory": inventory.id, "source": "example", "source_vars": "prefix: web"}
    await client.post("/v2/inventory_sources/", json=source)
    found = await entries(client)
    assert "hunter2" not in str(found)
    assert found[0]["changes"]["variables"] == {
        "ansible_password": "$encrypted$",
        "deep": {"api_token": "$encrypted$"},
        "plain": 1,
    }
    assert found[1]["changes"]["variables"][1].endswith("characters)")
    assert found[2]["changes"]["source_vars"] == {"prefix": "web"}


@pytest.mark.parametrize("name", ["X-Api-Key", "X-Auth-Key", "private key", "Proxy-Authorization", "Set-Cookie"])
def test_headers_that_log_in_are_hidden(name: str) -> None:
    assert shown("source_vars", f'{{"headers": {{"{name}": "hunter2"}}}}') == {"headers": {name: "$encrypted$"}}


async def test_deleting_an_inventory_is_told_when_it_is_asked_for(
    client: httpx.AsyncClient, inventory: Inventory
) -> None:
    assert (await client.delete(f"/v2/inventories/{inventory.id}/")).status_code == 202
    assert brief(await entries(client)) == [("delete", "inventory", "")]


async def test_an_inventory_shows_what_happened_to_its_content_and_a_host_what_happened_to_it(
    session: AsyncSession, client: httpx.AsyncClient, inventory: Inventory
) -> None:
    one = (await client.post("/v2/hosts/", json={"name": "one", "inventory": inventory.id})).json()["id"]
    group = (await client.post("/v2/groups/", json={"name": "g", "inventory": inventory.id})).json()["id"]
    await client.post(f"/v2/groups/{group}/hosts/", json={"id": one})
    await client.patch(f"/v2/inventories/{inventory.id}/", json={"description": "changed"})
    source = {"name": "s", "inventory": inventory.id, "source": "example"}
    made = (await client.post("/v2/inventory_sources/", json=source)).json()["id"]
    assert len(await entries(client, f"/v2/inventories/{inventory.id}/activity_stream/")) == 5
    assert len(await entries(client, f"/v2/hosts/{one}/activity_stream/")) == 2
    assert len(await entries(client, f"/v2/groups/{group}/activity_stream/")) == 2
    assert len(await entries(client, f"/v2/inventory_sources/{made}/activity_stream/")) == 1


async def test_the_stream_is_filtered_and_ordered(client: httpx.AsyncClient, inventory: Inventory) -> None:
    for name in ("one", "two"):
        await client.post("/v2/hosts/", json={"name": name, "inventory": inventory.id})
    assert len(await entries(client, operation="delete")) == 0
    assert [entry["changes"]["name"] for entry in await entries(client, order_by="-timestamp")] == ["two", "one"]
    assert len(await entries(client, object1_name__startswith="tw")) == 1
    assert len(await entries(client, actor__username="nobody")) == 0


async def test_another_tenant_sees_none_of_it(
    session: AsyncSession, client: httpx.AsyncClient, inventory: Inventory, client_of: ClientOf
) -> None:
    await client.post("/v2/hosts/", json={"name": "one", "inventory": inventory.id})
    other = await client_of(await make_tenant(session, "other"), "admin")
    assert await entries(other) == []
    assert (await other.get((await entries(client))[0]["url"])).status_code == 404


async def test_old_entries_go(session: AsyncSession, client: httpx.AsyncClient, inventory: Inventory) -> None:
    await client.post("/v2/hosts/", json={"name": "one", "inventory": inventory.id})
    assert await forget_activity(session, 1, 1000) == 0
    assert await forget_activity(session, -1, 1000) == 1
    assert await session.scalar(select(func.count()).select_from(ActivityStream)) == 0
