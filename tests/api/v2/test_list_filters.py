"""Every list of /v2 against the whole table of list parameters: the lists are read from the OpenAPI document."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import (
    Group,
    Host,
    Inventory,
    InventorySource,
    InventoryUpdate,
    InventoryUpdateEvent,
    Tenant,
)
from tests.api.conftest import ClientOf, client_for, make_token
from tests.api.routes import Operation, operations
from tests.api.test_tenant_isolation import World, make_world, own_ids
from tests.api.v2.conftest import Statements
from tests.factories import add_child, make_group, make_host, make_inventory, make_source, make_user, save

# Lists below an object are the same code over a part of the rows: they wait for the full tier.
LISTS = [
    pytest.param(each, id=str(each), marks=[pytest.mark.full] if each.path_names else [])
    for each in operations()
    if each.dialect == "v2" and each.method == "GET" and "order_by" in each.query_names
]
OF_A_RUN = tuple(f"/inventory_updates/{{id}}/{each}/" for each in ("events", "targets", "changes"))
ROLES = ("/users/", "/me/", "/tokens/", *OF_A_RUN)


@pytest.fixture
async def ours(session: AsyncSession) -> World:
    """One of everything, and two lines of output."""
    world = await make_world(session, "alpha")
    for counter in (1, 2):
        await save(session, InventoryUpdateEvent(inventory_update_id=world.ids["update"], counter=counter))
    return world


class Listing:
    """One list, asked with one query after another."""

    def __init__(self, client: httpx.AsyncClient, operation: Operation, world: World) -> None:
        self.client = client
        self.path = operation.url(own_ids(operation, world))
        self.key = "error" if operation.operation_id == "list_hosts" else "detail"

    async def get(self, query: str) -> dict[str, Any]:
        answer = await self.client.get(f"{self.path}?{query}")
        assert answer.status_code == 200, (query, answer.text)
        body: dict[str, Any] = answer.json()
        return body

    async def ids(self, query: str) -> list[int]:
        return [row["id"] for row in (await self.get(f"page_size=200&{query}"))["results"]]

    async def refusal(self, query: str, status: int = 400) -> str:
        answer = await self.client.get(f"{self.path}?{query}")
        assert (answer.status_code, list(answer.json())) == (status, [self.key]), (query, answer.text)
        text: str = answer.json()[self.key]
        return text


@pytest.mark.parametrize("operation", LISTS)
async def test_every_list_takes_every_form(operation: Operation, client: httpx.AsyncClient, ours: World) -> None:
    listing = Listing(client, operation, ours)
    everything = await listing.ids("order_by=id")
    first, last = (everything[0], everything[-1]) if everything else (1, 2)
    both = [row for row in everything if row in (first, last)]
    others = [row for row in everything if row != first]
    found = [row for row in everything if row == first]
    for query, expected in {
        f"id={first}": found,
        f"pk={first}": found,
        f"id__exact={first}&id={first}": found,
        f"id__int={first}": found,
        f"id__in={first},{last}": both,
        f"id__in={first}, {last}": both,
        f"id__lte={first}&id__gte={first}": found,
        f"id__gt={first}": others,
        f"id__lt={first}": [],
        f"id__regex=^{first}$": found,
        f"id__iregex=^{first}$": found,
        f"id__contains={first}&id={first}": found,
        f"id__startswith={first}&id__endswith={first}&id={first}": found,
        "id__isnull=False": everything,
        "id__isnull=1": [],
        f"not__id={first}": others,
        f"chain__not__id={first}": others,
        f"or__not__id={first}": others,
        f"or__id={first}&or__id={last}": both,
        f"or__id={first}&or__id={last}&not__id={first}": [row for row in both if row != first],
        f"chain__id={first}&chain__id={first}": found,
        f"or__not__id={first}&or__id={first}": everything,
        "created__gt=2001-02-03": everything,
        "created__lt=2001-02-03T04:05:06Z": [],
        "search=": everything,
        "search=there is no such text": [],
        "format=json&validate=1&no_truncate=1&host_filter=": everything,
    }.items():
        assert await listing.ids(f"order_by=id&{query}") == expected, query
    assert await listing.ids("order=-id") == everything[::-1]


@pytest.mark.parametrize("operation", LISTS)
async def test_every_list_is_paged_counted_and_linked(
    operation: Operation, client: httpx.AsyncClient, ours: World
) -> None:
    listing = Listing(client, operation, ours)
    everything = await listing.ids("order_by=id")
    body = await listing.get("page_size=1&id__gt=0&order_by=id")
    assert (body["count"], body["previous"]) == (len(everything), None)
    seen = [row["id"] for row in body["results"]]
    while body["next"]:
        assert body["next"].startswith(f"{listing.path}?")
        assert "id__gt=0" in body["next"]
        body = (await client.get(body["next"])).json()
        seen += [row["id"] for row in body["results"]]
    assert seen == everything
    assert list(await listing.get("count_disabled=")) == ["results"]
    beyond = await client.get(f"{listing.path}?page=7&id__gt=0")
    assert (beyond.status_code, beyond.json()) == (404, {"detail": "Invalid page."})


@pytest.mark.parametrize("operation", LISTS)
async def test_every_list_keeps_its_own_type_and_empties_for_another(
    operation: Operation, client: httpx.AsyncClient, ours: World
) -> None:
    listing = Listing(client, operation, ours)
    everything = await listing.get("page_size=200")
    for kind in {row["type"] for row in everything["results"]}:
        assert (await listing.get(f"type={kind}"))["count"] == everything["count"]
        assert (await listing.get(f"type=nope,{kind}"))["count"] == everything["count"]
    assert (await listing.get("type=nope")) == {"count": 0, "next": None, "previous": None, "results": []}


REFUSALS = {
    "foo=1": r"\w+ has no field named 'foo'",
    "or__foo__exact=1": r"\w+ has no field named 'foo'",
    "order_by=foo": r"\w+ has no field named 'foo'",
    "order_by=id,-foo": r"\w+ has no field named 'foo'",
    "n%C3%A0me=1": r"nàme is not an allowed field name\. Must be ascii encodable\.",
    "=1": r"Query string field name not provided\.",
    "not__=1": "not__ is not a field: a part is empty",
    "id__in=": "cannot provide empty value for __in",
    "id__isnull=maybe": 'Unable to convert "maybe" to boolean',
    "id__isnull=yes": 'Unable to convert "yes" to boolean',
    "id__iexact=1": "id is not a text field and cannot be filtered by case-insensitive search",
    "id__search=1": "id is not searchable",
    "created__year=2020": r"No related model for field year\.",
    "id__date=2020": r"No related model for field date\.",
    "id__range=1,2": r"No related model for field range\.",
    "id__int=one": r"invalid literal for int\(\) with base 10: 'one'",
    "id__regex=[a": "unterminated character set at position 0",
}
DJANGO = {
    "id=abc": "“abc” value must be an integer.",
    "id__in=1,x": "“x” value must be an integer.",
    "created__gt=garbage": (
        "“garbage” value has an invalid format. It must be in YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ] format."
    ),
}


@pytest.mark.parametrize("operation", LISTS)
async def test_every_list_refuses_in_awxs_words(operation: Operation, client: httpx.AsyncClient, ours: World) -> None:
    listing = Listing(client, operation, ours)
    for query, words in REFUSALS.items():
        assert re.match(words, await listing.refusal(query)), query
    for query, sentence in DJANGO.items():
        assert json.loads(await listing.refusal(query))[0] == sentence


@pytest.mark.parametrize("operation", LISTS)
async def test_every_list_knows_roles_or_says_that_it_has_none(
    operation: Operation, client: httpx.AsyncClient, ours: World
) -> None:
    listing = Listing(client, operation, ours)
    path = operation.path
    answer = await client.get(f"{listing.path}?role_level=admin_role")
    if path in ROLES:
        assert (answer.status_code, "does not use roles" in answer.text) == (400, True)
        return
    assert answer.json()["count"] == (await listing.get(""))["count"]
    unknown = await client.get(f"{listing.path}?role_level=nope")
    assert unknown.status_code == 400
    assert "admin_role" in unknown.text


async def test_a_page_is_capped_at_200_rows_and_its_links_say_so(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory
) -> None:
    rows = [{"tenant_id": inventory.tenant_id, "inventory_id": inventory.id, "name": f"h{n:03}"} for n in range(401)]
    await session.execute(insert(Host), rows)
    first = (await client.get("/api/v2/hosts/?name__startswith=h&page_size=5000&order_by=name")).json()
    assert (first["count"], len(first["results"]), first["previous"]) == (401, 200, None)
    assert first["next"] == "/api/v2/hosts/?name__startswith=h&order_by=name&page_size=200&page=2"
    last = (await client.get("/v2/hosts/?page=3&name__startswith=h&page_size=999")).json()
    assert ([row["name"] for row in last["results"]], last["next"]) == (["h400"], None)
    assert last["previous"] == "/v2/hosts/?name__startswith=h&page_size=200&page=2"


@pytest.fixture
async def two_tenants(session: AsyncSession) -> list[Inventory]:
    """An inventory with a host and a source in each of two tenants."""
    made = [await make_inventory(session, name) for name in ("first", "second")]
    for inventory in made:
        await make_host(session, f"of-{inventory.name}", inventory=inventory)
    return made


@pytest.mark.parametrize(
    ("role", "level", "path", "count"),
    [
        ("admin", "admin_role", "organizations", 1),
        ("operator", "admin_role", "organizations", 0),
        ("operator", "inventory_admin_role", "organizations", 1),
        ("operator", "admin_role", "inventories", 1),
        ("operator", "update_role", "hosts", 1),
        ("reader", "use_role", "inventories", 0),
        ("reader", "adhoc_role", "hosts", 0),
        ("reader", "read_role", "hosts", 1),
        ("reader", "read_role&role_level=use_role", "hosts", 0),
    ],
)
async def test_role_level_keeps_what_the_caller_has_that_role_on(
    client_of: ClientOf,
    session: AsyncSession,
    two_tenants: list[Inventory],
    role: str,
    level: str,
    path: str,
    count: int,
) -> None:
    caller = await client_of(await session.get_one(Tenant, two_tenants[0].tenant_id), role)
    assert (await caller.get(f"/v2/{path}/?role_level={level}")).json()["count"] == count


async def test_a_token_of_one_tenant_has_its_roles_there_alone(
    session: AsyncSession, two_tenants: list[Inventory], app: FastAPI
) -> None:
    user = await make_user(session, is_superuser=True)
    token = await make_token(session, user, tenant_id=two_tenants[0].tenant_id)
    async with client_for(app, {"Authorization": f"Bearer {token}"}) as caller:
        rows = (await caller.get("/v2/hosts/?role_level=admin_role")).json()["results"]
    assert [row["name"] for row in rows] == ["of-first"]


@pytest.fixture
async def sources(session: AsyncSession) -> list[InventorySource]:
    """Sources: one whose last run failed, one that runs again after a good one, one that never ran."""
    inventory = await make_inventory(session, "cloud")
    made = [await make_source(session, name, inventory=inventory) for name in ("bad", "busy", "idle")]
    for source, status, last in zip(
        made, ("failed", "running", "never updated"), ("failed", "successful", ""), strict=True
    ):
        source.status = status
        if last:
            finished = datetime(2024, 1, 2, tzinfo=UTC)
            source.last_update_id = (await make_run(session, source, last, finished=finished)).id
            source.last_updated = finished
        if status == "running":
            source.current_update_id = (await make_run(session, source, status)).id
    await session.flush()
    return made


async def make_run(session: AsyncSession, source: InventorySource, status: str, **values: Any) -> InventoryUpdate:
    """A run of a source."""
    owner = {"inventory_id": source.inventory_id, "tenant_id": source.tenant_id, "inventory_source_id": source.id}
    run: InventoryUpdate = await save(session, InventoryUpdate(name=source.name, status=status, **owner, **values))
    return run


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("last_update_failed=true", "bad"),
        ("last_job_failed=true", "bad"),
        ("last_job_failed=false", "busy"),
        ("last_job_failed__isnull=true", "idle"),
        ("last_update__isnull=true", "idle"),
        ("last_job=none", "idle"),
        ("last_job__status=successful", "busy"),
        ("last_update__status__in=successful,failed&order_by=-name", "busy bad"),
        ("current_update__isnull=false", "busy"),
        ("current_job__status=running", "busy"),
        ("last_updated__gte=2024-01-02", "bad busy"),
        ("last_job_run__lt=2024-01-02T00:00:01Z", "bad busy"),
        ("not__last_job_run__gt=2000-01-01", "idle"),
        ("order_by=-last_job_run,-name", "idle busy bad"),
        ("order_by=-last_job__status,name", "idle busy bad"),
        ("order_by=last_update_failed,-name", "idle busy bad"),
    ],
)
async def test_sources_are_found_by_awxs_names_of_their_runs(
    client: httpx.AsyncClient, sources: list[InventorySource], query: str, names: str
) -> None:
    rows = (await client.get(f"/v2/inventory_sources/?{query}")).json()["results"]
    assert [row["name"] for row in rows] == names.split()


@pytest.mark.parametrize(
    ("query", "count"),
    [("failed=true", 1), ("failed=false", 2), ("unified_job_template={id}", 1), ("inventory_source__name=busy", 2)],
)
async def test_runs_are_found_by_what_they_show(
    client: httpx.AsyncClient, sources: list[InventorySource], query: str, count: int
) -> None:
    assert (await client.get(f"/v2/inventory_updates/?{query.format(id=sources[0].id)}")).json()["count"] == count


@pytest.fixture
async def grouped(session: AsyncSession) -> Inventory:
    """Hosts in no group, one group and two groups of which one has a parent."""
    inventory = await make_inventory(session, "grouped")
    one, two, top = [
        await make_group(session, name, inventory=inventory, description=about)
        for name, about in (("g1", "red"), ("g2", "blue"), ("top", "Both"))
    ]
    await add_child(session, top, two)
    ann = await make_user(session, "ann", first_name="Ann", password_hash="pbkdf2")
    facts = {"ansible_distribution": "CentOS", "cpus": 8, "search": "this"}
    await make_host(session, "none", inventory=inventory, created_by_id=ann.id)
    await make_host(session, "one", inventory=inventory, groups=[one], facts=facts)
    await make_host(
        session, "both", inventory=inventory, groups=[one, two], description="the one and only", enabled=False
    )
    return inventory


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("groups__name=g1&groups__name=g2", ""),
        ("groups__name=g1&groups__description=red", "both one"),
        ("groups__name=g1&groups__description=blue", ""),
        ("chain__groups__name=g1&chain__groups__name=g2", "both"),
        ("groups__name=g1&chain__groups__description=blue", "both"),
        ("or__groups__name=g2&or__name=none", "both none"),
        ("or__not__groups__name=g1&or__name=one", "none one"),
        ("not__groups__name=g2", "none one"),
        ("not__groups__isnull=true", "both one"),
        ("chain__not__groups__name=g2&chain__groups__name=g1", "one"),
        ("groups__parents__name=top", "both"),
        ("groups__in={g1},{g2}", "both one"),
        ("groups={g2}", "both"),
        ("groups__search=RED", "both one"),
        ("groups__search=red&groups__search=blue", "both one"),
        ("groups__search=g,red", "both one"),
        ("groups__search=red,blue", "both"),
        ("groups__search=red, blue&groups__search=g", "both"),
        ("not__groups__search=blue", "none one"),
        ("or__groups__search=blue&or__name=none", "both none"),
        ("created_by__search=ann", "none"),
        ("created_by__username=ann", "none"),
        ("created_by=none", "both one"),
        ("created_by=Null", "both one"),
        ("region=null&inventory={inventory}", "both none one"),
        ("inventory__organization__search=tenant&name__in=one,none", "none one"),
        ("search=ONE", "both none one"),
        ("search=one only", "both"),
        ("search=one,only", "both"),
        ('search="one and"', "both"),
        ("search=only one and more", ""),
        ("enabled=F", "both"),
        ("enabled__exact=1", "none one"),
        ("name__iexact=ONE", "one"),
        ("name__regex=^(one|both)$", "both one"),
        ("name__iregex=^O", "one"),
        ("name=null", ""),
        ("ansible_facts__icontains=centos", "one"),
        ("ansible_facts__contains=centos", ""),
        ("ansible_facts__search=this", "one"),
        ("ansible_facts__cpus__int=8", "one"),
        ("ansible_facts__cpus=8", ""),
        ("ansible_facts__cpus__gt__int=7", "one"),
        ("order_by=-groups__name", "none both one"),
        ("order_by=groups__name,-name", "one both none"),
        ("order_by=groups__parents__name", "both none one"),
        ("order_by=-inventory__groups__name,name&groups__name__startswith=g", "both one"),
    ],
)
async def test_hosts_are_found_once_by_what_they_relate_to(
    client: httpx.AsyncClient, grouped: Inventory, session: AsyncSession, query: str, names: str
) -> None:
    g1, g2 = [await session.scalar(select(Group.id).where(Group.name == name)) for name in ("g1", "g2")]
    answer = await client.get(f"/v2/hosts/?{query.format(g1=g1, g2=g2, inventory=grouped.id)}")
    assert answer.status_code == 200, answer.text
    found = [row["name"] for row in answer.json()["results"]]
    assert (found if "order_by" in query else sorted(found)) == names.split()
    assert answer.json()["count"] == len(found)


@pytest.mark.parametrize(
    ("path", "query", "status", "text"),
    [
        ("groups", "inventory=abc", 400, "Invalid inventory id: abc"),
        ("groups", "inventory__in=1,abc", 400, "Invalid inventory id: abc"),
        ("groups", "name__search=a", 400, "name is not searchable"),
        ("groups", "hosts__groups__hosts__name=a", 400, "Loops not allowed in filters, detected on field hosts."),
        (
            "groups",
            "order_by=hosts__groups__hosts__name",
            400,
            "Loops not allowed in filters, detected on field hosts.",
        ),
        ("groups", "created_by__password=x", 403, "Filtering on password is not allowed."),
        ("groups", "order_by=created_by__password", 403, "Filtering on password is not allowed."),
        ("hosts", "created_by__password=x", 400, "Filtering on password is not allowed."),
        ("hosts", "order_by=-created_by__password", 400, "Filtering on password is not allowed."),
        ("inventory_updates", "job_env__contains=x", 403, "Filtering on job_env is not allowed."),
        ("tokens", "secret_hash=x", 403, "Filtering on secret_hash is not allowed."),
        ("hosts", "ansible_facts=x", 400, "ansible_facts needs a path into it"),
        ("hosts", "order_by=ansible_facts__a", 400, "Cannot order by ansible_facts__a"),
        ("hosts", "last_job__status=failed", 400, "Host has no field named 'last_job'"),
        ("inventory_sources", "notifications=1", 400, "InventorySource has no field named 'notifications'"),
        ("organizations", "foo=1", 400, "Organization has no field named 'foo'"),
    ],
)
async def test_a_list_says_what_it_does_not_take(
    client: httpx.AsyncClient, grouped: Inventory, path: str, query: str, status: int, text: str
) -> None:
    answer = await client.get(f"/v2/{path}/?{query}")
    key = "error" if path == "hosts" else "detail"
    assert (answer.status_code, list(answer.json())) == (status, [key]), answer.text
    assert answer.json()[key].startswith(text)


async def test_an_order_over_many_rows_costs_no_more_statements(
    client: httpx.AsyncClient, grouped: Inventory, statements: Statements
) -> None:
    await client.get("/v2/hosts/")
    for query in ("", "groups__isnull=false&"):
        counts = []
        for order in ("inventory__name", "-groups__parents__name,inventory__hosts__name"):
            with statements.recorded() as seen:
                assert (await client.get(f"/v2/hosts/?{query}order_by={order}")).status_code == 200
            counts.append(len(seen))
        assert counts[0] == counts[1]


async def test_a_limit_is_a_field_with_a_lookup_alone(
    client: httpx.AsyncClient, session: AsyncSession, sources: list[InventorySource]
) -> None:
    sources[0].limit = "web*"
    await session.flush()
    for query, count in (("limit=web*", 3), ("limit__exact=web*", 1), ("not__limit=web*", 2)):
        assert (await client.get(f"/v2/inventory_sources/?{query}")).json()["count"] == count, query
