"""/v1/groups, their names, children and hosts."""

from typing import Any

import httpx
import pytest

from craton_inv.models import Region


async def make(client: httpx.AsyncClient, region: Region, name: str) -> dict[str, Any]:
    answer = await client.post("/v1/groups", json={"name": name, "region_id": region.id})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/cron.d/x",
        "/abs",
        "a/b",
        "C:\\x",
        "a\x00b",
        "a\u200fb",
        "ö" * 150,
        "all",
        "_meta",
        "ungrouped",
        ".",
        "..",
        "",
        "a\nb",
    ],
)
@pytest.mark.parametrize("route", ["/v1/groups", "/v2/groups/"])
async def test_s08_a_group_name_that_is_no_path_component_is_refused(
    name: str, route: str, client: httpx.AsyncClient, region: Region
) -> None:
    field = "inventory_id" if route.startswith("/v1") else "inventory"
    answer = await client.post(route, json={"name": name, field: region.inventory_id})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("twin", ["WEB", "Web"])
async def test_s09_a_name_that_differs_in_case_only_is_a_conflict(
    twin: str, client: httpx.AsyncClient, region: Region
) -> None:
    await make(client, region, "web")
    answer = await client.post("/v1/groups", json={"name": twin, "region_id": region.id})
    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")


async def test_s09_a_name_that_differs_in_unicode_form_only_is_a_conflict(
    client: httpx.AsyncClient, region: Region
) -> None:
    await make(client, region, "caf\u00e9")
    answer = await client.post("/v1/groups", json={"name": "cafe\u0301", "region_id": region.id})
    assert answer.status_code == 409


async def test_children_are_added_listed_and_removed(client: httpx.AsyncClient, region: Region) -> None:
    top, low = await make(client, region, "top"), await make(client, region, "low")
    path = f"/v1/groups/{top['id']}/children"
    for _ in range(2):
        assert (await client.put(f"{path}/{low['id']}")).status_code == 204
    assert [row["name"] for row in (await client.get(path)).json()["groups"]] == ["low"]
    assert (await client.delete(f"{path}/{low['id']}")).status_code == 204
    assert (await client.get(path)).json()["groups"] == []


async def test_a_cycle_is_a_conflict(client: httpx.AsyncClient, region: Region) -> None:
    a, b, c = [await make(client, region, name) for name in "abc"]
    await client.put(f"/v1/groups/{a['id']}/children/{b['id']}")
    await client.put(f"/v1/groups/{b['id']}/children/{c['id']}")
    for child in (a, c):
        answer = await client.put(f"/v1/groups/{c['id']}/children/{child['id']}")
        assert (answer.status_code, answer.json()["code"]) == (409, "cycle")


async def test_deleting_a_group_keeps_its_hosts_and_children(client: httpx.AsyncClient, region: Region) -> None:
    top, low = await make(client, region, "top"), await make(client, region, "low")
    host = (await client.post("/v1/hosts", json={"name": "h", "region_id": region.id})).json()
    await client.put(f"/v1/groups/{top['id']}/children/{low['id']}")
    await client.put(f"/v1/groups/{top['id']}/hosts/{host['id']}")
    assert (await client.delete(f"/v1/groups/{top['id']}")).status_code == 204
    assert (await client.get(f"/v1/groups/{low['id']}")).status_code == 200
    assert (await client.get(f"/v1/hosts/{host['id']}")).status_code == 200


async def test_hosts_are_added_listed_and_removed(client: httpx.AsyncClient, region: Region) -> None:
    group = await make(client, region, "web")
    host = (await client.post("/v1/hosts", json={"name": "h", "region_id": region.id})).json()
    path = f"/v1/groups/{group['id']}/hosts"
    assert (await client.put(f"{path}/{host['id']}")).status_code == 204
    assert [row["name"] for row in (await client.get(path)).json()["hosts"]] == ["h"]
    assert (await client.delete(f"{path}/{host['id']}")).status_code == 204
    assert (await client.get(path)).json()["hosts"] == []
