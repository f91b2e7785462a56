"""What malformed bodies get: 4xx in AWX's shape that names the field, and nothing written."""

from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Group, Host, Inventory
from tests.api.conftest import ClientOf
from tests.factories import make_group, make_host, make_inventory, make_tenant

BAD_HOSTS: list[tuple[dict[str, Any], str]] = [
    ({"name": 5}, "name"),
    ({"name": None}, "name"),
    ({"name": ""}, "name"),
    ({"name": "x" * 513}, "name"),
    ({"name": "{{ lookup('pipe', 'id') }}"}, "name"),
    ({"name": "a\nb"}, "name"),
    ({"name": "h", "enabled": "yes"}, "enabled"),
    ({"name": "h", "enabled": 2}, "enabled"),
    ({"name": "h", "enabled": None}, "enabled"),
    ({"name": "h", "description": 5}, "description"),
    ({"name": "h", "instance_id": "x" * 1025}, "instance_id"),
    ({"name": "h", "variables": {"a": 1}}, "variables"),
    ({"name": "h", "variables": "[1]"}, "variables"),
    ({"name": "h", "variables": "a: ["}, "variables"),
    ({"name": "h", "variables": "!!python/object/apply:os.system [id]"}, "variables"),
    ({"name": "h", "variables": "[" * 500}, "variables"),
    ({"name": "h", "variables": '{"a": NaN}'}, "variables"),
]


@pytest.mark.parametrize(("body", "field"), BAD_HOSTS, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_bad_host_is_refused_by_field(
    client: httpx.AsyncClient,
    session: AsyncSession,
    inventory: Inventory,
    method: str,
    body: dict[str, Any],
    field: str,
) -> None:
    host = await make_host(session, "before", inventory=inventory)
    path = f"/v2/inventories/{inventory.id}/hosts/" if method == "POST" else f"/v2/hosts/{host.id}/"
    answer = await client.request(method, path, json=body)
    assert (answer.status_code, list(answer.json())) == (400, [field]), answer.text
    assert await session.scalar(select(func.count()).select_from(Host)) == 1
    await session.refresh(host)
    assert (host.name, host.variables_text) == ("before", "")


@pytest.mark.parametrize("inventory_id", [None, "1", 1.5, True, 0, -1, 2**63, 10**30, [1]])
async def test_a_bad_reference_is_refused_by_field(client: httpx.AsyncClient, inventory_id: Any) -> None:
    answer = await client.post("/v2/hosts/", json={"name": "h", "inventory": inventory_id})
    assert (answer.status_code, list(answer.json())) == (400, ["inventory"])


@pytest.mark.parametrize("plural", ["organizations", "inventories", "hosts", "groups", "inventory_sources"])
@pytest.mark.parametrize(
    "text", ["{", "[]", '"x"', "nul", '{"name": "a", "name": "b"}', "[" * 2000, '{"name": "\\ud800"}']
)
async def test_a_malformed_body_is_refused(client: httpx.AsyncClient, plural: str, text: str) -> None:
    answer = await client.post(f"/v2/{plural}/", content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert isinstance(answer.json(), dict)


async def test_another_content_type_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v2/hosts/", content="name=x", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]


@pytest.mark.parametrize("plural", ["organizations", "inventories", "hosts", "groups", "inventory_sources"])
async def test_an_empty_body_names_what_is_missing(client: httpx.AsyncClient, plural: str) -> None:
    answer = await client.post(f"/v2/{plural}/", json={})
    assert answer.status_code == 400
    assert answer.json()["name"] == ["This field is required."]


async def test_a_yaml_alias_bomb_is_refused_at_once(client: httpx.AsyncClient, inventory: Inventory) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 8)]
    body = {"name": "h", "inventory": inventory.id, "variables": "\n".join(lines)}
    answer = await client.post("/v2/hosts/", json=body)
    assert (answer.status_code, list(answer.json())) == (400, ["variables"])


@pytest.mark.parametrize("null", ["name", "description", "variables", "organization"])
async def test_null_is_refused_where_nothing_may_be_null(
    client: httpx.AsyncClient, inventory: Inventory, null: str
) -> None:
    answer = await client.patch(f"/v2/inventories/{inventory.id}/", json={null: None})
    assert (answer.status_code, answer.json()) == (400, {null: ["This field may not be null."]})


async def test_foreign_objects_are_absent_in_every_place(
    client_of: ClientOf, inventory: Inventory, session: AsyncSession
) -> None:
    host, group = await make_host(session, inventory=inventory), await make_group(session, inventory=inventory)
    tenant = await make_tenant(session)
    own = await make_inventory(session, tenant=tenant)
    own_group = await make_group(session, inventory=own)
    stranger = await client_of(tenant)
    for path in (f"hosts/{host.id}/", f"groups/{group.id}/hosts/", f"inventories/{inventory.id}/tree/"):
        assert (await stranger.get(f"/v2/{path}")).status_code == 404
    attached = await stranger.post(f"/v2/groups/{own_group.id}/hosts/", json={"id": host.id})
    assert attached.json() == {"detail": "Host matching query does not exist."}
    made = await stranger.post("/v2/hosts/", json={"name": "h", "inventory": inventory.id})
    assert (made.status_code, list(made.json())) == (400, ["inventory"])
    moved = await stranger.patch(f"/v2/inventories/{own.id}/", json={"organization": inventory.tenant_id})
    assert (moved.status_code, list(moved.json())) == (400, ["organization"])
    assert (await stranger.get(f"/v2/hosts/?host_filter=id={host.id}")).json()["count"] == 0
    assert await session.scalar(select(func.count()).select_from(Group)) == 2
