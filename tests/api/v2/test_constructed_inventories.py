"""Constructed inventories over HTTP: made with their source, given inputs in order, refused what is not theirs."""

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory, InventorySource, Tenant
from tests.api.conftest import ClientOf
from tests.factories import make_constructed, make_credential, make_group, make_host, make_inventory, make_tenant

INVENTORIES = "/api/v2/inventories/"
CONSTRUCTED = "/api/v2/constructed_inventories/"
SOURCES = "/api/v2/inventory_sources/"


@pytest.fixture
async def tenant(session: AsyncSession) -> Tenant:
    return await make_tenant(session, "Acme")


@pytest.fixture
async def constructed(session: AsyncSession, tenant: Tenant) -> Inventory:
    return await make_constructed(session, "all of it", tenant=tenant)


async def source_of(client: httpx.AsyncClient, inventory_id: int) -> dict[str, Any]:
    """The one source of an inventory."""
    (found,) = (await client.get(f"{INVENTORIES}{inventory_id}/inventory_sources/")).json()["results"]
    return dict(found)


@pytest.mark.parametrize("path", [INVENTORIES, CONSTRUCTED])
async def test_one_is_made_with_exactly_one_source(client: httpx.AsyncClient, tenant: Tenant, path: str) -> None:
    body = {"name": "c", "organization": tenant.id, "kind": "constructed"}
    made = await client.post(path, json=body)
    assert made.status_code == 201
    assert made.json()["kind"] == "constructed"
    source = await source_of(client, made.json()["id"])
    assert (source["name"], source["source"]) == ("Auto-created source for: c", "constructed")
    assert (source["overwrite"], source["overwrite_vars"], source["update_on_launch"]) == (True, True, True)


async def test_the_longest_name_leaves_room_for_the_name_of_its_source(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    made = await client.post(CONSTRUCTED, json={"name": "n" * 512, "organization": tenant.id})
    assert made.status_code == 201
    assert len((await source_of(client, made.json()["id"]))["name"]) == 512


async def test_what_the_plugin_takes_is_kept_in_the_source_and_shown_in_both(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    taken = {"source_vars": "strict: true", "update_cache_timeout": 60, "limit": "web*", "verbosity": 2}
    made = (await client.post(CONSTRUCTED, json={"name": "c", "organization": tenant.id, **taken})).json()
    source = await source_of(client, made["id"])
    assert {name: made[name] for name in taken} == {name: source[name] for name in taken} == taken
    assert made["related"]["constructed_url"] == f"{CONSTRUCTED}{made['id']}/"
    assert "host_filter" not in made
    changed = await client.patch(f"{CONSTRUCTED}{made['id']}/", json={"limit": "db*", "verbosity": None})
    assert (changed.status_code, changed.json()["limit"], changed.json()["verbosity"]) == (200, "db*", 2)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"source_vars": "[1]"}, "source_vars"),
        ({"verbosity": 3}, "verbosity"),
        ({"update_cache_timeout": -1}, "update_cache_timeout"),
        ({"limit": "@/etc/passwd"}, "limit"),
        ({"source_vars": "a: &a [*a]"}, "source_vars"),
    ],
)
async def test_a_wrong_value_is_refused_by_field_and_nothing_is_made(
    client: httpx.AsyncClient, tenant: Tenant, session: AsyncSession, values: dict[str, Any], field: str
) -> None:
    answer = await client.post(CONSTRUCTED, json={"name": "c", "organization": tenant.id, **values})
    assert (answer.status_code, [*answer.json()]) == (400, [field])
    session.expire_all()
    assert await session.scalar(select(func.count()).select_from(Inventory)) == 0


async def test_put_leaves_what_it_does_not_name(client: httpx.AsyncClient, constructed: Inventory) -> None:
    path = f"{CONSTRUCTED}{constructed.id}/"
    await client.patch(path, json={"limit": "web*"})
    answer = await client.put(path, json={"name": "renamed", "organization": constructed.tenant_id})
    assert (answer.status_code, answer.json()["name"], answer.json()["limit"]) == (200, "renamed", "web*")


async def test_an_etag_tells_of_changes_of_the_source_too(client: httpx.AsyncClient, constructed: Inventory) -> None:
    path = f"{CONSTRUCTED}{constructed.id}/"
    tag = (await client.get(path)).headers["etag"]
    assert (await client.patch(path, json={"limit": "web"}, headers={"If-Match": tag})).status_code == 200
    assert (await client.get(path)).headers["etag"] != tag
    assert (await client.patch(path, json={"limit": "db"}, headers={"If-Match": tag})).status_code == 412


@pytest.mark.parametrize("query", ["count_disabled=1", "search=alp", "search=alp&count_disabled=1"])
async def test_inputs_keep_their_order_however_the_list_is_asked_for(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant, query: str
) -> None:
    given = [await make_inventory(session, name, tenant=tenant) for name in ("alpine", "alpha")]
    constructed = await make_constructed(session, tenant=tenant, inputs=given)
    answer = await client.get(f"{INVENTORIES}{constructed.id}/input_inventories/?{query}")
    assert [row["name"] for row in answer.json()["results"]] == ["alpine", "alpha"]


async def test_the_list_shows_constructed_inventories_alone(
    client: httpx.AsyncClient, constructed: Inventory, session: AsyncSession
) -> None:
    other = await make_inventory(session)
    answer = (await client.get(CONSTRUCTED)).json()
    assert [row["id"] for row in answer["results"]] == [constructed.id]
    assert (await client.get(f"{CONSTRUCTED}{other.id}/")).status_code == 404


async def test_deletion_is_the_worker_s(client: httpx.AsyncClient, constructed: Inventory) -> None:
    answer = await client.delete(f"{CONSTRUCTED}{constructed.id}/")
    assert (answer.status_code, answer.json()["pending_deletion"]) == (202, True)


@pytest.mark.parametrize(("kind", "wanted"), [("", "constructed"), ("constructed", "smart"), ("constructed", "")])
async def test_the_kind_stays_what_it_is(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant, kind: str, wanted: str
) -> None:
    inventory = await (make_constructed if kind else make_inventory)(session, tenant=tenant)
    body = {"kind": wanted, "host_filter": "name=a"}
    answer = await client.patch(f"{INVENTORIES}{inventory.id}/", json=body)
    assert answer.status_code == 405
    assert answer.json() == {"error": 'You cannot turn a regular inventory into a "smart" or "constructed" inventory.'}


async def test_inputs_are_listed_in_the_order_they_were_attached(
    client: httpx.AsyncClient, constructed: Inventory, session: AsyncSession, tenant: Tenant
) -> None:
    given = [await make_inventory(session, name, tenant=tenant) for name in ("zulu", "alpha", "mike")]
    path = f"{INVENTORIES}{constructed.id}/input_inventories/"
    for inventory in given:
        assert (await client.post(path, json={"id": inventory.id})).status_code == 204
    assert (await client.post(path, json={"id": given[0].id})).status_code == 204
    assert [row["name"] for row in (await client.get(path)).json()["results"]] == ["zulu", "alpha", "mike"]
    ordered = await client.get(path, params={"order_by": "name"})
    assert [row["name"] for row in ordered.json()["results"]] == ["alpha", "mike", "zulu"]
    page = await client.get(path, params={"page_size": 1, "page": 2})
    assert ([row["name"] for row in page.json()["results"]], page.json()["count"]) == (["alpha"], 3)
    assert (await client.post(path, json={"id": given[0].id, "disassociate": True})).status_code == 204
    assert [row["name"] for row in (await client.get(path)).json()["results"]] == ["alpha", "mike"]


async def test_a_smart_inventory_may_be_an_input(
    client: httpx.AsyncClient, constructed: Inventory, session: AsyncSession, tenant: Tenant
) -> None:
    smart = await make_inventory(session, tenant=tenant, kind="smart", host_filter="name=a")
    path = f"{INVENTORIES}{constructed.id}/input_inventories/"
    assert (await client.post(path, json={"id": smart.id})).status_code == 204


async def test_inputs_are_attached_never_made(client: httpx.AsyncClient, constructed: Inventory) -> None:
    path = f"{INVENTORIES}{constructed.id}/input_inventories/"
    answers = [await client.post(path, json=body) for body in ({"name": "n"}, {"id": "x"}, {"disassociate": True})]
    assert [answer.json() for answer in answers] == [
        {"msg": "Inventory 'id' field is missing."},
        {"msg": '"id" field must be an integer.'},
        {"msg": '"id" is required to disassociate'},
    ]
    assert {answer.status_code for answer in answers} == {400}


async def test_a_constructed_inventory_is_no_input(
    client: httpx.AsyncClient, constructed: Inventory, session: AsyncSession, tenant: Tenant
) -> None:
    other = await make_constructed(session, tenant=tenant)
    answer = await client.post(f"{INVENTORIES}{constructed.id}/input_inventories/", json={"id": other.id})
    refusal = {"error": "You cannot add a constructed inventory to another constructed inventory."}
    assert (answer.status_code, answer.json()) == (400, refusal)


async def test_an_inventory_of_another_organization_is_no_input(
    client: httpx.AsyncClient, constructed: Inventory, session: AsyncSession
) -> None:
    other = await make_inventory(session)
    answer = await client.post(f"{INVENTORIES}{constructed.id}/input_inventories/", json={"id": other.id})
    assert answer.status_code == 400
    assert "organization" in answer.json()["error"]


async def test_another_kind_of_inventory_has_no_inputs(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    plain, other = [await make_inventory(session, tenant=tenant) for _ in range(2)]
    answer = await client.post(f"{INVENTORIES}{plain.id}/input_inventories/", json={"id": other.id})
    assert (answer.status_code, answer.json()) == (
        400,
        {"error": "Only a constructed inventory has input inventories."},
    )


@pytest.mark.parametrize("moved", ["constructed", "input"])
async def test_neither_end_moves_to_another_organization(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant, moved: str
) -> None:
    given = await make_inventory(session, tenant=tenant)
    constructed = await make_constructed(session, tenant=tenant, inputs=[given])
    other = await make_tenant(session)
    row = constructed if moved == "constructed" else given
    answer = await client.patch(f"{INVENTORIES}{row.id}/", json={"organization": other.id})
    assert (answer.status_code, [*answer.json()]) == (400, ["organization"])


@pytest.mark.parametrize(
    ("below", "thing", "body"),
    [
        ("hosts", "Host", {"name": "h"}),
        ("groups", "Group", {"name": "g"}),
        ("root_groups", "Group", {"name": "g"}),
        ("inventory_sources", "Inventory Source", {"name": "s", "source": "file"}),
    ],
)
async def test_nothing_is_made_in_one_by_hand(
    client: httpx.AsyncClient, constructed: Inventory, below: str, thing: str, body: dict[str, str]
) -> None:
    path = f"/api/v2/{below}/" if below == "inventory_sources" else f"{INVENTORIES}{constructed.id}/{below}/"
    answer = await client.post(path, json={**body, "inventory": constructed.id})
    refusal = {"inventory": {"detail": f"Cannot create {thing} for Smart or Constructed Inventories"}}
    assert (answer.status_code, answer.json()) == (400, refusal)


async def test_a_host_of_one_is_not_deleted_there(
    client: httpx.AsyncClient, constructed: Inventory, session: AsyncSession
) -> None:
    host = await make_host(session, inventory=constructed)
    answer = await client.delete(f"/api/v2/hosts/{host.id}/")
    refusal = {"error": "Delete constructed inventory hosts from input inventory."}
    assert (answer.status_code, answer.json()) == (400, refusal)


async def test_a_source_of_this_kind_is_never_made_by_hand(client: httpx.AsyncClient, session: AsyncSession) -> None:
    plain = await make_inventory(session)
    body = {"name": "s", "inventory": plain.id, "source": "constructed"}
    made = await client.post(SOURCES, json=body)
    refusal = {"error": ["constructed not a valid source for inventory"]}
    assert (made.status_code, made.json()) == (400, refusal)
    source = (await client.post(SOURCES, json={**body, "source": ""})).json()
    turned = await client.patch(f"{SOURCES}{source['id']}/", json={"source": "constructed"})
    assert (turned.status_code, turned.json()) == (400, refusal)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source", "file"),
        ("name", "mine"),
        ("overwrite", False),
        ("enabled_var", "x"),
        ("source_path", "/x"),
        ("credential", 7),
        ("source_project", 7),
    ],
)
async def test_its_source_is_fixed_but_for_what_the_plugin_takes(
    client: httpx.AsyncClient, constructed: Inventory, field: str, value: Any
) -> None:
    source = await source_of(client, constructed.id)
    answer = await client.patch(f"{SOURCES}{source['id']}/", json={field: value})
    refusal = {"error": [f"Cannot change field '{field}' on a constructed inventory source."]}
    assert (answer.status_code, answer.json()) == (400, refusal)


async def test_its_source_takes_no_credential_that_expressions_could_read(
    client: httpx.AsyncClient, constructed: Inventory, session: AsyncSession, tenant: Tenant
) -> None:
    credential = await make_credential(session, tenant=tenant)
    source = await source_of(client, constructed.id)
    answer = await client.post(f"{SOURCES}{source['id']}/credentials/", json={"id": credential.id})
    assert (answer.status_code, "takes no credential" in answer.json()["msg"]) == (400, True)


async def test_what_the_plugin_takes_is_changed_through_its_source_too(
    client: httpx.AsyncClient, constructed: Inventory
) -> None:
    source = await source_of(client, constructed.id)
    body = {"source": "constructed", "source_vars": "strict: true", "limit": "web", "verbosity": 0}
    answer = await client.patch(f"{SOURCES}{source['id']}/", json={**body, "update_cache_timeout": 5})
    assert answer.status_code == 200
    assert (await client.get(f"{CONSTRUCTED}{constructed.id}/")).json()["limit"] == "web"


async def test_its_source_goes_with_it_alone(
    client: httpx.AsyncClient, constructed: Inventory, session: AsyncSession
) -> None:
    source = await source_of(client, constructed.id)
    assert (await client.delete(f"{SOURCES}{source['id']}/")).status_code == 400
    assert await session.scalar(select(func.count()).select_from(InventorySource)) == 1


async def test_it_is_updated_like_any_other(client: httpx.AsyncClient, constructed: Inventory) -> None:
    path = f"{INVENTORIES}{constructed.id}/update_inventory_sources/"
    assert [row["can_update"] for row in (await client.get(path)).json()] == [True]
    started = await client.post(path)
    assert (started.status_code, started.json()[0]["status"]) == (200, "started")


async def test_its_hosts_lead_to_the_originals_and_their_facts(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    given = await make_inventory(session, tenant=tenant)
    original = await make_host(session, inventory=given, facts={"a": 1, "b": 2})
    constructed = await make_constructed(session, tenant=tenant, inputs=[given])
    host = await make_host(session, inventory=constructed, instance_id=str(original.id))
    path = f"/api/v2/hosts/{host.id}/"
    assert (await client.get(path)).json()["related"]["original_host"] == f"/api/v2/hosts/{original.id}/"
    redirected = await client.get(f"{path}ansible_facts/", params={"keys": "a"})
    there = f"/api/v2/hosts/{original.id}/ansible_facts/?keys=a"
    assert (redirected.status_code, redirected.headers["location"]) == (302, there)
    assert (await client.get(there)).json() == {"a": 1}
    written = await client.put(f"{path}ansible_facts/", json={"a": 2})
    assert (written.status_code, "original" in written.text or "comes from" in written.text) == (400, True)


@pytest.mark.parametrize("instance_id", ["", "i-1", "999999999", str(2**70), "٣"])
async def test_a_host_without_an_original_has_no_facts(
    client: httpx.AsyncClient, constructed: Inventory, session: AsyncSession, instance_id: str
) -> None:
    host = await make_host(session, inventory=constructed, instance_id=instance_id)
    answer = await client.get(f"/api/v2/hosts/{host.id}/ansible_facts/")
    assert (answer.status_code, answer.json()) == (200, {})
    assert (await client.get(f"/api/v2/hosts/{host.id}/")).status_code == 200


async def test_a_host_of_a_plain_inventory_keeps_its_facts_whatever_its_instance_id(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    other = await make_host(session)
    host = await make_host(session, instance_id=str(other.id), facts={"own": 1})
    assert (await client.get(f"/api/v2/hosts/{host.id}/ansible_facts/")).json() == {"own": 1}


async def test_the_facts_of_all_its_hosts_are_those_of_the_originals(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    given = await make_inventory(session, tenant=tenant)
    original = await make_host(session, "h", inventory=given, facts={"a": 1})
    await make_host(session, "other", inventory=given, facts={"a": 2})
    constructed = await make_constructed(session, tenant=tenant, inputs=[given])
    await make_host(session, "h", inventory=constructed, instance_id=str(original.id))
    await make_host(session, "made", inventory=constructed, instance_id="no id")
    path = f"{INVENTORIES}{constructed.id}/ansible_facts/"
    read = [json.loads(line) for line in (await client.get(path)).text.splitlines()]
    assert [(row["id"], row["ansible_facts"]) for row in read] == [(original.id, {"a": 1})]
    line = json.dumps({"name": "h", "ansible_facts": {"b": 2}})
    written = await client.patch(path, content=line, headers={"Content-Type": "application/x-ndjson"})
    assert written.status_code == 200
    assert (await client.get(f"/api/v2/hosts/{original.id}/ansible_facts/")).json() == {"a": 1, "b": 2}


async def test_a_reader_attaches_nothing(
    session: AsyncSession, constructed: Inventory, tenant: Tenant, client_of: ClientOf
) -> None:
    given = await make_inventory(session, tenant=tenant)
    reader = await client_of(tenant, "reader")
    answer = await reader.post(f"{INVENTORIES}{constructed.id}/input_inventories/", json={"id": given.id})
    assert answer.status_code == 403


async def test_inventories_are_found_by_their_inputs(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    given = await make_inventory(session, "one of them", tenant=tenant)
    constructed = await make_constructed(session, tenant=tenant, inputs=[given])
    found = await client.get(INVENTORIES, params={"input_inventories__name": "one of them"})
    assert [row["id"] for row in found.json()["results"]] == [constructed.id]


async def test_its_groups_and_script_are_those_of_any_inventory(
    client: httpx.AsyncClient, constructed: Inventory, session: AsyncSession
) -> None:
    group = await make_group(session, "web", inventory=constructed)
    await make_host(session, "h", inventory=constructed, groups=[group])
    script = (await client.get(f"{INVENTORIES}{constructed.id}/script/")).json()
    assert script["web"] == {"hosts": ["h"]}
