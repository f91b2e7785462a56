"""hosts/: creating, reading, changing and deleting single hosts."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory, InventoryUpdate
from tests.factories import add_member, make_group, make_host, make_inventory, make_source, save

HOSTS = "/api/v2/hosts/"


async def test_a_host_is_created_with_awxs_envelope(client: httpx.AsyncClient, inventory: Inventory) -> None:
    answer = await client.post(HOSTS, json={"name": "web1", "inventory": inventory.id, "variables": "a: 1"})
    assert answer.status_code == 201, answer.text
    host = answer.json()
    assert (host["type"], host["name"], host["variables"], host["enabled"]) == ("host", "web1", "a: 1", True)
    assert host["url"] == f"{HOSTS}{host['id']}/" == answer.headers["Location"]
    assert host["related"]["inventory"] == f"/api/v2/inventories/{inventory.id}/"
    assert len(host["created"]) == len("2024-01-01T00:00:00.000000Z")


async def test_both_mounts_link_into_themselves(client: httpx.AsyncClient, session: AsyncSession) -> None:
    host = await make_host(session)
    for mount in ("/v2", "/api/v2"):
        found = (await client.get(f"{mount}/hosts/{host.id}/")).json()
        paths = [found["url"], *found["related"].values()]
        assert all(path.startswith(f"{mount}/") for path in paths), paths


async def test_variables_come_back_byte_for_byte(client: httpx.AsyncClient, inventory: Inventory) -> None:
    text = '{"b":  1,\n "a": [true, 1.0]}  '
    made = (await client.post(HOSTS, json={"name": "h", "inventory": inventory.id, "variables": text})).json()
    assert (await client.get(made["url"])).json()["variables"] == text


async def test_a_changed_type_in_variables_is_stored(client: httpx.AsyncClient, inventory: Inventory) -> None:
    made = (await client.post(HOSTS, json={"name": "h", "inventory": inventory.id, "variables": '{"a": 1}'})).json()
    await client.patch(made["url"], json={"variables": '{"a": true}'})
    assert (await client.get(made["related"]["variable_data"])).json() == {"a": True}


async def test_a_port_in_the_name_becomes_a_variable(client: httpx.AsyncClient, inventory: Inventory) -> None:
    made = (await client.post(HOSTS, json={"name": "h:2222", "inventory": inventory.id, "variables": "a: 1"})).json()
    assert made["name"] == "h"
    assert (await client.get(made["related"]["variable_data"])).json() == {"a": 1, "ansible_ssh_port": 2222}


@pytest.mark.parametrize("name", ["h:0", "h:65536", "h:ssh", "h:"])
async def test_a_bad_port_in_the_name_is_refused(client: httpx.AsyncClient, inventory: Inventory, name: str) -> None:
    answer = await client.post(HOSTS, json={"name": name, "inventory": inventory.id})
    assert answer.status_code == 400
    assert answer.json()["name"][0].startswith("Invalid port specification")


async def test_an_ipv6_address_is_no_port(client: httpx.AsyncClient, inventory: Inventory) -> None:
    assert (await client.post(HOSTS, json={"name": "fe80::1", "inventory": inventory.id})).json()["name"] == "fe80::1"


async def test_a_taken_name_says_already_exists(client: httpx.AsyncClient, session: AsyncSession) -> None:
    host = await make_host(session, "web1")
    answer = await client.post(HOSTS, json={"name": "web1", "inventory": host.inventory_id})
    assert (answer.status_code, answer.json()) == (
        400,
        {"__all__": ["Host with this Name and Inventory already exists."]},
    )


async def test_a_name_that_differs_in_case_only_is_refused(client: httpx.AsyncClient, session: AsyncSession) -> None:
    host = await make_host(session, "web1")
    answer = await client.post(HOSTS, json={"name": "WEB1", "inventory": host.inventory_id})
    assert answer.status_code == 400
    assert "already exists" in answer.json()["__all__"][0]


async def test_a_host_cannot_have_the_name_of_a_group(client: httpx.AsyncClient, session: AsyncSession) -> None:
    group = await make_group(session, "web")
    answer = await client.post(HOSTS, json={"name": "web", "inventory": group.inventory_id})
    assert (answer.status_code, answer.json()) == (400, {"__all__": ["A Group with that name already exists."]})


async def test_zero_and_one_are_booleans(client: httpx.AsyncClient, inventory: Inventory) -> None:
    made = (await client.post(HOSTS, json={"name": "h", "inventory": inventory.id, "enabled": 0})).json()
    assert made["enabled"] is False
    assert (await client.patch(made["url"], json={"enabled": 1})).json()["enabled"] is True


async def test_unknown_fields_are_ignored(client: httpx.AsyncClient, inventory: Inventory) -> None:
    answer = await client.post(HOSTS, json={"name": "h", "inventory": inventory.id, "nonsense": 1})
    assert answer.status_code == 201


async def test_patch_changes_what_it_names_alone(client: httpx.AsyncClient, session: AsyncSession) -> None:
    host = await make_host(session, description="old", instance_id="i-1")
    found = (await client.patch(f"{HOSTS}{host.id}/", json={"description": "new"})).json()
    assert (found["name"], found["description"], found["instance_id"]) == (host.name, "new", "i-1")


async def test_put_needs_the_name_but_not_the_inventory(client: httpx.AsyncClient, session: AsyncSession) -> None:
    host = await make_host(session)
    assert (await client.put(f"{HOSTS}{host.id}/", json={"name": "renamed"})).json()["name"] == "renamed"
    refused = await client.put(f"{HOSTS}{host.id}/", json={"description": "x"})
    assert (refused.status_code, refused.json()) == (400, {"name": ["This field is required."]})


async def test_the_inventory_of_a_host_stays(client: httpx.AsyncClient, session: AsyncSession) -> None:
    host, other = await make_host(session), await make_inventory(session)
    assert (await client.patch(f"{HOSTS}{host.id}/", json={"inventory": host.inventory_id})).status_code == 200
    refused = await client.patch(f"{HOSTS}{host.id}/", json={"inventory": other.id})
    assert (refused.status_code, refused.json()) == (403, {"detail": "Unable to change inventory on a host."})


async def test_a_host_is_deleted(client: httpx.AsyncClient, session: AsyncSession) -> None:
    host = await make_host(session, facts={"a": 1})
    assert (await client.delete(f"{HOSTS}{host.id}/")).status_code == 204
    assert (await client.get(f"{HOSTS}{host.id}/")).status_code == 404


async def test_a_host_stays_while_its_inventory_is_updated(client: httpx.AsyncClient, session: AsyncSession) -> None:
    host = await make_host(session)
    source = await make_source(session, inventory=await session.get_one(Inventory, host.inventory_id))
    run = await save(
        session,
        InventoryUpdate(
            inventory_id=source.inventory_id, tenant_id=source.tenant_id, inventory_source_id=source.id, name="run"
        ),
    )
    answer = await client.delete(f"{HOSTS}{host.id}/")
    assert (answer.status_code, answer.json()) == (
        409,
        {
            "error": "Resource is being used by running jobs.",
            "active_jobs": [{"type": "inventory_update", "id": run.id}],
        },
    )


async def test_a_stale_if_match_is_refused(client: httpx.AsyncClient, session: AsyncSession) -> None:
    host = await make_host(session)
    tag = (await client.get(f"{HOSTS}{host.id}/")).headers["ETag"]
    first = await client.patch(f"{HOSTS}{host.id}/", json={"description": "1"}, headers={"If-Match": tag})
    second = await client.patch(f"{HOSTS}{host.id}/", json={"description": "2"}, headers={"If-Match": tag})
    assert (first.status_code, second.status_code) == (200, 412)


async def test_a_host_shows_its_groups_and_inventory(client: httpx.AsyncClient, session: AsyncSession) -> None:
    host = await make_host(session)
    inventory = await session.get_one(Inventory, host.inventory_id)
    for name in "gfedcba":
        await add_member(session, await make_group(session, name, inventory=inventory), host)
    fields = (await client.get(f"{HOSTS}{host.id}/")).json()["summary_fields"]
    assert fields["groups"]["count"] == 7
    assert [group["name"] for group in fields["groups"]["results"]] == list("abcde")
    assert (fields["inventory"]["total_hosts"], fields["inventory"]["total_groups"]) == (1, 7)
