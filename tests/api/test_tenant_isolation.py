"""The matrix: every operation of both dialects, asked by tenant A about tenant B. It walks the OpenAPI documents, so a
new route is covered by being there, and one that the matrix cannot exercise fails until it is registered in `routes`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import (
    ActivityStream,
    Disk,
    Flavor,
    Grant,
    Host,
    Hypervisor,
    Image,
    InventoryChangePart,
    InventorySourceUpload,
    InventoryUpdate,
    Job,
    Network,
    NetworkPort,
    ProjectUpdate,
    Region,
    Resource,
    Tenant,
    Token,
)
from tests.api.conftest import ClientOf, make_token
from tests.api.routes import Operation, operations
from tests.factories import (
    add_child,
    add_member,
    make_constructed,
    make_credential,
    make_credential_type,
    make_group,
    make_host,
    make_inventory,
    make_label,
    make_object,
    make_project,
    make_schedule,
    make_source,
    make_user,
    save,
)

CANARY = "bravo-canary"
ABSENT = 2**53
# Users belong to no tenant: an admin may give any of them a role in his own.
GLOBAL_REFERENCES = {("create_grant", "user_id")}
# Below an object its own inventory counts, whatever the body says: tested on its own.
IGNORED = "inventory"
# Routes that answer without credentials: AWX's clients ask before they log in.
PUBLIC = {"get_root", "get_ping"}
# What only system administrators read.
OPERATORS = {"list_keys"}
ALL = operations()


# What belongs to no host.
OBJECTS = (Hypervisor, Flavor, Image, Network, Resource)


@dataclass
class World:
    """Ids by kind of everything a tenant can own."""

    tenant: Tenant
    ids: dict[str, int]


async def make_world(session: AsyncSession, name: str) -> World:
    """One of everything, each called `name`."""
    tenant = Tenant(name=name, variables={"owner": name})
    await save(session, tenant)
    inventory = await make_inventory(session, name, tenant=tenant)
    values = {"tenant_id": tenant.id, "inventory_id": inventory.id, "name": name, "variables": {"owner": name}}
    region = await save(session, Region(**values))
    host = await make_host(session, name, inventory=inventory, region_id=region.id, facts={"owner": name})
    group = await make_group(session, f"{name}-group", inventory=inventory)
    child = await make_group(session, f"{name}-child", inventory=inventory)
    await add_member(session, group, host)
    await add_child(session, group, child)
    label = await make_label(session, f"{name}-label", tenant=tenant, on=(inventory, host))
    constructed = await make_constructed(session, f"{name}-constructed", tenant=tenant, inputs=[inventory])
    credential_type = await make_credential_type(session, f"{name}-type", tenant=tenant)
    credential = await make_credential(session, name, tenant=tenant, credential_type=credential_type)
    source = await make_source(session, name, inventory=inventory, credential_id=credential.id)
    await save(
        session,
        InventorySourceUpload(
            inventory_source_id=source.id, filename=f"{name}.ini", sha256="0" * 64, size=4, content=name.encode()
        ),
    )
    update = await save(
        session,
        InventoryUpdate(
            inventory_source_id=source.id,
            inventory_id=inventory.id,
            tenant_id=tenant.id,
            name=name,
            status="successful",
        ),
    )
    schedule = await make_schedule(session, name, source=source)
    delivered = {model: await make_object(session, model, name, source=source) for model in OBJECTS}
    network_id = delivered[Network].id
    disk = await make_object(session, Disk, name, source=source, host_id=host.id)
    port = await make_object(session, NetworkPort, name, source=source, host_id=host.id, network_id=network_id)
    host.parent_host_id, host.flavor_id = delivered[Hypervisor].id, delivered[Flavor].id
    host.image_id = delivered[Image].id
    project = await make_project(session, name, tenant=tenant)
    project_update = await save(
        session, ProjectUpdate(project_id=project.id, tenant_id=tenant.id, name=name, status="successful", output=name)
    )
    activity = await save(
        session,
        ActivityStream(
            tenant_id=tenant.id,
            operation="create",
            object1="inventory",
            object1_id=inventory.id,
            object1_name=name,
            inventory_id=inventory.id,
        ),
    )
    change = InventoryChangePart(
        update_id=update.id, collection="hosts", action="created", size=1, row_ids=[host.id], refs=[name]
    )
    await save(session, change)
    user = await make_user(session, name)
    grant = await save(session, Grant(user_id=user.id, tenant_id=tenant.id, role="reader"))
    token = await save(session, Token(user_id=user.id, secret_hash=name.encode(), description=name))
    job = await save(session, Job(task="refresh", tenant_id=tenant.id, error=name))
    rows: Mapping[str, Any] = {
        "tenant": tenant,
        "inventory": inventory,
        "constructed": constructed,
        "region": region,
        "host": host,
        "group": group,
        "child": child,
        "label": label,
        "credential": credential,
        "credential_type": credential_type,
        "source": source,
        "update": update,
        "activity": activity,
        "schedule": schedule,
        "hypervisor": delivered[Hypervisor],
        "flavor": delivered[Flavor],
        "image": delivered[Image],
        "network": delivered[Network],
        "resource": delivered[Resource],
        "disk": disk,
        "network_port": port,
        "project": project,
        "project_update": project_update,
        "user": user,
        "grant": grant,
        "token": token,
        "job": job,
    }
    return World(tenant, {kind: row.id for kind, row in rows.items()})


@pytest.fixture
async def ours(session: AsyncSession) -> World:
    """Tenant A."""
    return await make_world(session, "alpha")


@pytest.fixture
async def theirs(session: AsyncSession) -> World:
    """Tenant B."""
    return await make_world(session, CANARY)


@pytest.fixture
async def caller(ours: World, client_of: ClientOf) -> httpx.AsyncClient:
    """An admin of tenant A with every role there."""
    return await client_of(ours.tenant, "admin", "operator", "reader", "secrets")


async def ask(client: httpx.AsyncClient, operation: Operation, ids: Mapping[str, int], body: Any) -> httpx.Response:
    """Send the operation; `ids` by path parameter."""
    if "multipart/form-data" in operation.content_types and body is None:
        return await client.request(operation.method, operation.url(ids), files={"file": ("hosts.ini", b"localhost")})
    return await client.request(operation.method, operation.url(ids), json=body)


def own_ids(operation: Operation, world: World) -> dict[str, int]:
    """The path parameters, all of one world."""
    return {name: world.ids[operation.kind_of(name)] for name in operation.path_names}


@pytest.mark.parametrize("operation", [each for each in ALL if each.path_names], ids=str)
async def test_s22_a_foreign_id_in_a_path_is_absent(
    operation: Operation, caller: httpx.AsyncClient, ours: World, theirs: World
) -> None:
    for foreign in operation.path_names:
        mixed = {**own_ids(operation, ours), foreign: theirs.ids[operation.kind_of(foreign)]}
        answer = await ask(caller, operation, mixed, operation.example(ours.ids))
        assert answer.status_code == 404, answer.text
        assert CANARY not in answer.text


def references() -> list[Any]:
    """Every (operation, field of its body) that names a row."""
    return [
        pytest.param(operation, name, id=f"{operation} {name}")
        for operation in ALL
        for name in operation.references()
        if (operation.operation_id, name) not in GLOBAL_REFERENCES
        and not (operation.body_name.endswith("Link") and name == IGNORED)
    ]


@pytest.mark.parametrize(("operation", "name"), references())
async def test_s22_a_foreign_id_in_a_body_is_absent(
    operation: Operation, name: str, caller: httpx.AsyncClient, ours: World, theirs: World
) -> None:
    kind = operation.references()[name]
    ids, body = own_ids(operation, ours), operation.example(ours.ids)
    foreign = await ask(caller, operation, ids, {**body, name: theirs.ids[kind]})
    absent = await ask(caller, operation, ids, {**body, name: ABSENT})
    assert foreign.status_code == absent.status_code
    # AWX's own words for a reference to nothing are a 400 (a 403 for a moved inventory); /v1 knows 404 alone.
    assert foreign.status_code in ({404} if operation.dialect == "v1" else {400, 403, 404}), foreign.text
    assert told(foreign, theirs.ids[kind]) == told(absent, ABSENT)


LINKS = [each for each in ALL if each.body_name.endswith("Link") and IGNORED in (each.body or {})["properties"]]


@pytest.mark.parametrize("operation", LINKS, ids=str)
async def test_s22_what_is_made_below_ones_own_object_stays_in_its_inventory(
    operation: Operation, caller: httpx.AsyncClient, ours: World, theirs: World
) -> None:
    body = {"name": "made-below", IGNORED: theirs.ids["inventory"]}
    made = await ask(caller, operation, own_ids(operation, ours), body)
    assert (made.status_code, made.json()["inventory"]) == (201, ours.ids["inventory"])


def told(answer: httpx.Response, row_id: int) -> str:
    """What an answer says, but for the id that was asked about and the request's own id."""
    body = {key: value for key, value in answer.json().items() if key != "request_id"}
    return json.dumps(body, sort_keys=True).replace(f'"{row_id}"', "ID").replace(f'\\"{row_id}\\"', "ID")


@pytest.mark.parametrize("operation", [each for each in ALL if each.method == "GET"], ids=str)
async def test_s22_what_one_reads_of_ones_own_shows_nothing_foreign(
    operation: Operation, caller: httpx.AsyncClient, ours: World, theirs: World
) -> None:
    query = {"inventory_id": ours.ids["inventory"]} if operation.operation_id == "get_ansible_inventory" else {}
    answer = await caller.get(operation.url(own_ids(operation, ours)), params=query)
    own = {"user", "token"} & {operation.kind_of(name) for name in operation.path_names}
    expected = 403 if operation.operation_id in OPERATORS else 404 if own else 200
    assert answer.status_code == expected, answer.text
    assert CANARY not in answer.text


LISTS = [each for each in ALL if each.method == "GET" and {"limit", "page"} & set(each.query_names)]


@pytest.mark.parametrize("operation", LISTS, ids=str)
async def test_s22_no_filter_reaches_foreign_rows(
    operation: Operation, caller: httpx.AsyncClient, ours: World, theirs: World
) -> None:
    path = operation.url(own_ids(operation, ours))
    queries = (
        [{"search": CANARY}]
        if operation.dialect == "v2"
        else [{"name": CANARY}] * ("name" in operation.query_names)
        + [{"host_filter": f"name={CANARY}"}, {"group": f"{CANARY}-group"}] * ("host_filter" in operation.query_names)
        + [{"vars": f"owner:{CANARY}"}] * ("vars" in operation.query_names)
    )
    for query in queries:
        answer = await caller.get(path, params=query)
        assert answer.status_code == 200, answer.text
        rows = answer.json().get("results") or next(iter(answer.json().values()))
        assert rows in ([], 0)


OWNED = [(each, name) for each in ALL if each.dialect == "v1" for name in each.query_names if name.endswith("_id")]


@pytest.mark.parametrize(("operation", "name"), OWNED, ids=lambda value: str(value))
async def test_s22_a_foreign_id_in_a_query_is_absent(
    operation: Operation, name: str, caller: httpx.AsyncClient, ours: World, theirs: World
) -> None:
    kind = name.removesuffix("_id")
    answer = await caller.get(operation.url(own_ids(operation, ours)), params={name: theirs.ids[kind]})
    assert answer.status_code == 404, answer.text


@pytest.mark.parametrize("operation", ALL, ids=str)
async def test_nobody_gets_nothing(operation: Operation, anonymous: httpx.AsyncClient) -> None:
    if operation.operation_id in PUBLIC:
        answer = await anonymous.get(operation.url({}))
        assert answer.status_code == 200
        return
    ids = dict.fromkeys(operation.path_names, 1)
    answer = await ask(anonymous, operation, ids, operation.example(dict.fromkeys(BODY_FILLERS, 1)))
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"].startswith("Bearer realm=api")


# Posts that only ask.
READING = {"explain_host_filter", "preview_schedule"}


def of_the_caller(operation: Operation) -> bool:
    """Tokens are the caller's own, whatever his roles, and of users he sees himself alone."""
    return operation.path.startswith(("/tokens", "/users/"))


BODY_FILLERS = (
    "tenant", "region", "inventory", "host", "group", "user", "label", "credential", "credential_type", "source",
)  # fmt: skip


CHANGING = [each for each in ALL if each.method != "GET" and each.operation_id not in READING]


@pytest.mark.parametrize("operation", [each for each in CHANGING if not of_the_caller(each)], ids=str)
async def test_a_reader_changes_nothing(operation: Operation, ours: World, client_of: ClientOf) -> None:
    reader = await client_of(ours.tenant, "reader")
    answer = await ask(reader, operation, own_ids(operation, ours), operation.example(ours.ids))
    assert answer.status_code == 403, answer.text


async def test_s23_an_admin_of_one_tenant_lists_no_other(caller: httpx.AsyncClient, ours: World, theirs: World) -> None:
    v1 = (await caller.get("/v1/tenants")).json()["tenants"]
    v2 = (await caller.get("/v2/organizations/")).json()["results"]
    assert [row["id"] for row in v1] == [row["id"] for row in v2] == [ours.ids["tenant"]]


async def test_s22_a_marker_of_one_tenant_opens_nothing_for_another(
    session: AsyncSession, ours: World, theirs: World, client_of: ClientOf
) -> None:
    names = [await client_of(world.tenant, "reader") for world in (ours, theirs)]
    inventory_of = {"inventory_id": ours.ids["inventory"], "tenant_id": ours.ids["tenant"]}
    for number in range(3):
        await save(session, Host(name=f"more-{number}", **inventory_of))
    page = (await names[0].get("/v1/hosts", params={"limit": 1})).json()
    following = next(link["href"] for link in page["links"] if link["rel"] == "next")
    assert (await names[0].get(following)).status_code == 200
    assert (await names[1].get(following)).status_code == 400


async def test_s22_if_match_with_a_foreign_object_is_absent_first(caller: httpx.AsyncClient, theirs: World) -> None:
    answer = await caller.delete(f"/v1/hosts/{theirs.ids['host']}", headers={"If-Match": '"77"'})
    assert answer.status_code == 404


async def test_a_token_limited_to_a_tenant_sees_that_tenant_alone(
    session: AsyncSession, ours: World, theirs: World, anonymous: httpx.AsyncClient
) -> None:
    user = await make_user(session, "both")
    for world in (ours, theirs):
        await save(session, Grant(user_id=user.id, tenant_id=world.tenant.id, role="admin"))
    token = await make_token(session, user, tenant_id=ours.tenant.id)
    answer = await anonymous.get("/v1/tenants", headers={"Authorization": f"Bearer {token}"})
    assert [row["id"] for row in answer.json()["tenants"]] == [ours.tenant.id]
