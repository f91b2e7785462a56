"""A smart inventory wherever an inventory can be named: ?inventory= of /v2/hosts, ?inventory_id= of /v1/hosts."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory, Tenant
from tests.api.conftest import ClientOf
from tests.api.v2.conftest import Statements
from tests.factories import make_group, make_host, make_inventory, make_tenant


@pytest.fixture
async def tenant(session: AsyncSession) -> Tenant:
    """An organization: web1, web2 (disabled), db1 in the inventory a; a second web1 in b; a stranger's web9."""
    tenant = await make_tenant(session)
    first, second = [await make_inventory(session, name, tenant=tenant) for name in ("a", "b")]
    await make_host(session, "web1", inventory=first, description="first")
    await make_host(session, "web2", inventory=first, enabled=False)
    await make_host(session, "db1", inventory=first)
    await make_host(session, "web1", inventory=second, description="twin")
    await make_host(session, "web9")
    return tenant


async def smart(session: AsyncSession, tenant: Tenant, host_filter: str) -> Inventory:
    """A smart inventory of the organization."""
    return await make_inventory(session, tenant=tenant, kind="smart", host_filter=host_filter)


async def names(client: httpx.AsyncClient, query: str) -> list[str]:
    """The hosts of /v2/hosts/ with this query."""
    answer = await client.get(f"/api/v2/hosts/?{query}")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["count"] == len(found["results"])
    return [host["description"] or host["name"] for host in found["results"]]


@pytest.mark.parametrize("key", ["inventory", "inventory__id", "inventory__exact", "inventory__id__exact"])
async def test_inventory_may_name_a_smart_one(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant, key: str
) -> None:
    web = await smart(session, tenant, "name__startswith=web")
    assert await names(client, f"{key}={web.id}") == ["first", "web2"]


async def test_what_a_smart_inventory_lists_is_what_its_own_list_gives(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    web = await smart(session, tenant, "name__startswith=web")
    own = (await client.get(f"/v2/inventories/{web.id}/hosts/?order_by=-name")).json()["results"]
    named = (await client.get(f"/v2/hosts/?inventory={web.id}&order_by=-name")).json()["results"]
    assert own == named


async def test_every_other_parameter_limits_the_members_further(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    web, one = await smart(session, tenant, "name__startswith=web"), await smart(session, tenant, "name__endswith=1")
    assert await names(client, f"inventory={web.id}&enabled=false") == ["web2"]
    assert await names(client, f"inventory={web.id}&inventory__name=a&search=first") == ["first"]
    assert await names(client, f"inventory={web.id}&inventory__name=b") == []
    assert await names(client, f"inventory={web.id}&host_filter=name=web2") == ["web2"]
    assert await names(client, f"inventory={web.id}&inventory={one.id}") == ["first"]
    assert await names(client, f"inventory={web.id}&or__name=web2&or__name=db1") == ["web2"]


async def test_pages_of_members_keep_the_inventory_in_their_links(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    web = await smart(session, tenant, "name__startswith=web")
    first = (await client.get(f"/v2/hosts/?inventory={web.id}&page_size=1")).json()
    assert (first["count"], f"inventory={web.id}" in first["next"]) == (2, True)
    assert [host["name"] for host in (await client.get(first["next"])).json()["results"]] == ["web2"]


async def test_or_not_and_host_filter_mean_the_inventory_that_a_host_belongs_to(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    web = await smart(session, tenant, "name__startswith=web")
    assert await names(client, f"or__inventory={web.id}&or__name=db1") == ["db1"]
    assert len(await names(client, f"not__inventory={web.id}")) == 5
    assert await names(client, f"host_filter=inventory={web.id}") == []


async def test_a_search_that_names_its_own_inventory_ends(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    row = await smart(session, tenant, "name=web1")
    patched = await client.patch(f"/v2/inventories/{row.id}/", json={"host_filter": f"inventory={row.id}"})
    assert (patched.status_code, patched.json()["total_hosts"]) == (200, 0)
    assert await names(client, f"inventory={row.id}") == []


async def test_a_regular_inventory_named_beside_a_smart_one_limits_it(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    web = await smart(session, tenant, "name__startswith=web")
    other = await make_inventory(session, tenant=tenant)
    assert await names(client, f"inventory={web.id}&inventory={other.id}") == []


async def test_a_foreign_smart_inventory_is_as_empty_as_an_absent_one(
    client_of: ClientOf, session: AsyncSession, tenant: Tenant
) -> None:
    web = await smart(session, tenant, "name__startswith=web")
    stranger = await client_of(await make_tenant(session))
    for inventory_id in (web.id, 999_999, 10**18):
        answer = await stranger.get(f"/v2/hosts/?inventory={inventory_id}")
        assert (answer.status_code, answer.json()["results"]) == (200, []), inventory_id


async def test_a_stale_search_says_what_is_wrong_with_it(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    stale = await smart(session, tenant, "nmae=web1")
    for path, key in ((f"hosts/?inventory={stale.id}", "error"), (f"inventories/{stale.id}/hosts/", "detail")):
        answer = await client.get(f"/api/v2/{path}")
        assert (answer.status_code, list(answer.json())) == (400, [key])
        assert answer.json()[key].startswith("Invalid query nmae=web1")


async def test_naming_smart_inventories_costs_the_same_however_often(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant, statements: Statements
) -> None:
    web = await smart(session, tenant, "name__startswith=web")
    await client.get("/v2/hosts/?name=web1")
    counts = []
    for repeats in (0, 1, 20):
        with statements.recorded() as sent:
            await client.get("/v2/hosts/?name=web1" + f"&inventory={web.id}" * repeats)
        counts.append(len(sent))
    without, once, often = counts
    assert often == once
    assert once <= without + 2  # what it searches for, and how its page is best asked for


async def test_v1_lists_the_hosts_of_a_smart_inventory_and_no_groups(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    web = await smart(session, tenant, "name__startswith=web")
    inventory = await make_inventory(session, tenant=tenant)
    await make_group(session, inventory=inventory)
    found = (await client.get(f"/v1/hosts?inventory_id={web.id}&sort_keys=name")).json()["hosts"]
    assert [host["name"] for host in found] == ["web1", "web2"]
    assert (await client.get(f"/v1/groups?inventory_id={web.id}")).json()["groups"] == []
    narrowed = (await client.get(f"/v1/hosts?inventory_id={web.id}&name=web2")).json()["hosts"]
    assert [host["name"] for host in narrowed] == ["web2"]
