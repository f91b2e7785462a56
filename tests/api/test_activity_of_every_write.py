"""Every request of both dialects that writes leaves one entry in the activity stream, or stands here with the reason.

It walks the OpenAPI documents, so a new route is covered by being there.
"""

from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import ActivityStream, Inventory, InventorySource
from tests.api.conftest import ClientOf
from tests.api.routes import Operation, operations
from tests.api.test_tenant_isolation import World, make_world, own_ids
from tests.factories import make_credential_type, make_host, make_inventory, make_tenant

RUN = "The run leaves its own entry when it has saved; asking for it, or for its end, changes no inventory."
SILENT = {
    "explain_host_filter": "It writes nothing.",
    "preview_schedule": "It writes nothing.",
    "start_inventory_source_update": RUN,
    "start_inventory_update_sources": RUN,
    "start_host_refresh": RUN,
    "apply_inventory_update": RUN,
    "cancel_inventory_update": RUN,
    "take_inventory_source_events": RUN,
    "cancel_job": RUN,
    "delete_inventory_update": "Of a run that is over its entry stays, and tells what it did.",
    "start_project_update": "A run of a project changes files, not inventories; its row tells who asked for it.",
    "cancel_project_update": "As the start of one.",
    "delete_project_update": "As the start of one.",
    "rewrap_keys": "Keys change, and no secret does; the job's row tells of it.",
    "delete_source_hosts": "Tested with what is deleted, below.",
    "delete_source_groups": "Tested with what is deleted, below.",
}
# With the inventory that a region owns, the source of a constructed inventory, or what is made before it is linked.
MORE = dict.fromkeys(
    [
        "create_region",
        "delete_region",
        "create_constructed_inventory",
        "associate_host_groups",
        "associate_group_hosts",
        "associate_group_children",
    ],
    2,
)
FACTS = {"os": {"name": "example"}}
RULE = "DTSTART:20260101T000000Z RRULE:FREQ=DAILY;INTERVAL=1"
PROJECT = {"scm_type": "git", "scm_url": "https://git.example.com/made.git"}
FILE = {"files": {"file": ("hosts.ini", b"localhost")}}
NDJSON = {"headers": {"Content-Type": "application/x-ndjson"}}


def requests_of(world: World) -> dict[str, dict[str, Any]]:
    """What is sent where the smallest body that the schema takes would change nothing. By operation."""
    ids = world.ids
    line = {**NDJSON, "content": b'{"name": "alpha", "ansible_facts": {"os": "example"}}\n'}
    return {
        "create_region": {"json": {"name": "region"}},
        "create_token": {"json": {"description": "made"}},
        "create_user": {"json": {"username": "made"}},
        "update_user": {"json": {"email": "made@example.com"}},
        "create_grant": {"json": {"user_id": ids["user"], "role": "operator"}},
        "create_credential_type": {"json": {"name": "made", "kind": "cloud"}},
        "replace_credential_type": {"json": {"name": "made", "kind": "cloud"}},
        "create_project": {"json": {"name": "made", "organization": world.tenant.id, **PROJECT}},
        "create_schedule": {"json": {"name": "made", "rrule": RULE, "unified_job_template": ids["source"]}},
        "replace_schedule": {"json": {"name": "made", "rrule": RULE}},
        "create_inventory_source_schedule": {"json": {"name": "made", "rrule": RULE}},
        "associate_input_inventories": {"json": {"id": ids["other"]}},
        "associate_inventory_source_credentials": {"json": {"id": ids["credential"], "disassociate": True}},
        "upload_inventory": FILE,
        "replace_host_facts": {"json": FACTS},
        "update_host_facts": {"json": FACTS},
        "update_inventory_facts": line,
        "replace_inventory_facts": line,
        "clear_inventory_facts": {"params": {"host": "alpha"}},
        **{f"set_{kind}_variables": {"json": {"made": 1}} for kind in ("tenant", "region", "host", "group")},
        **{f"delete_{kind}_variables": {"json": ["owner"]} for kind in ("tenant", "region", "host", "group")},
        "create_organization_project": {"json": {"name": "made", **PROJECT}},
        **{
            f"{verb}_{kind}_variable_data": {"json": {"made": 1}}
            for verb in ("replace", "update")
            for kind in ("inventory", "host", "group")
        },
    }


@pytest.fixture
async def world(session: AsyncSession) -> World:
    """One of everything, with a project that can be fetched and a source that can be updated."""
    made = await make_world(session, "alpha")
    values = {"source": "file", "source_vars": ""}
    await session.execute(update(InventorySource).where(InventorySource.id == made.ids["source"]).values(values))
    made.ids["other"] = (await make_inventory(session, "other", tenant=made.tenant)).id
    return made


async def entries(session: AsyncSession) -> int:
    """How many entries there are."""
    return await session.scalar(select(func.count()).select_from(ActivityStream)) or 0


WRITING = [each for each in operations() if each.method != "GET" and each.operation_id not in SILENT]


@pytest.mark.parametrize("operation", WRITING, ids=str)
async def test_a_request_that_writes_leaves_one_entry(
    operation: Operation, client: httpx.AsyncClient, session: AsyncSession, world: World
) -> None:
    name = operation.operation_id
    ids = {**own_ids(operation, world), **await prepared(operation, client, session, world)}
    asked = requests_of(world).get(name) or {"json": body_of(operation, world)}
    before = await entries(session)
    answer = await client.request(operation.method, operation.url(ids), **asked)
    assert answer.is_success, answer.text
    last = await session.scalar(select(ActivityStream).order_by(ActivityStream.id.desc()).limit(1))
    assert await entries(session) - before == MORE.get(name, 1), last and (last.operation, last.object1, last.changes)
    assert last is not None
    assert (last.actor_name, last.object1_id > 0, bool(last.action_node)) == ("root", True, True)
    assert bool(last.changes) == (last.operation in ("create", "update"))


def body_of(operation: Operation, world: World) -> Any:
    """The smallest body that the schema takes, with a description or a name that is another."""
    body = operation.example(world.ids)
    fields = (operation.body or {}).get("properties", {})
    if operation.method == "PATCH" and isinstance(body, dict):
        body |= {next(each for each in ("description", "note", "name") if each in fields): "changed"}
    return body


async def prepared(
    operation: Operation, client: httpx.AsyncClient, session: AsyncSession, world: World
) -> dict[str, int]:
    """Path parameters of what is in the way of nothing, made here where the world has none."""
    name = operation.operation_id
    if name == "delete_tenant":
        return {"tenant_id": (await make_tenant(session)).id}
    if name == "delete_organization":
        return {"id": (await make_tenant(session)).id}
    if name == "delete_token":
        made = await client.post("/v1/tokens", json={})
        return {"id": made.json()["id"], "token_id": made.json()["id"]}
    if name == "add_group_host":
        host = await make_host(session, "spare", inventory=await session.get_one(Inventory, world.ids["inventory"]))
        return {"host_id": host.id}
    if name == "associate_input_inventories":
        return {"id": world.ids["constructed"]}
    if name == "delete_inventory":
        return {"id": (await make_inventory(session, tenant=world.tenant)).id}
    if name == "delete_credential_type":
        return {"id": (await make_credential_type(session, "spare", tenant=world.tenant)).id}
    if name in ("delete_host_variables", "delete_group_variables"):
        kind = name.split("_")[1]
        await client.put(f"/v1/{kind}s/{world.ids[kind]}/variables", json={"owner": "alpha"})
    if name == "add_group_child":
        await client.delete(f"/v1/groups/{world.ids['group']}/children/{world.ids['child']}")
    if name == "delete_region":
        tenant = world.tenant.id
        made = await client.post(f"/v1/regions/{tenant}", json={"name": "empty"})
        return {"region_id": made.json()["id"]}
    return {}


def test_what_leaves_no_entry_is_a_request_that_there_is_and_has_a_reason() -> None:
    assert SILENT.keys() <= {each.operation_id for each in operations()}
    assert all(SILENT.values())


async def test_a_secret_is_told_by_its_name_alone(
    client: httpx.AsyncClient, session: AsyncSession, world: World
) -> None:
    await client.patch(f"/v2/credentials/{world.ids['credential']}/", json={"inputs": {"word": "hunter2"}})
    await client.patch(f"/v1/users/{world.ids['user']}", json={"password": "hunter2-hunter2"})
    token = (await client.post("/v1/tokens", json={"description": "deploy"})).json()["token"]
    told = (await session.scalars(select(ActivityStream).order_by(ActivityStream.id.desc()).limit(3))).all()
    assert [(each.object1, sorted(each.changes)) for each in told[1:]] == [
        ("user", ["password"]),
        ("credential", ["inputs"]),
    ]
    assert told[0].changes["description"] == "deploy"
    shown = str([each.changes for each in told])
    assert "hunter2" not in shown
    assert token not in shown


async def test_a_new_credential_with_secrets_is_one_entry(
    client: httpx.AsyncClient, session: AsyncSession, world: World
) -> None:
    before = await entries(session)
    kind = {"credential_type": world.ids["credential_type"], "organization": world.tenant.id}
    made = await client.post("/v2/credentials/", json={"name": "made", "inputs": {"word": "hunter2"}, **kind})
    assert made.status_code == 201, made.text
    assert await entries(session) == before + 1


async def test_facts_are_told_once_a_load_with_their_number(
    client: httpx.AsyncClient, session: AsyncSession, world: World
) -> None:
    inventory = await session.get_one(Inventory, world.ids["inventory"])
    for number in range(3):
        await make_host(session, f"h{number}", inventory=inventory)
    lines = "".join(f'{{"name": "h{number}", "ansible_facts": {{"os": "x"}}}}\n' for number in range(3))
    path = f"/v2/inventories/{inventory.id}/ansible_facts/"
    before = await entries(session)
    for _ in range(2):  # the second one changes nothing
        assert (await client.patch(path, content=lines.encode(), **NDJSON)).status_code == 200
    assert await entries(session) == before + 1
    told = await session.scalar(select(ActivityStream).order_by(ActivityStream.id.desc()).limit(1))
    assert told is not None
    figures = {"updated": 3, "unchanged": 0, "missing": 0, "merged": True}
    assert (told.object1, told.changes) == ("inventory", {"ansible_facts": figures})


async def test_what_belongs_to_no_tenant_is_told_to_system_administrators_alone(
    client: httpx.AsyncClient, world: World, client_of: ClientOf
) -> None:
    assert (await client.post("/v1/users", json={"username": "made"})).status_code == 201
    query = {"object1": "user", "object1_name": "made"}
    assert (await client.get("/v2/activity_stream/", params=query)).json()["count"] == 1
    admin = await client_of(world.tenant, "admin")
    assert (await admin.get("/v2/activity_stream/", params=query)).json()["count"] == 0
