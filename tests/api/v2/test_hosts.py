"""hosts/: creating, reading, changing, deleting, listing."""

import httpx
from sqlalchemy.ext.asyncio import AsyncSession

from tests.factories import make_host, make_inventory


async def test_a_host_is_created_with_awxs_envelope(client: httpx.AsyncClient, session: AsyncSession) -> None:
    inventory = await make_inventory(session)
    answer = await client.post("/api/v2/hosts/", json={"name": "web1", "inventory": inventory.id, "variables": "a: 1"})
    assert answer.status_code == 201, answer.text
    host = answer.json()
    assert (host["type"], host["name"], host["variables"]) == ("host", "web1", "a: 1")
    assert host["url"] == f"/api/v2/hosts/{host['id']}/" == answer.headers["Location"]
    assert host["related"]["inventory"] == f"/api/v2/inventories/{inventory.id}/"
    assert host["created"].endswith("Z")
    assert len(host["created"]) == len("2024-01-01T00:00:00.000000Z")


async def test_both_mounts_link_into_themselves(client: httpx.AsyncClient, session: AsyncSession) -> None:
    host = await make_host(session)
    for mount in ("/v2", "/api/v2"):
        found = (await client.get(f"{mount}/hosts/{host.id}/")).json()
        paths = [found["url"], *found["related"].values()]
        assert all(path.startswith(f"{mount}/") for path in paths), paths
