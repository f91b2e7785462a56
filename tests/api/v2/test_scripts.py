"""GET inventories/{id}/script/ over HTTP: parameters, refusals, ETag, and what both mounts give."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory
from tests.api.conftest import ClientOf
from tests.factories import make_group, make_host, make_inventory, make_tenant


@pytest.fixture
async def inventory(session: AsyncSession) -> Inventory:
    """Group web with a and b, b disabled; c in no group."""
    inventory = await make_inventory(session, variables={"v": 1})
    web = await make_group(session, "web", inventory=inventory, variables={"w": 2})
    await make_host(session, "a", inventory=inventory, variables={"x": [1]}, groups=[web])
    await make_host(session, "b", inventory=inventory, enabled=False, groups=[web])
    await make_host(session, "c", inventory=inventory)
    await session.refresh(inventory)
    return inventory


def script_of(inventory: Inventory, mount: str = "/v2") -> str:
    """The path of its script."""
    return f"{mount}/inventories/{inventory.id}/script/"


async def test_without_parameters_come_groups_and_enabled_hosts(
    client: httpx.AsyncClient, inventory: Inventory
) -> None:
    answer = await client.get(script_of(inventory))
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "all": {"vars": {"v": 1}, "hosts": ["c"], "children": ["web"]},
        "web": {"hosts": ["a"], "vars": {"w": 2}},
    }


@pytest.mark.parametrize("value", ["1", "0", "false", "x"])
async def test_any_text_switches_hostvars_on(client: httpx.AsyncClient, inventory: Inventory, value: str) -> None:
    answer = await client.get(script_of(inventory), params={"hostvars": value})
    assert answer.json()["_meta"] == {"hostvars": {"a": {"x": [1]}, "c": {}}}


async def test_an_empty_switch_is_off(client: httpx.AsyncClient, inventory: Inventory) -> None:
    answer = await client.get(script_of(inventory), params={"hostvars": ""})
    assert "_meta" not in answer.json()


async def test_all_and_towervars_show_disabled_hosts_as_such(client: httpx.AsyncClient, inventory: Inventory) -> None:
    answer = await client.get(script_of(inventory), params={"hostvars": 1, "towervars": 1, "all": 1})
    assert answer.json()["web"]["hosts"] == ["a", "b"]
    shown = answer.json()["_meta"]["hostvars"]["b"]
    assert (shown["remote_tower_enabled"], shown["remote_host_enabled"]) == ("false", "false")


async def test_host_gives_that_hosts_variables(client: httpx.AsyncClient, inventory: Inventory) -> None:
    answer = await client.get(script_of(inventory), params={"host": "a"})
    assert answer.json() == {"x": [1]}


@pytest.mark.parametrize(("query", "status"), [({"host": "b"}, 404), ({"host": "b", "all": "1"}, 200)])
async def test_a_disabled_host_needs_all(
    client: httpx.AsyncClient, inventory: Inventory, query: dict[str, str], status: int
) -> None:
    assert (await client.get(script_of(inventory), params=query)).status_code == status


async def test_an_unknown_host_is_not_found(client: httpx.AsyncClient, inventory: Inventory) -> None:
    answer = await client.get(script_of(inventory), params={"host": "zz"})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


async def test_a_bad_subset_is_refused_whatever_state_the_caller_knows(
    client: httpx.AsyncClient, inventory: Inventory
) -> None:
    answer = await client.get(script_of(inventory), params={"subset": "half"}, headers={"If-None-Match": "*"})
    assert (answer.status_code, answer.json()) == (400, {"detail": "Subset does not use any supported syntax."})


async def test_a_bad_subset_is_refused_in_awxs_words(client: httpx.AsyncClient, inventory: Inventory) -> None:
    answer = await client.get(script_of(inventory), params={"subset": "slice3of2"})
    assert (answer.status_code, answer.json()) == (
        400,
        {"detail": "Slice number must be less than total number of slices."},
    )


async def test_a_slice_holds_its_hosts_alone(client: httpx.AsyncClient, inventory: Inventory) -> None:
    answer = await client.get(script_of(inventory), params={"subset": "slice2of2", "hostvars": "1"})
    assert list(answer.json()["_meta"]["hostvars"]) == ["c"]


async def test_both_mounts_give_the_same_bytes(client: httpx.AsyncClient, inventory: Inventory) -> None:
    answers = [await client.get(script_of(inventory, mount), params={"hostvars": 1}) for mount in ("/v2", "/api/v2")]
    assert answers[0].content == answers[1].content


async def test_a_known_state_is_304_and_touches_no_host(client: httpx.AsyncClient, inventory: Inventory) -> None:
    first = await client.get(script_of(inventory), params={"hostvars": 1})
    again = await client.get(
        script_of(inventory), params={"hostvars": 1}, headers={"If-None-Match": f'"x", W/{first.headers["etag"]}'}
    )
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


async def test_every_change_of_content_gives_another_state(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory
) -> None:
    seen = []
    web = await make_group(session, "more", inventory=inventory)
    for change in range(3):
        if change == 1:
            await make_host(session, "d", inventory=inventory, groups=[web])
        if change == 2:
            inventory.variables = {"v": 2}
            await session.flush()
        await session.commit()
        seen.append((await client.get(script_of(inventory))).headers["etag"])
    assert len(set(seen)) == 3


async def test_a_strangers_inventory_is_not_found(
    client_of: ClientOf, session: AsyncSession, inventory: Inventory
) -> None:
    stranger = await client_of(await make_tenant(session))
    assert (await stranger.get(script_of(inventory))).status_code == 404


async def test_a_reader_may_read_it(client_of: ClientOf, session: AsyncSession) -> None:
    tenant = await make_tenant(session)
    inventory = await make_inventory(session, tenant=tenant)
    reader = await client_of(tenant, "reader")
    assert (await reader.get(script_of(inventory))).json() == {"all": {"hosts": []}}


async def test_nobody_gets_nothing(anonymous: httpx.AsyncClient, inventory: Inventory) -> None:
    assert (await anonymous.get(script_of(inventory))).status_code == 401


async def smart(session: AsyncSession, host_filter: str, **values: Any) -> Inventory:
    """A smart inventory."""
    return await make_inventory(session, kind="smart", host_filter=host_filter, **values)


async def test_a_smart_inventory_lists_what_its_search_finds_without_groups(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    tenant = await make_tenant(session)
    plain = await make_inventory(session, tenant=tenant)
    group = await make_group(session, inventory=plain)
    await make_host(session, "web1", inventory=plain, variables={"n": 1}, groups=[group])
    await make_host(session, "db1", inventory=plain)
    await make_host(session, "web2")  # another organization's
    found = await smart(session, "name__startswith=web", tenant=tenant, variables={"s": 1})
    answer = await client.get(script_of(found), params={"hostvars": 1})
    assert answer.json() == {
        "all": {"vars": {"s": 1}, "hosts": ["web1"]},
        "_meta": {"hostvars": {"web1": {"n": 1}}},
    }


async def test_of_two_hosts_of_one_name_a_smart_inventory_has_the_first_made(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    tenant = await make_tenant(session)
    for number in (1, 2):
        inventory = await make_inventory(session, tenant=tenant)
        await make_host(session, "web", inventory=inventory, variables={"n": number})
    found = await smart(session, "name=web", tenant=tenant)
    answer = await client.get(script_of(found), params={"host": "web"})
    assert answer.json() == {"n": 1}


async def test_a_smart_inventorys_state_follows_its_facts(client: httpx.AsyncClient, session: AsyncSession) -> None:
    tenant = await make_tenant(session)
    host = await make_host(
        session, "web", inventory=await make_inventory(session, tenant=tenant), facts={"ansible_system": "Linux"}
    )
    found = await smart(session, "ansible_facts__ansible_system=Linux", tenant=tenant)
    first = await client.get(script_of(found))
    same = await client.get(script_of(found), headers={"If-None-Match": first.headers["etag"]})
    await client.put(f"/v2/hosts/{host.id}/ansible_facts/", json={"ansible_system": "FreeBSD"})
    after = await client.get(script_of(found), headers={"If-None-Match": first.headers["etag"]})
    assert (first.json()["all"]["hosts"], same.status_code) == (["web"], 304)
    assert (after.status_code, after.json()["all"]["hosts"]) == (200, [])
