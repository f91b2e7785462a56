"""…/variables of tenants, regions, hosts and groups."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Region
from tests.factories import make_group, make_host

KINDS = ("tenants", "regions", "hosts", "groups")


@pytest.fixture(params=KINDS)
async def path(request: pytest.FixtureRequest, session: AsyncSession, region: Region) -> str:
    """The variables of one object of each kind."""
    owner: Any = type("Owner", (), {"id": region.inventory_id, "tenant_id": region.tenant_id})
    if request.param == "tenants":
        return f"/v1/tenants/{region.tenant_id}/variables"
    if request.param == "regions":
        return f"/v1/regions/{region.tenant_id}/{region.id}/variables"
    make = make_host if request.param == "hosts" else make_group
    return f"/v1/{request.param}/{(await make(session, inventory=owner)).id}/variables"


async def test_put_merges_keys_and_delete_drops_them(path: str, client: httpx.AsyncClient) -> None:
    assert (await client.put(path, json={"a": 1, "b": {"c": [True]}})).status_code == 200
    assert (await client.put(path, json={"a": None})).json() == {"variables": {"a": None, "b": {"c": [True]}}}
    dropped = await client.request("DELETE", path, json=["b", "absent"])
    assert dropped.json() == {"variables": {"a": None}}
    assert (await client.get(path)).json() == {"variables": {"a": None}}


async def test_true_is_not_one(path: str, client: httpx.AsyncClient) -> None:
    await client.put(path, json={"a": 1})
    await client.put(path, json={"a": True})
    assert (await client.get(path)).json()["variables"]["a"] is True


async def test_writing_what_is_there_moves_no_etag(path: str, client: httpx.AsyncClient) -> None:
    first = await client.put(path, json={"a": 1})
    second = await client.put(path, json={"a": 1})
    assert first.headers["etag"] == second.headers["etag"]


@pytest.mark.parametrize("body", [[], {"": 1}, {"k" * 256: 1}, "x", None], ids=str)
async def test_what_are_no_variables_is_refused(body: Any, path: str, client: httpx.AsyncClient) -> None:
    assert (await client.put(path, json=body)).status_code == 400


@pytest.mark.parametrize("body", [{}, "a", [1], [None]], ids=str)
async def test_what_are_no_keys_is_refused(body: Any, path: str, client: httpx.AsyncClient) -> None:
    assert (await client.request("DELETE", path, json=body)).status_code == 400


async def test_a_stale_if_match_merges_nothing(path: str, client: httpx.AsyncClient) -> None:
    stale = (await client.get(path)).headers["etag"]
    await client.put(path, json={"a": 1})
    assert (await client.put(path, json={"b": 1}, headers={"If-Match": stale})).status_code == 412
    assert (await client.get(path)).json() == {"variables": {"a": 1}}
