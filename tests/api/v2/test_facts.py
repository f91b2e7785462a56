"""hosts/:id/ansible_facts/: read, replaced, merged, cleared, limited; found by the search."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Host, Tenant
from tests.api.conftest import ClientOf
from tests.factories import make_host, make_tenant


@pytest.fixture
async def host(session: AsyncSession) -> Host:
    """A host without facts."""
    return await make_host(session, "h")


def path_of(host: Host) -> str:
    """Where its facts are."""
    return f"/v2/hosts/{host.id}/ansible_facts/"


async def test_a_host_without_facts_has_an_empty_object(client: httpx.AsyncClient, host: Host) -> None:
    assert (await client.get(path_of(host))).json() == {}


async def test_put_replaces_and_patch_merges_at_the_top(client: httpx.AsyncClient, host: Host) -> None:
    first = {"os": {"name": "Debian", "release": 12}, "cpus": 8}
    assert (await client.put(path_of(host), json=first)).json() == first
    merged = await client.patch(path_of(host), json={"os": {"name": "Fedora"}, "new": [1]})
    assert merged.json() == {"os": {"name": "Fedora"}, "cpus": 8, "new": [1]}
    await client.put(path_of(host), json={"only": 1})
    assert (await client.get(path_of(host))).json() == {"only": 1}


async def test_delete_clears(client: httpx.AsyncClient, host: Host) -> None:
    await client.put(path_of(host), json={"a": 1})
    assert (await client.delete(path_of(host))).status_code == 204
    assert (await client.get(path_of(host))).json() == {}


async def test_writing_facts_tells_when(client: httpx.AsyncClient, host: Host) -> None:
    shown = f"/v2/hosts/{host.id}/"
    assert (await client.get(shown)).json()["ansible_facts_modified"] is None
    await client.put(path_of(host), json={"a": 1})
    assert (await client.get(shown)).json()["ansible_facts_modified"].endswith("Z")


async def test_written_facts_are_found(client: httpx.AsyncClient, host: Host) -> None:
    await client.put(path_of(host), json={"ansible_processor_vcpus": 8})
    found = await client.get("/v2/hosts/", params={"host_filter": "ansible_facts__ansible_processor_vcpus=8"})
    assert [row["id"] for row in found.json()["results"]] == [host.id]


@pytest.mark.parametrize("body", [[1], "x", 1, None])
async def test_facts_are_an_object(client: httpx.AsyncClient, host: Host, body: Any) -> None:
    assert (await client.put(path_of(host), json=body)).status_code == 400


@pytest.mark.parametrize(
    "text", ['{"a": NaN}', '{"a": 1e999}', '{"a": "\\u0000"}', '{"a": "\\ud800"}', '{"a": 1, "a": 2}', "{", "[" * 1000]
)
async def test_what_json_cannot_hold_is_refused(client: httpx.AsyncClient, host: Host, text: str) -> None:
    answer = await client.put(path_of(host), content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert (await client.get(path_of(host))).json() == {}


async def test_facts_cannot_grow_beyond_the_limit_by_merging(client: httpx.AsyncClient, host: Host) -> None:
    for key in ("a", "b"):
        last = await client.patch(path_of(host), json={key: "x" * 600_000})
    assert last.status_code == 413
    assert list((await client.get(path_of(host))).json()) == ["a"]


async def test_a_reader_reads_facts_and_writes_none(client_of: ClientOf, host: Host, session: AsyncSession) -> None:
    tenant = await session.get_one(Tenant, host.tenant_id)
    reader = await client_of(tenant, "reader")
    assert (await reader.get(path_of(host))).status_code == 200
    assert (await reader.put(path_of(host), json={})).status_code == 403
    stranger = await client_of(await make_tenant(session))
    assert (await stranger.put(path_of(host), json={})).status_code == 404
