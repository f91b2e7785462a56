"""The script of a smart inventory with include_groups: the groups of its hosts, of all inventories they come from."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory, Tenant
from tests.api.v2.conftest import Statements
from tests.factories import add_child, make_group, make_host, make_inventory, make_tenant


@pytest.fixture
async def tenant(session: AsyncSession) -> Tenant:
    """Two inventories with a group web each, below "prod" in the first and below "all_web" in the second.

    first: web1, web2 (disabled) in web; db1 in db; web3 in no group. second: web1 and web4 in web, web4 in new, too.
    """
    tenant = await make_tenant(session)
    first, second = [await make_inventory(session, name, tenant=tenant) for name in ("first", "second")]
    prod, web, db = [await make_group(session, name, inventory=first) for name in ("prod", "web", "db")]
    over, other, new = [await make_group(session, name, inventory=second) for name in ("all_web", "web", "new")]
    for parent, child in ((prod, web), (prod, db), (over, other)):
        await add_child(session, parent, child)
    web.variables, other.variables = {"port": 80, "of": "first"}, {"port": 8080}
    await make_host(session, "web1", inventory=first, groups=[web], variables={"n": 1})
    await make_host(session, "web2", inventory=first, groups=[web], enabled=False)
    await make_host(session, "db1", inventory=first, groups=[db])
    await make_host(session, "web3", inventory=first)
    await make_host(session, "web1", inventory=second, groups=[other], variables={"n": 2})
    await make_host(session, "web4", inventory=second, groups=[other, new])
    return tenant


@pytest.fixture
async def smart(session: AsyncSession, tenant: Tenant) -> Inventory:
    """All that is called web, with groups."""
    return await make_inventory(
        session,
        tenant=tenant,
        kind="smart",
        host_filter="name__startswith=web",
        include_groups=True,
        variables={"s": 1},
    )


async def script(client: httpx.AsyncClient, inventory: Inventory, **query: Any) -> Any:
    """The document."""
    answer = await client.get(f"/api/v2/inventories/{inventory.id}/script/", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_members_stand_in_their_groups_and_those_above(client: httpx.AsyncClient, smart: Inventory) -> None:
    assert await script(client, smart) == {
        "all": {"vars": {"s": 1}, "hosts": ["web3"], "children": ["all_web", "new", "prod", "web"]},
        "all_web": {"children": ["web"]},
        "new": {"hosts": ["web4"]},
        "prod": {"children": ["web"]},
        "web": {"hosts": ["web1", "web4"], "vars": {"port": 8080, "of": "first"}},
    }


async def test_hostvars_and_towervars_are_those_of_the_members(client: httpx.AsyncClient, smart: Inventory) -> None:
    found = (await script(client, smart, hostvars=1, towervars=1))["_meta"]["hostvars"]
    assert list(found) == ["web1", "web3", "web4"]
    assert (found["web1"]["n"], found["web1"]["remote_tower_enabled"]) == (1, "true")


async def test_all_brings_disabled_members_into_their_groups(client: httpx.AsyncClient, smart: Inventory) -> None:
    assert (await script(client, smart, all=1))["web"]["hosts"] == ["web1", "web2", "web4"]


async def test_a_slice_brings_the_groups_of_its_own_hosts_alone(client: httpx.AsyncClient, smart: Inventory) -> None:
    assert await script(client, smart, subset="slice2of3") == {"all": {"vars": {"s": 1}, "hosts": ["web3"]}}
    last = await script(client, smart, subset="slice3of3", hostvars=1)
    assert (last["web"]["hosts"], list(last["_meta"]["hostvars"])) == (["web4"], ["web4"])


async def test_host_gives_the_variables_of_the_member(client: httpx.AsyncClient, smart: Inventory) -> None:
    assert await script(client, smart, host="web1") == {"n": 1}


async def test_a_name_that_is_no_member_is_absent(client: httpx.AsyncClient, smart: Inventory) -> None:
    answer = await client.get(f"/v2/inventories/{smart.id}/script/?host=db1")
    assert answer.status_code == 404


@pytest.mark.parametrize(("host_filter", "n"), [("name=twin", None), ("name=twin and enabled=true", 2)])
async def test_a_disabled_twin_gives_its_name_to_no_other_unless_the_search_leaves_it_out(
    client: httpx.AsyncClient, session: AsyncSession, host_filter: str, n: int | None
) -> None:
    tenant = await make_tenant(session)
    for number in (1, 2):
        inventory = await make_inventory(session, tenant=tenant)
        await make_host(session, "twin", inventory=inventory, enabled=number > 1, variables={"n": number})
    smart = await make_inventory(session, tenant=tenant, kind="smart", host_filter=host_filter)
    found = (await script(client, smart, hostvars=1))["_meta"]["hostvars"]
    assert found == ({} if n is None else {"twin": {"n": n}})


async def test_without_include_groups_there_are_hosts_alone(
    client: httpx.AsyncClient, session: AsyncSession, smart: Inventory
) -> None:
    smart.include_groups = False
    await session.flush()
    assert await script(client, smart) == {"all": {"vars": {"s": 1}, "hosts": ["web1", "web3", "web4"]}}


async def test_groups_that_nest_the_other_way_round_elsewhere_make_no_circle(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    tenant = await make_tenant(session)
    for names in (("a", "b"), ("b", "a")):
        inventory = await make_inventory(session, tenant=tenant)
        parent, child = [await make_group(session, name, inventory=inventory) for name in names]
        await add_child(session, parent, child)
        await make_host(session, f"under-{names[1]}", inventory=inventory, groups=[child])
    smart = await make_inventory(
        session, tenant=tenant, kind="smart", host_filter="name__startswith=under", include_groups=True
    )
    assert await script(client, smart) == {
        "all": {"hosts": [], "children": ["a", "b"]},
        "a": {"hosts": ["under-a"], "children": ["b"]},
        "b": {"hosts": ["under-b"]},
    }


async def test_groups_of_another_organization_are_never_shown(
    client: httpx.AsyncClient, session: AsyncSession, smart: Inventory
) -> None:
    foreign = await make_inventory(session)
    await make_host(
        session, "web9", inventory=foreign, groups=[await make_group(session, "foreign", inventory=foreign)]
    )
    found = await script(client, smart, hostvars=1, all=1)
    assert "foreign" not in found["all"]["children"]
    assert "web9" not in found["_meta"]["hostvars"]


async def test_its_state_follows_the_variables_of_the_groups(
    client: httpx.AsyncClient, session: AsyncSession, smart: Inventory
) -> None:
    path = f"/v2/inventories/{smart.id}/script/"
    first = await client.get(path)
    same = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
    inventory = await make_inventory(session, tenant=await session.get_one(Tenant, smart.tenant_id))
    group = await make_group(session, "web", inventory=inventory, variables={"port": 1})
    await make_host(session, "web5", inventory=inventory, groups=[group])
    after = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (same.status_code, after.status_code) == (304, 200)
    assert after.json()["web"]["vars"]["port"] == 1


async def test_the_first_dialect_shows_the_groups_too(client: httpx.AsyncClient, smart: Inventory) -> None:
    found = (await client.get(f"/v1/ansible-inventory?inventory_id={smart.id}")).json()
    assert found["web"]["hosts"] == ["web1", "web4"]


@pytest.mark.parametrize("size", [1, 30])
async def test_a_script_with_groups_costs_a_constant_number_of_statements(
    client: httpx.AsyncClient, session: AsyncSession, statements: Statements, size: int
) -> None:
    tenant = await make_tenant(session)
    for _ in range(size):
        inventory = await make_inventory(session, tenant=tenant)
        parent, child = [await make_group(session, inventory=inventory) for _ in range(2)]
        await add_child(session, parent, child)
        await make_host(session, inventory=inventory, groups=[child])
    smart = await make_inventory(session, tenant=tenant, kind="smart", host_filter="id > 0", include_groups=True)
    await client.get("/v2/me/")  # a token is noted as used once in five minutes
    with statements.recorded() as seen:
        found = await script(client, smart, hostvars=1)
    assert len(found["_meta"]["hostvars"]) == size
    # The token, the inventory, the time limit there and back, and four row sets.
    assert len(seen) == 8
