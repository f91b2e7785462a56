"""Filters reach labels and authors: host_filter and the lists' own filters alike, but never a password."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory
from tests.factories import make_group, make_host, make_inventory, make_label, make_source, make_tenant, make_user

AUTHORED = ["organizations", "inventories", "hosts", "groups", "inventory_sources", "labels"]


@pytest.fixture
async def labelled(session: AsyncSession) -> Inventory:
    """Inventory `red` with hosts `both`, `web` and `bare`; `red` is labelled rot, its hosts web, prod or nothing."""
    tenant = await make_tenant(session, "acme")
    inventory = await make_inventory(session, "red", tenant=tenant)
    both, web = [await make_host(session, name, inventory=inventory) for name in ("both", "web")]
    await make_host(session, "bare", inventory=inventory)
    await make_inventory(session, "blue", tenant=tenant)
    await make_label(session, "web-servers", tenant=tenant, on=[both, web])
    await make_label(session, "prod", tenant=tenant, on=[both])
    await make_label(session, "rot", tenant=tenant, on=[inventory])
    return inventory


async def names(client: httpx.AsyncClient, path: str, **query: str) -> list[str]:
    """The names that a list gives."""
    answer = await client.get(f"/v2/{path}/", params=query)
    assert answer.status_code == 200, answer.text
    return [row["name"] for row in answer.json()["results"]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("labels__name=prod", ["both"]),
        ("label__name=prod", ["both"]),
        ("labels__search=WEB", ["both", "web"]),
        ("labels__name__icontains=SERV", ["both", "web"]),
        ("labels__name=prod and labels__name=web-servers", ["both"]),
        ("not labels__name=prod", ["bare", "web"]),
        ("labels__isnull=true", ["bare"]),
        ("labels=null", ["bare"]),
        ("labels__organization__name=acme", ["both", "web"]),
        ("labels__hosts__name=web", ["both", "web"]),
        ("inventory__labels__name=rot", ["bare", "both", "web"]),
        ("inventory__labels__name=web-servers", []),
    ],
)
async def test_host_filter_reaches_labels(
    client: httpx.AsyncClient, labelled: Inventory, text: str, found: list[str]
) -> None:
    assert await names(client, "hosts", host_filter=text) == found


@pytest.mark.parametrize(
    ("path", "query", "found"),
    [
        ("hosts", {"labels__name": "prod"}, ["both"]),
        ("hosts", {"label__name__startswith": "web"}, ["both", "web"]),
        ("hosts", {"labels__search": "prod"}, ["both"]),
        ("hosts", {"not__labels__name": "prod"}, ["bare", "web"]),
        ("inventories", {"labels__name": "rot"}, ["red"]),
        ("inventories", {"hosts__labels__name": "prod"}, ["red"]),
        ("inventories", {"labels__isnull": "true"}, ["blue"]),
        ("labels", {"organization__name": "acme"}, ["prod", "rot", "web-servers"]),
        ("labels", {"inventories__name": "red"}, ["rot"]),
        ("labels", {"hosts__name": "both", "order_by": "-name"}, ["web-servers", "prod"]),
        ("labels", {"search": "SERV"}, ["web-servers"]),
        ("labels", {"hosts__isnull": "true"}, ["rot"]),
    ],
)
async def test_lists_reach_labels(
    client: httpx.AsyncClient, labelled: Inventory, path: str, query: dict[str, str], found: list[str]
) -> None:
    assert await names(client, path, **query) == found


async def test_a_smart_inventory_searches_by_label(client: httpx.AsyncClient, labelled: Inventory) -> None:
    body = {"name": "s", "organization": labelled.tenant_id, "kind": "smart", "host_filter": "labels__name=prod"}
    smart = (await client.post("/v2/inventories/", json=body)).json()
    assert await names(client, f"inventories/{smart['id']}/hosts") == ["both"]
    assert smart["total_hosts"] == 1


async def one_of_each(session: AsyncSession, name: str, **authors: int) -> None:
    """A row of every authored kind."""
    tenant = await make_tenant(session, name, **authors)
    inventory = await make_inventory(session, name, tenant=tenant, **authors)
    await make_host(session, name, inventory=inventory, **authors)
    await make_group(session, f"{name}-group", inventory=inventory, **authors)
    await make_source(session, name, inventory=inventory, **authors)
    label = await make_label(session, name, tenant=tenant)
    for column, author in authors.items():
        setattr(label, column, author)
    await session.flush()


@pytest.mark.parametrize("path", AUTHORED)
async def test_lists_reach_authors(client: httpx.AsyncClient, session: AsyncSession, path: str) -> None:
    ann, bob = await make_user(session, "ann", email="ann@acme.org"), await make_user(session, "bob")
    await one_of_each(session, "hers", created_by_id=ann.id, modified_by_id=bob.id)
    await one_of_each(session, "his", created_by_id=bob.id, modified_by_id=ann.id)
    hers = ["hers-group" if path == "groups" else "hers"]
    for query in (
        {"created_by__username": "ann"},
        {"created_by": str(ann.id)},
        {"created_by__email__iendswith": "@ACME.ORG"},
        {"created_by__search": "ann"},
        {"modified_by__username__in": "bob,eve"},
    ):
        assert await names(client, path, **query) == hers, query


async def test_host_filter_reaches_authors(client: httpx.AsyncClient, session: AsyncSession) -> None:
    ann = await make_user(session, "ann")
    inventory = await make_inventory(session, created_by_id=ann.id)
    label = await make_label(session, tenant=await make_tenant(session))
    await make_host(session, "hers", inventory=inventory, created_by_id=ann.id)
    await make_host(session, "changed", inventory=inventory, modified_by_id=ann.id)
    label.created_by_id = ann.id
    await session.flush()
    assert await names(client, "hosts", host_filter="created_by__username=ann") == ["hers"]
    assert await names(client, "hosts", host_filter="modified_by__username=ann") == ["changed"]
    found = await names(client, "hosts", host_filter="inventory__created_by__username=ann and created_by=null")
    assert found == ["changed"]


@pytest.mark.parametrize("path", AUTHORED)
@pytest.mark.parametrize("lookup", ["", "__startswith", "__isnull"])
@pytest.mark.parametrize("author", ["created_by", "modified_by"])
@pytest.mark.parametrize("field", ["password", "password_hash"])
async def test_s20_no_list_reaches_a_password(
    client: httpx.AsyncClient, path: str, author: str, field: str, lookup: str
) -> None:
    answer = await client.get(f"/v2/{path}/", params={f"{author}__{field}{lookup}": "true"})
    assert answer.status_code == (400 if path == "hosts" else 403)
    ordered = await client.get(f"/v2/{path}/", params={"order_by": f"{author}__{field}"})
    assert ordered.status_code in (400, 403)


@pytest.mark.parametrize(
    "text",
    [
        "created_by__password=x",
        "modified_by__password_hash__startswith=x",
        "labels__created_by__password=x",
        "labels__inventories__modified_by__password=x",
        "inventory__labels__created_by__password__isnull=true",
        "groups__created_by__password=x",
        "organization__created_by__password=x",
    ],
)
async def test_s20_no_host_filter_reaches_a_password(client: httpx.AsyncClient, text: str) -> None:
    answer = await client.get("/v2/hosts/", params={"host_filter": text})
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert "password" in answer.json()["error"]
