"""/v1/regions/{tenant_id}."""

import httpx
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory, Region
from tests.factories import make_inventory, make_region, make_tenant


def path_of(region: Region) -> str:
    return f"/v1/regions/{region.tenant_id}/{region.id}"


async def test_a_region_is_made_with_its_inventory(client: httpx.AsyncClient, session: AsyncSession) -> None:
    tenant = await make_tenant(session)
    made = await client.post(f"/v1/regions/{tenant.id}", json={"name": "north", "variables": {"dc": 1}})
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"/v1/regions/{tenant.id}/{made.json()['id']}"
    inventory = await session.get(Inventory, made.json()["inventory_id"])
    assert inventory is not None
    assert (inventory.name, inventory.tenant_id, inventory.kind) == ("north", tenant.id, "")


async def test_a_region_lists_under_its_tenant_alone(
    client: httpx.AsyncClient, session: AsyncSession, region: Region
) -> None:
    other = await make_region(session)
    listed = (await client.get(f"/v1/regions/{region.tenant_id}")).json()["regions"]
    assert [row["id"] for row in listed] == [region.id]
    assert (await client.get(f"/v1/regions/{region.tenant_id}/{other.id}")).status_code == 404


async def test_a_region_changes_field_by_field(client: httpx.AsyncClient, region: Region) -> None:
    await client.patch(path_of(region), json={"description": "up north"})
    read = (await client.get(path_of(region))).json()
    assert (read["name"], read["description"]) == (region.name, "up north")


async def test_an_empty_region_goes_with_its_inventory(
    client: httpx.AsyncClient, session: AsyncSession, region: Region
) -> None:
    assert (await client.delete(path_of(region))).status_code == 204
    assert await session.scalar(select(Inventory.id).where(Inventory.id == region.inventory_id)) is None


async def test_a_region_with_hosts_stays(client: httpx.AsyncClient, region: Region) -> None:
    await client.post("/v1/hosts", json={"name": "h", "region_id": region.id})
    answer = await client.delete(path_of(region))
    assert (answer.status_code, answer.json()["code"]) == (409, "not_empty")


async def test_two_regions_of_a_tenant_cannot_share_a_name(client: httpx.AsyncClient, region: Region) -> None:
    answer = await client.post(f"/v1/regions/{region.tenant_id}", json={"name": region.name})
    assert (answer.status_code, answer.json()["code"]) == (409, "duplicate")


async def test_a_refused_region_leaves_no_inventory_behind(client: httpx.AsyncClient, session: AsyncSession) -> None:
    tenant = await make_tenant(session)
    taken = await make_inventory(session, "taken", tenant=tenant)
    answer = await client.post(f"/v1/regions/{tenant.id}", json={"name": "taken"})
    assert answer.status_code == 409
    found = await session.scalars(select(Inventory.id).where(Inventory.tenant_id == tenant.id))
    assert list(found) == [taken.id]
