"""/v1/hosts: bodies, places, filters, preconditions."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Region
from tests.factories import make_inventory, make_region

COLUMNS = {
    "ip_address": "192.0.2.7",
    "ip6_address": "2001:db8::7",
    "fqdn": "web1.example.org",
    "mac_address": "52:54:00:ab:cd:ef",
    "asset_id": "A-7",
    "os_family": "Debian",
    "device_type": "host",
    "state": "active",
    "last_seen_at": "2026-01-02T03:04:05Z",
}


async def make(client: httpx.AsyncClient, region: Region, name: str = "web1", **body: Any) -> dict[str, Any]:
    answer = await client.post("/v1/hosts", json={"name": name, "region_id": region.id, **body})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_host_needs_a_name_and_a_region(client: httpx.AsyncClient, region: Region) -> None:
    made = await make(client, region)
    assert (made["inventory_id"], made["tenant_id"], made["region_id"]) == (
        region.inventory_id,
        region.tenant_id,
        region.id,
    )
    assert (made["enabled"], made["ip_address"], made["variables"]) == (True, None, {})


async def test_the_well_known_columns_come_back_as_given(client: httpx.AsyncClient, region: Region) -> None:
    made = await make(client, region, **COLUMNS)
    read = (await client.get(f"/v1/hosts/{made['id']}")).json()
    assert {name: read[name] for name in COLUMNS} == COLUMNS


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ip_address", "300.1.1.1"),
        ("ip6_address", "::g"),
        ("mac_address", "52:54"),
        ("last_seen_at", "yesterday"),
        ("enabled", "maybe"),
        ("enabled", None),
        ("name", ""),
        ("name", "  "),
        ("name", None),
        ("name", 7),
        ("name", "x" * 513),
        ("name", "a\tb"),
        ("name", "a\u202eb"),
        ("name", "{{ x }}"),
        ("description", None),
        ("variables", []),
        ("variables", {"": 1}),
        ("variables", {"k" * 256: 1}),
        ("region_id", "1"),
        ("region_id", True),
        ("inventory_id", 0),
        ("colour", "red"),
    ],
)
async def test_a_field_that_does_not_fit_is_named(
    field: str, value: Any, client: httpx.AsyncClient, region: Region
) -> None:
    answer = await client.post("/v1/hosts", json={"name": "h", "region_id": region.id, field: value})
    assert answer.status_code == 400, answer.text
    assert field in str(answer.json()["errors"])


async def test_a_host_without_a_place_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/hosts", json={"name": "h"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["inventory_id"])


async def test_a_region_and_an_inventory_of_two_tenants_are_refused(
    client: httpx.AsyncClient, session: AsyncSession, region: Region
) -> None:
    other = await make_inventory(session)
    body = {"name": "h", "region_id": region.id, "inventory_id": other.id}
    answer = await client.post("/v1/hosts", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["region_id"])


async def test_a_tenant_that_is_not_the_regions_is_refused(
    client: httpx.AsyncClient, session: AsyncSession, region: Region
) -> None:
    other = await make_region(session)
    body = {"name": "h", "region_id": region.id, "tenant_id": other.tenant_id}
    answer = await client.post("/v1/hosts", json=body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["tenant_id"])


async def test_the_same_name_twice_is_a_conflict(client: httpx.AsyncClient, region: Region) -> None:
    await make(client, region)
    answer = await client.post("/v1/hosts", json={"name": "web1", "region_id": region.id})
    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")


async def test_a_host_never_changes_its_inventory(
    client: httpx.AsyncClient, session: AsyncSession, region: Region
) -> None:
    made = await make(client, region)
    other = await make_inventory(session)
    answer = await client.patch(f"/v1/hosts/{made['id']}", json={"inventory_id": other.id})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["inventory_id"])


async def test_put_leaves_alone_what_it_does_not_name(client: httpx.AsyncClient, region: Region) -> None:
    made = await make(client, region, variables={"a": 1}, **COLUMNS)
    changed = await client.put(f"/v1/hosts/{made['id']}", json={"name": "web2", "fqdn": None})
    assert changed.status_code == 200, changed.text
    body = changed.json()
    assert (body["name"], body["fqdn"], body["variables"], body["asset_id"]) == ("web2", None, {"a": 1}, "A-7")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_stale_if_match_changes_nothing(method: str, client: httpx.AsyncClient, region: Region) -> None:
    made = await make(client, region)
    path = f"/v1/hosts/{made['id']}"
    stale = (await client.get(path)).headers["etag"]
    await client.patch(path, json={"description": "newer"})
    body = None if method == "DELETE" else {"name": "older"}
    answer = await client.request(method, path, json=body, headers={"If-Match": stale})
    assert (answer.status_code, answer.json()["code"]) == (412, "stale")
    assert (await client.get(path)).json()["name"] == "web1"


async def test_every_change_moves_the_etag(client: httpx.AsyncClient, region: Region) -> None:
    made = await make(client, region)
    path = f"/v1/hosts/{made['id']}"
    before = (await client.get(path)).headers["etag"]
    changed = await client.patch(path, json={"description": "x"}, headers={"If-Match": before})
    assert changed.status_code == 200
    assert changed.headers["etag"] != before
    assert (await client.get(path)).headers["etag"] == changed.headers["etag"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"name": "web1"}, ["web1"]),
        ({"ip_address": "192.0.2.7"}, ["web1"]),
        ({"ip_address": "2001:DB8::7"}, ["web1"]),
        ({"group": "top"}, ["db1", "web1"]),
        ({"group": "low"}, ["web1"]),
        ({"group": "absent"}, []),
        ({"host_filter": "name=db1 or os_family=Debian"}, ["db1", "web1"]),
        ({"host_filter": "not groups__name=low"}, ["db1"]),
    ],
    ids=str,
)
async def test_hosts_are_found(
    query: dict[str, str], names: list[str], client: httpx.AsyncClient, region: Region
) -> None:
    web = await make(client, region, **COLUMNS)
    database = await make(client, region, "db1")
    top, low = [
        (await client.post("/v1/groups", json={"name": name, "region_id": region.id})).json()["id"]
        for name in ("top", "low")
    ]
    await client.put(f"/v1/groups/{top}/children/{low}")
    await client.put(f"/v1/groups/{low}/hosts/{web['id']}")
    await client.put(f"/v1/groups/{top}/hosts/{database['id']}")
    found = (await client.get("/v1/hosts", params={**query, "sort_keys": "name"})).json()["hosts"]
    assert [host["name"] for host in found] == names


async def test_hosts_are_found_by_region(client: httpx.AsyncClient, session: AsyncSession, region: Region) -> None:
    await make(client, region)
    other = await make_region(session)
    for owner, count in ((region, 1), (other, 0)):
        found = await client.get("/v1/hosts", params={"region_id": owner.id})
        assert len(found.json()["hosts"]) == count


@pytest.mark.parametrize("address", ["1.2.3", "x", "1.2.3.4/24"])
async def test_an_address_that_is_none_is_refused(address: str, client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/hosts", params={"ip_address": address})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["ip_address"])


async def test_a_filter_that_cannot_be_read_says_where(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/hosts", params={"host_filter": "name="})
    assert answer.status_code == 400
    assert answer.json()["column"] > 0


SECRETS = ["created_by__password_hash", "created_by__password", "tenant__token", "inventory__secret_hash"]


@pytest.mark.parametrize("path", SECRETS)
@pytest.mark.parametrize("route", ["/v1/hosts", "/v2/hosts/"])
async def test_s20_no_filter_asks_for_a_secret(path: str, route: str, client: httpx.AsyncClient) -> None:
    answer = await client.get(route, params={"host_filter": f"{path}__startswith=a"})
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("path", SECRETS)
async def test_s20_no_list_parameter_asks_for_a_secret(path: str, client: httpx.AsyncClient) -> None:
    answer = await client.get("/v2/hosts/", params={f"{path}__startswith": "a"})
    assert answer.status_code in (400, 403), answer.text


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("host_id", [0, -1, 2**63, 10**40], ids=["zero", "minus", "int64", "huge"])
async def test_an_id_that_no_row_can_have_is_absent(method: str, host_id: int, client: httpx.AsyncClient) -> None:
    body = {} if method == "PATCH" else None
    assert (await client.request(method, f"/v1/hosts/{host_id}", json=body)).status_code == 404


VARIABLES = {
    "web1": {"hardware": {"disks": [{"vendor": "Seagate"}, {"vendor": "WD"}]}, "os": {"release": 12}},
    "web2": {"hardware": {"disks": [{"vendor": "WD"}, {"vendor": "Seagate"}]}, "os": {"release": 11}},
    "db1": {"os": {"release": 12}},
}


@pytest.fixture
async def equipped(client: httpx.AsyncClient, region: Region) -> Region:
    """A region whose hosts have variables."""
    for name, variables in VARIABLES.items():
        await make(client, region, name, variables=variables)
    return region


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"vars": 'hardware.disks[*].vendor:"Seagate",os.release:12'}, ["web1"]),
        ({"vars": "hardware.disks[1].vendor:Seagate"}, ["web2"]),
        ({"vars": ["os.release:12", "hardware.*[0].vendor:Seagate"]}, ["web1"]),
        ({"vars": "os.release:12", "name": "db1"}, ["db1"]),
        ({"vars": "os.release:12", "host_filter": "not name=db1"}, ["web1"]),
        ({"vars": "variables__os__release in (11, 13)"}, ["web2"]),
    ],
    ids=str,
)
async def test_hosts_are_found_by_their_variables(
    query: dict[str, Any], names: list[str], client: httpx.AsyncClient, equipped: Region
) -> None:
    answer = await client.get("/v1/hosts", params={**query, "region_id": equipped.id, "sort_keys": "name"})
    assert [host["name"] for host in answer.json()["hosts"]] == names


async def test_a_search_by_variables_is_paged_by_its_own_markers(client: httpx.AsyncClient, equipped: Region) -> None:
    query = {"vars": "os.release:12", "sort_keys": "name", "limit": "1"}
    first = (await client.get("/v1/hosts", params=query)).json()
    following = next(link["href"] for link in first["links"] if link["rel"] == "next")
    assert "vars=os.release%3A12" in following
    assert [host["name"] for host in (await client.get(following)).json()["hosts"]] == ["web1"]
    assert (await client.get(following.replace("release%3A12", "release%3A11"))).status_code == 400


@pytest.mark.parametrize(("text", "column"), [("os.release", 11), ("os[x]:1", 3), ("a:1,*.b:2", 5)])
async def test_variables_that_cannot_be_read_say_where(text: str, column: int, client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/hosts", params={"vars": text})
    assert (answer.status_code, answer.json()["code"], answer.json()["column"]) == (400, "filter.syntax", column)
