"""limit, marker, sort_keys and sort_dir."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Region
from tests.api.v1.conftest import link
from tests.api.v2.conftest import Statements
from tests.factories import make_group, make_host, make_region, make_tenant


async def make_hosts(session: AsyncSession, region: Region, names: str) -> None:
    """One host a letter, in that order."""
    for name in names:
        inventory_id, tenant_id = region.inventory_id, region.tenant_id
        await make_host(session, name, inventory=_Owner(inventory_id, tenant_id))  # type: ignore[arg-type]


class _Owner:
    def __init__(self, id: int, tenant_id: int) -> None:
        self.id = id
        self.tenant_id = tenant_id


async def walk(client: httpx.AsyncClient, path: str) -> list[str]:
    """The names on every page, following the links."""
    names: list[str] = []
    following: str | None = path
    while following is not None:
        answer = await client.get(following)
        assert answer.status_code == 200, answer.text
        names += [host["name"] for host in answer.json()["hosts"]]
        following = link(answer, "next")
    return names


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7])
async def test_pages_meet_every_row_once(
    limit: int, client: httpx.AsyncClient, session: AsyncSession, region: Region
) -> None:
    await make_hosts(session, region, "cabfed")
    assert await walk(client, f"/v1/hosts?limit={limit}&sort_keys=name") == list("abcdef")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("sort_keys=name&sort_dir=desc", "fedcba"),
        ("sort_keys=description,name", "abcdef"),
        ("sort_keys=created", "cabfed"),
        ("sort_keys=enabled,id&sort_dir=desc", "defbac"),
    ],
)
async def test_sort_keys_order_across_pages(
    query: str, names: str, client: httpx.AsyncClient, session: AsyncSession, region: Region
) -> None:
    await make_hosts(session, region, "cabfed")
    assert await walk(client, f"/v1/hosts?limit=2&{query}") == list(names)


async def test_rows_made_and_deleted_meanwhile_neither_repeat_nor_hide_others(
    client: httpx.AsyncClient, session: AsyncSession, region: Region
) -> None:
    await make_hosts(session, region, "bdf")
    first = await client.get("/v1/hosts?limit=2&sort_keys=name")
    await make_hosts(session, region, "ae")
    await client.delete(f"/v1/hosts/{first.json()['hosts'][1]['id']}")
    assert await walk(client, link(first, "next") or "") == ["e", "f"]


async def test_the_links_of_a_page_keep_its_query(
    client: httpx.AsyncClient, session: AsyncSession, region: Region
) -> None:
    await make_hosts(session, region, "ab")
    answer = await client.get("/v1/hosts?limit=1&name=a")
    assert link(answer, "self") == link(answer, "first") == "/v1/hosts?limit=1&name=a"
    assert link(answer, "next") is None


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "many", "1e3", "9" * 30])
async def test_a_limit_out_of_range_is_refused(limit: str, client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/hosts", params={"limit": limit})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["limit"])


async def test_a_marker_of_another_query_is_refused(
    client: httpx.AsyncClient, session: AsyncSession, region: Region
) -> None:
    await make_hosts(session, region, "abc")
    marker = httpx.URL(link(await client.get("/v1/hosts?limit=1"), "next") or "").params["marker"]
    for query in ({"name": "b"}, {"sort_keys": "name"}, {"sort_dir": "desc"}):
        answer = await client.get("/v1/hosts", params={"limit": 1, "marker": marker, **query})
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["marker"])


@pytest.mark.parametrize("marker", ["x", "", "AAAA", "é", "=" * 50, "A" * 5000])
async def test_a_made_up_marker_is_refused(marker: str, client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/hosts", params={"marker": marker})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["marker"])


@pytest.mark.parametrize("key", ["variables", "ip_address", "tenant", "secret_hash", "nope", "name desc", "name;--"])
async def test_s21_sorting_by_a_column_outside_the_list_is_refused(key: str, client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/hosts", params={"sort_keys": key})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["sort_keys"])


@pytest.mark.parametrize("path", ["/v1/users", "/v1/tokens"])
@pytest.mark.parametrize("key", ["password_hash", "secret_hash"])
async def test_s21_nothing_is_sorted_by_a_secret(path: str, key: str, client: httpx.AsyncClient) -> None:
    assert (await client.get(path, params={"sort_keys": key})).status_code == 400


@pytest.mark.parametrize("name", ["nam", "host_filters", "user__password"])
async def test_an_unknown_parameter_is_refused(name: str, client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/hosts", params={name: "x"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [name])


LISTS = ["/v1/tenants", "/v1/regions/{tenant}", "/v1/hosts", "/v1/groups", "/v1/groups/{group}/hosts", "/v1/tokens"]


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_costs_the_same_statements_for_one_row_and_many(
    path: str, client: httpx.AsyncClient, session: AsyncSession, region: Region, statements: Statements
) -> None:
    owner = _Owner(region.inventory_id, region.tenant_id)
    group = await make_group(session, inventory=owner)  # type: ignore[arg-type]
    url = path.format(tenant=region.tenant_id, group=group.id)
    await client.get(url)  # notes the use of the token once
    with statements.recorded() as few:
        assert (await client.get(url)).status_code == 200
    tenant = await make_tenant(session)
    for _ in range(5):
        await make_host(session, inventory=owner, groups=[group])  # type: ignore[arg-type]
        await make_region(session, tenant=tenant)
        await client.post("/v1/tokens", json={})
    with statements.recorded() as many:
        await client.get(url)
    assert len(few) == len(many) <= 3, many
