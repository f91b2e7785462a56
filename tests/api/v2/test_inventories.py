"""inventories/: kinds, filters, deletion by a worker, tree and variables."""

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory, Job, Tenant
from tests.api.conftest import RingingBell
from tests.factories import add_child, make_group, make_host, make_inventory, make_region, make_tenant

INVENTORIES = "/api/v2/inventories/"


async def test_an_inventory_is_created_regular_and_empty(client: httpx.AsyncClient, session: AsyncSession) -> None:
    tenant = await make_tenant(session, "Acme")
    answer = await client.post(
        INVENTORIES, json={"name": "prod", "organization": tenant.id, "kind": None, "host_filter": None}
    )
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert (found["kind"], found["host_filter"], found["total_hosts"], found["type"]) == ("", None, 0, "inventory")
    assert found["summary_fields"]["organization"] == {"id": tenant.id, "name": "Acme", "description": ""}
    assert found["related"]["named_url"] == f"{INVENTORIES}prod++Acme/"


async def test_an_absent_organization_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.post(INVENTORIES, json={"name": "x", "organization": 999_999})
    assert (answer.status_code, answer.json()) == (
        400,
        {"organization": ['Invalid pk "999999" - object does not exist.']},
    )


async def test_a_smart_inventory_needs_a_filter(client: httpx.AsyncClient, session: AsyncSession) -> None:
    tenant = await make_tenant(session)
    answer = await client.post(INVENTORIES, json={"name": "s", "organization": tenant.id, "kind": "smart"})
    assert (answer.status_code, answer.json()) == (
        400,
        {"host_filter": ["Smart inventories must specify host_filter"]},
    )


async def test_a_bad_filter_is_not_stored(client: httpx.AsyncClient, session: AsyncSession) -> None:
    tenant = await make_tenant(session)
    body = {"name": "s", "organization": tenant.id, "kind": "smart", "host_filter": "nmae=a"}
    answer = await client.post(INVENTORIES, json=body)
    assert answer.status_code == 400
    assert answer.json()["host_filter"][0].startswith("Invalid query nmae=a")


async def test_a_stored_filter_is_percent_decoded_under_api_alone(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    tenant = await make_tenant(session)
    body = {"organization": tenant.id, "kind": "smart", "host_filter": "name=%22a%22"}
    awx = (await client.post(INVENTORIES, json=body | {"name": "one"})).json()
    ours = (await client.post("/v2/inventories/", json=body | {"name": "two"})).json()
    assert (awx["host_filter"], ours["host_filter"]) == ('name="a"', "name=%22a%22")


async def test_the_hosts_of_a_smart_inventory_are_its_search(
    client: httpx.AsyncClient, inventory: Inventory, session: AsyncSession
) -> None:
    other = await make_inventory(session, tenant=await _tenant_of(session, inventory))
    first = await make_host(session, "web1", inventory=inventory)
    await make_host(session, "web1", inventory=other)
    second = await make_host(session, "web2", inventory=other)
    await make_host(session, "web3")  # of another organization
    await make_host(session, "db1", inventory=inventory)
    smart = await make_inventory(
        session, tenant=await _tenant_of(session, inventory), kind="smart", host_filter="name__startswith=web"
    )
    found = (await client.get(f"{INVENTORIES}{smart.id}/hosts/")).json()
    assert [host["id"] for host in found["results"]] == [first.id, second.id]
    narrowed = (await client.get(f"{INVENTORIES}{smart.id}/hosts/?host_filter=name=web2")).json()
    assert [host["id"] for host in narrowed["results"]] == [second.id]
    detail = (await client.get(f"{INVENTORIES}{smart.id}/")).json()
    assert (detail["total_hosts"], "groups" in detail["related"]) == (2, False)


async def test_a_search_that_is_no_longer_valid_leaves_the_total_open(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    smart = await make_inventory(session, kind="smart", host_filter="name=nobody")
    await session.execute(
        Inventory.__table__.update().where(Inventory.id == smart.id).values(host_filter="no longer valid")
    )
    assert (await client.get(f"{INVENTORIES}{smart.id}/")).json()["total_hosts"] is None


@pytest.mark.parametrize("below", ["hosts", "groups", "inventory_sources"])
async def test_a_smart_inventory_owns_nothing(client: httpx.AsyncClient, session: AsyncSession, below: str) -> None:
    smart = await make_inventory(session, kind="smart", host_filter="name=a")
    answer = await client.post(f"{INVENTORIES}{smart.id}/{below}/", json={"name": "x"})
    assert answer.status_code == 400
    assert answer.json()["inventory"]["detail"].startswith("Cannot create")


async def test_the_kind_of_an_inventory_stays(client: httpx.AsyncClient, inventory: Inventory) -> None:
    answer = await client.patch(f"{INVENTORIES}{inventory.id}/", json={"kind": "smart", "host_filter": "name=a"})
    assert answer.status_code == 405
    assert answer.json()["error"].startswith("You cannot turn a regular inventory")


async def test_the_collections_patch_changes_nothing(client: httpx.AsyncClient, inventory: Inventory) -> None:
    before = (await client.get(f"{INVENTORIES}{inventory.id}/")).json()
    body = {"name": inventory.name, "organization": inventory.tenant_id, "kind": None, "host_filter": None}
    assert (await client.patch(f"{INVENTORIES}{inventory.id}/", json=body)).json() == before


async def test_deletion_is_handed_to_a_worker(
    client: httpx.AsyncClient, inventory: Inventory, session: AsyncSession, bell: RingingBell
) -> None:
    path = f"{INVENTORIES}{inventory.id}/"
    assert (await client.delete(path)).status_code == 202
    assert (await client.get(path)).json()["pending_deletion"] is True
    job = (await session.scalars(select(Job).where(Job.task == "delete_inventory"))).one()
    assert (job.args, bell.rung) == ({"inventory_id": inventory.id}, [job.id])
    again = await client.delete(path)
    assert (again.status_code, again.json()) == (400, {"error": "Inventory is already pending deletion."})


async def test_a_regions_inventory_goes_with_the_region_only(client: httpx.AsyncClient, session: AsyncSession) -> None:
    region = await make_region(session, "nord")
    answer = await client.delete(f"{INVENTORIES}{region.inventory_id}/")
    assert answer.status_code == 409
    assert "nord" in answer.json()["error"]


async def test_nothing_is_made_in_an_inventory_that_is_being_deleted(
    client: httpx.AsyncClient, inventory: Inventory, session: AsyncSession
) -> None:
    host = await make_host(session, inventory=inventory)
    await client.delete(f"{INVENTORIES}{inventory.id}/")
    assert (await client.post(f"{INVENTORIES}{inventory.id}/hosts/", json={"name": "x"})).status_code == 400
    refused = await client.delete(f"/api/v2/hosts/{host.id}/")
    assert refused.json() == {"error": "The inventory for this host is already being deleted."}


async def test_the_tree_nests_groups_by_name(
    client: httpx.AsyncClient, inventory: Inventory, session: AsyncSession
) -> None:
    top, left, right, leaf = [
        await make_group(session, name, inventory=inventory) for name in ("top", "b", "a", "leaf")
    ]
    for parent, child in ((top, left), (top, right), (left, leaf), (right, leaf)):
        await add_child(session, parent, child)
    tree = (await client.get(f"{INVENTORIES}{inventory.id}/tree/")).json()

    def names(groups: list[dict]) -> list:
        return [(group["name"], names(group["children"])) for group in groups]

    assert names(tree) == [("top", [("a", [("leaf", [])]), ("b", [("leaf", [])])])]


async def test_a_cycle_does_not_break_the_tree(
    client: httpx.AsyncClient, inventory: Inventory, session: AsyncSession
) -> None:
    top, one, two = [await make_group(session, name, inventory=inventory) for name in ("top", "one", "two")]
    for parent, child in ((top, one), (one, two), (two, one)):
        await add_child(session, parent, child)
    tree = (await client.get(f"{INVENTORIES}{inventory.id}/tree/")).json()
    assert tree[0]["children"][0]["children"][0]["children"] == []


async def test_root_groups_are_those_below_no_other(
    client: httpx.AsyncClient, inventory: Inventory, session: AsyncSession
) -> None:
    top, child = [await make_group(session, name, inventory=inventory) for name in ("top", "child")]
    await add_child(session, top, child)
    found = (await client.get(f"{INVENTORIES}{inventory.id}/root_groups/")).json()
    assert [group["name"] for group in found["results"]] == ["top"]


async def test_patching_variable_data_replaces_all(client: httpx.AsyncClient, inventory: Inventory) -> None:
    path = f"{INVENTORIES}{inventory.id}/variable_data/"
    await client.put(path, json={"a": 1, "b": 2})
    assert (await client.patch(path, json={"c": 3})).json() == {"c": 3}
    assert (await client.get(path)).json() == {"c": 3}
    assert (await client.get(f"{INVENTORIES}{inventory.id}/")).json()["variables"] == '{"c": 3}'


async def _tenant_of(session: AsyncSession, inventory: Inventory) -> Tenant:
    return await session.get_one(Tenant, inventory.tenant_id)
