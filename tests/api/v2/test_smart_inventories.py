"""Smart inventories over HTTP: what is saved, what is refused, and what they show of their hosts."""

from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Host, Inventory, Tenant
from tests.api.conftest import ClientOf
from tests.factories import make_host, make_inventory, make_tenant

INVENTORIES = "/api/v2/inventories/"
CONTENT = ("groups", "root_groups", "inventory_sources", "update_inventory_sources", "tree")


@pytest.fixture
async def tenant(session: AsyncSession) -> Tenant:
    """An organization with two hosts in one inventory."""
    tenant = await make_tenant(session, "Acme")
    inventory = await make_inventory(session, "plain", tenant=tenant)
    for name in ("web1", "db1"):
        await make_host(session, name, inventory=inventory)
    return tenant


@pytest.fixture
async def smart(session: AsyncSession, tenant: Tenant) -> Inventory:
    """The web servers of that organization."""
    return await make_inventory(session, "smart", tenant=tenant, kind="smart", host_filter="name__startswith=web")


def body_of(tenant: Tenant, host_filter: Any, **more: Any) -> dict[str, Any]:
    """The body that makes a smart inventory."""
    return {"name": "new", "organization": tenant.id, "kind": "smart", "host_filter": host_filter, **more}


@pytest.mark.parametrize("host_filter", [None, ""])
async def test_none_is_made_or_kept_without_a_filter(
    client: httpx.AsyncClient, tenant: Tenant, smart: Inventory, host_filter: Any
) -> None:
    refusal = {"host_filter": ["Smart inventories must specify host_filter"]}
    made = await client.post(INVENTORIES, json=body_of(tenant, host_filter))
    assert (made.status_code, made.json()) == (400, refusal)
    path = f"{INVENTORIES}{smart.id}/"
    patched = await client.patch(path, json={"host_filter": host_filter})
    assert (patched.status_code, patched.json()) == (400, refusal)
    assert (await client.get(path)).json()["host_filter"] == "name__startswith=web"


BAD = {
    "nmae=a": 'Invalid query nmae=a: no field "nmae" on host at column 1; did you mean "name"?',
    "name=a or": "Invalid query name=a or:",
    "groups__nmae=a": "No related model for field nmae.",
    "created_by__password_hash=a": "Filtering on password_hash is not allowed.",
    "inventory__hosts__inventory__name=a": "Loops not allowed in filters, detected on field inventory.",
    "id=abc": '“abc” value must be an integer. Field "id" takes',
    "enabled=maybe": 'Unable to convert "maybe" to boolean.',
    "name ~ '[a'": "unterminated character set at position 0 (at column 8)",
    "name=a%00": "The filter contains the character NUL",
    "name=" + "a" * 5000: "Invalid query name=aaa",
    "(" * 40 + "name=a" + ")" * 40: "Invalid query ((((",
}


@pytest.mark.parametrize("host_filter", BAD, ids=lambda text: text[:30].encode("unicode_escape").decode())
@pytest.mark.parametrize("verb", ["post", "put", "patch"])
async def test_a_bad_filter_is_refused_by_every_verb_and_nothing_is_stored(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant, smart: Inventory, verb: str, host_filter: str
) -> None:
    path = INVENTORIES if verb == "post" else f"{INVENTORIES}{smart.id}/"
    answer = await client.request(verb.upper(), path, json=body_of(tenant, host_filter))
    assert (answer.status_code, list(answer.json())) == (400, ["host_filter"]), answer.text
    [said] = answer.json()["host_filter"]
    assert said.startswith(BAD[host_filter])
    stored = await session.execute(select(Inventory.name, Inventory.host_filter).where(Inventory.kind == "smart"))
    assert stored.all() == [("smart", "name__startswith=web")]


@pytest.mark.parametrize(
    "host_filter",
    [
        "ansible_facts__ansible_distribution__has_keys=cent",
        "ansible_facts__ansible_distribution__icontains=cent",
        'ansible_facts__ansible_distribution__exact="CentOS"',
        "inventory_sources__source=ec2",
        "group__search=ec2 and group__search=gce",
        "inventory__name='US-East' and search='nyc'",
        "created > now-7d",
    ],
)
async def test_lookups_on_facts_and_the_documents_examples_are_saved_as_written(
    client: httpx.AsyncClient, tenant: Tenant, host_filter: str
) -> None:
    answer = await client.post(INVENTORIES, json=body_of(tenant, host_filter))
    assert (answer.status_code, answer.json()["host_filter"]) == (201, host_filter)


async def test_an_unknown_lookup_at_the_end_of_facts_is_a_key(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    inventory = await make_inventory(session, tenant=tenant)
    await make_host(session, "keyed", inventory=inventory, facts={"os": {"has_keys": "cent"}})
    await make_host(session, "other", inventory=inventory, facts={"os": {"cent": 1}})
    made = (await client.post(INVENTORIES, json=body_of(tenant, "ansible_facts__os__has_keys=cent"))).json()
    assert await names_of(client, made["related"]["hosts"]) == ["keyed"]


@pytest.mark.parametrize(("roles", "status"), [(["reader"], 403), (["operator"], 200), (["admin"], 200)])
async def test_only_who_manages_the_organizations_inventories_changes_a_filter(
    client_of: ClientOf, tenant: Tenant, smart: Inventory, session: AsyncSession, roles: list[str], status: int
) -> None:
    caller = await client_of(tenant, *roles)
    answer = await caller.patch(f"{INVENTORIES}{smart.id}/", json={"host_filter": "name=db1"})
    assert answer.status_code == status
    await session.refresh(smart)
    assert smart.host_filter == ("name=db1" if status == 200 else "name__startswith=web")


async def test_a_reader_is_told_nothing_of_his_filter_but_that_he_may_not(
    client_of: ClientOf, tenant: Tenant, smart: Inventory
) -> None:
    reader = await client_of(tenant, "reader")
    answer = await reader.patch(f"{INVENTORIES}{smart.id}/", json={"host_filter": "nmae=a"})
    assert answer.status_code == 403


async def test_a_regular_inventory_may_carry_a_filter_which_is_ignored(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    made = (await client.post(INVENTORIES, json=body_of(tenant, "name=web1", kind=""))).json()
    assert (made["kind"], made["host_filter"]) == ("", "name=web1")
    assert await names_of(client, made["related"]["hosts"]) == []
    assert (await client.get(made["related"]["script"])).json() == {"all": {"hosts": []}}


async def test_what_a_smart_inventory_owns_is_empty_and_not_linked(client: httpx.AsyncClient, smart: Inventory) -> None:
    related = (await client.get(f"{INVENTORIES}{smart.id}/")).json()["related"]
    assert not set(CONTENT) & set(related)
    for below in ("groups", "root_groups", "inventory_sources"):
        answer = await client.get(f"{INVENTORIES}{smart.id}/{below}/")
        assert (answer.status_code, answer.json()["count"]) == (200, 0), below
    assert (await client.get(f"{INVENTORIES}{smart.id}/tree/")).json() == []


@pytest.mark.parametrize(
    ("below", "thing"),
    [("hosts", "Host"), ("groups", "Group"), ("root_groups", "Group"), ("inventory_sources", "Inventory Source")],
)
async def test_nothing_is_made_in_a_smart_inventory(
    client: httpx.AsyncClient, smart: Inventory, below: str, thing: str
) -> None:
    answer = await client.post(f"{INVENTORIES}{smart.id}/{below}/", json={"name": "x"})
    assert (answer.status_code, answer.json()) == (
        400,
        {"inventory": {"detail": f"Cannot create {thing} for Smart or Constructed Inventories"}},
    )


@pytest.mark.parametrize("more", [{}, {"disassociate": True}])
async def test_a_member_is_neither_moved_nor_deleted_through_a_smart_inventory(
    client: httpx.AsyncClient, session: AsyncSession, smart: Inventory, more: dict[str, Any]
) -> None:
    member = (await session.scalars(select(Host).where(Host.name == "web1"))).one()
    answer = await client.post(f"{INVENTORIES}{smart.id}/hosts/", json={"id": member.id, **more})
    assert answer.status_code == 400
    assert await session.scalar(select(func.count()).select_from(Host)) == 2


async def test_a_regular_inventory_has_no_groups_of_others_to_include(
    client: httpx.AsyncClient, tenant: Tenant, session: AsyncSession
) -> None:
    refusal = {"include_groups": ["Only a smart inventory can include the groups of its hosts."]}
    made = await client.post(INVENTORIES, json=body_of(tenant, None, kind="", include_groups=True))
    assert (made.status_code, made.json()) == (400, refusal)
    plain = (await session.scalars(select(Inventory).where(Inventory.name == "plain"))).one()
    patched = await client.patch(f"{INVENTORIES}{plain.id}/", json={"include_groups": True})
    assert (patched.status_code, patched.json()) == (400, refusal)
    assert (await client.patch(f"{INVENTORIES}{plain.id}/", json={"include_groups": False})).status_code == 200


async def test_including_groups_is_off_until_it_is_asked_for(
    client: httpx.AsyncClient, tenant: Tenant, smart: Inventory
) -> None:
    path = f"{INVENTORIES}{smart.id}/"
    assert (await client.get(path)).json()["include_groups"] is False
    assert (await client.patch(path, json={"include_groups": True})).json()["include_groups"] is True
    assert (await client.put(path, json=body_of(tenant, "name=a"))).json()["include_groups"] is True
    assert (await client.patch(path, json={"include_groups": "yes"})).status_code == 400


async def test_a_bad_search_in_a_list_costs_its_own_total_alone(
    client: httpx.AsyncClient, session: AsyncSession, tenant: Tenant
) -> None:
    for name, host_filter in (("broken", "name ~ '[a'"), ("good", "name=web1"), ("stale", "nmae=a")):
        await make_inventory(session, name, tenant=tenant, kind="smart", host_filter=host_filter)
    answer = await client.get(f"{INVENTORIES}?organization={tenant.id}")
    totals = {row["name"]: row["total_hosts"] for row in answer.json()["results"]}
    assert totals == {"broken": None, "good": 1, "plain": 2, "stale": None}


async def names_of(client: httpx.AsyncClient, path: str) -> list[str]:
    """The hosts of a list."""
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return [host["name"] for host in answer.json()["results"]]
