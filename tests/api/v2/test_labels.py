"""labels/, and the labels of inventories and hosts: attached by id or name, detached, gone with their last link."""

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Grant, Host, Inventory, Label, Tenant
from tests.api.conftest import make_token
from tests.api.v2.conftest import Statements
from tests.factories import make_host, make_inventory, make_label, make_tenant, make_user, save, wear

BEARERS = ["inventories", "hosts"]


@pytest.fixture
async def tenant(session: AsyncSession, inventory: Inventory) -> Tenant:
    """The organization of `inventory`."""
    return (await session.scalars(select(Tenant).where(Tenant.id == inventory.tenant_id))).one()


@pytest.fixture(params=BEARERS)
async def bearer(request: pytest.FixtureRequest, session: AsyncSession, inventory: Inventory) -> Inventory | Host:
    """An inventory, then a host of it."""
    return inventory if request.param == "inventories" else await make_host(session, inventory=inventory)


def path_of(bearer: Inventory | Host) -> str:
    """Where its labels are."""
    return f"/api/v2/{'hosts' if isinstance(bearer, Host) else 'inventories'}/{bearer.id}/labels/"


async def label_names(session: AsyncSession, tenant: Tenant) -> list[str]:
    """The labels of an organization."""
    return list(await session.scalars(select(Label.name).where(Label.tenant_id == tenant.id).order_by(Label.name)))


async def test_a_label_is_made_shown_renamed_and_kept(client: httpx.AsyncClient, tenant: Tenant) -> None:
    made = await client.post("/api/v2/labels/", json={"name": " prod ", "organization": tenant.id, "description": "x"})
    label = made.json()
    assert (made.status_code, made.headers["Location"]) == (201, label["url"])
    assert (label["type"], label["name"], label["organization"]) == ("label", "prod", tenant.id)
    assert label["related"]["organization"] == f"/api/v2/organizations/{tenant.id}/"
    assert label["related"]["named_url"] == f"/api/v2/labels/prod++{tenant.name}/"
    assert label["summary_fields"]["organization"] == {"id": tenant.id, "name": tenant.name, "description": ""}
    assert label["summary_fields"]["created_by"]["username"] == "root"
    renamed = await client.patch(label["url"], json={"name": "live"})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "live")
    replaced = await client.put(label["url"], json={"name": "prod"})
    assert (replaced.json()["name"], replaced.json()["organization"]) == ("prod", tenant.id)
    refused = await client.delete(label["url"])
    assert (refused.status_code, "DELETE" in refused.headers["Allow"]) == (405, False)
    assert (await client.get(label["related"]["named_url"])).json()["id"] == label["id"]


async def test_a_name_is_taken_once_in_an_organization(client: httpx.AsyncClient, session: AsyncSession) -> None:
    one, other = await make_tenant(session), await make_tenant(session)
    label = await make_label(session, "prod", tenant=one)
    await make_label(session, "test", tenant=one)
    taken = {"__all__": ["Label with this Name and Organization already exists."]}
    again = await client.post("/v2/labels/", json={"name": "prod", "organization": one.id})
    assert (again.status_code, again.json()) == (400, taken)
    renamed = await client.patch(f"/v2/labels/{label.id}/", json={"name": "test"})
    assert (renamed.status_code, renamed.json()) == (400, taken)
    elsewhere = await client.post("/v2/labels/", json={"name": "prod", "organization": other.id})
    assert elsewhere.status_code == 201


@pytest.mark.parametrize("body", [{}, {"name": "x"}, {"name": ""}, {"name": "a\nb"}, {"name": "x" * 513}, {"name": 1}])
async def test_what_is_no_label_is_refused(client: httpx.AsyncClient, tenant: Tenant, body: dict[str, Any]) -> None:
    if body.get("name") != "x":
        body = {**body, "organization": tenant.id}
    answer = await client.post("/v2/labels/", json=body)
    assert (answer.status_code, list(answer.json())) == (400, ["name" if "organization" in body else "organization"])


async def test_a_label_stays_in_its_organization(client: httpx.AsyncClient, session: AsyncSession) -> None:
    label, other = await make_label(session), await make_tenant(session)
    for body in ({"organization": other.id}, {"organization": 2**40}):
        answer = await client.patch(f"/v2/labels/{label.id}/", json=body)
        assert (answer.status_code, answer.json()) == (403, {"detail": "Unable to change organization on a label."})


async def test_a_stale_change_of_a_label_is_refused(client: httpx.AsyncClient, session: AsyncSession) -> None:
    label = await make_label(session)
    etag = (await client.get(f"/v2/labels/{label.id}/")).headers["ETag"]
    path, headers = f"/v2/labels/{label.id}/", {"If-Match": etag}
    assert (await client.patch(path, json={"name": "new"}, headers=headers)).status_code == 200
    assert (await client.patch(path, json={"name": "newer"}, headers=headers)).status_code == 412


async def test_a_label_is_made_and_attached_by_name(
    client: httpx.AsyncClient, bearer: Inventory | Host, tenant: Tenant
) -> None:
    made = await client.post(path_of(bearer), json={"name": "prod", "organization": tenant.id})
    assert (made.status_code, made.headers["Location"]) == (201, made.json()["url"])
    listed = (await client.get(path_of(bearer))).json()
    assert [row["id"] for row in listed["results"]] == [made.json()["id"]]


@pytest.mark.parametrize("named", [True, False])
async def test_a_known_name_attaches_that_label(
    client: httpx.AsyncClient, session: AsyncSession, bearer: Inventory | Host, tenant: Tenant, named: bool
) -> None:
    label = await make_label(session, "prod", tenant=tenant)
    body = {"name": "prod"} | ({"organization": tenant.id} if named else {})
    for _ in range(2):
        answer = await client.post(path_of(bearer), json=body)
        assert (answer.status_code, answer.content) == (204, b"")
    assert [row["id"] for row in (await client.get(path_of(bearer))).json()["results"]] == [label.id]


async def test_a_label_is_attached_by_id_and_goes_with_its_last_link(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, tenant: Tenant
) -> None:
    label = await make_label(session, "prod", tenant=tenant)
    host = await make_host(session, inventory=inventory)
    for bearer in (inventory, host):
        for _ in range(2):
            assert (await client.post(path_of(bearer), json={"id": label.id, "associate": True})).status_code == 204
    off = {"id": label.id, "disassociate": True}
    assert (await client.post(path_of(inventory), json=off)).status_code == 204
    assert (await client.get(path_of(inventory))).json()["count"] == 0
    assert await label_names(session, tenant) == ["prod"]
    assert (await client.post(path_of(host), json=off)).status_code == 204
    assert await label_names(session, tenant) == []
    gone = await client.post(path_of(host), json=off)
    assert (gone.status_code, gone.json()) == (400, {"detail": "Label matching query does not exist."})


async def test_a_detach_of_what_is_not_attached_deletes_only_what_nothing_bears(
    client: httpx.AsyncClient, session: AsyncSession, bearer: Inventory | Host, tenant: Tenant
) -> None:
    elsewhere = await make_inventory(session, tenant=tenant)
    borne = await make_label(session, "borne", tenant=tenant, on=[elsewhere])
    free = await make_label(session, "free", tenant=tenant)
    for label in (borne, free):
        answer = await client.post(path_of(bearer), json={"id": label.id, "disassociate": True})
        assert answer.status_code == 204
    assert await label_names(session, tenant) == ["borne"]


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"id": "x"}, {"msg": '"id" field must be an integer.'}),
        ({"disassociate": True}, {"msg": '"id" is required to disassociate'}),
        ({"id": 2**40}, {"detail": "Label matching query does not exist."}),
        ({}, {"name": ["This field is required."]}),
        ({"name": "a\tb"}, {"name": ["Names cannot hold control characters (found U+0009)."]}),
        (
            {"name": "a", "organization": 2**40},
            {"organization": ["The labels of this {kind} are those of its own organization."]},
        ),
    ],
)
async def test_what_is_no_association_is_refused(
    client: httpx.AsyncClient, session: AsyncSession, bearer: Inventory | Host, tenant: Tenant, body: Any, answer: Any
) -> None:
    refused = await client.post(path_of(bearer), json=body)
    kind = "host" if isinstance(bearer, Host) else "inventory"
    assert refused.status_code == 400
    assert refused.json() == json.loads(json.dumps(answer).replace("{kind}", kind))
    assert await label_names(session, tenant) == []


async def test_s24_a_label_of_another_organization_is_refused_even_to_who_sees_both(
    client: httpx.AsyncClient, session: AsyncSession, bearer: Inventory | Host
) -> None:
    other = await make_tenant(session)
    label = await make_label(session, "prod", tenant=other)
    by_id = await client.post(path_of(bearer), json={"id": label.id})
    assert (by_id.status_code, by_id.json()) == (400, {"detail": "Cannot associate a label of another organization."})
    by_name = await client.post(path_of(bearer), json={"name": "prod", "organization": other.id})
    assert (by_name.status_code, list(by_name.json())) == (400, ["organization"])
    assert (await client.get(path_of(bearer))).json()["count"] == 0


async def test_a_label_of_another_organization_is_not_deleted_by_a_detach(
    anonymous: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, tenant: Tenant
) -> None:
    # Who may write here and only read there must not delete there.
    other, user = await make_tenant(session), await make_user(session)
    for where, role in ((tenant, "operator"), (other, "reader")):
        await save(session, Grant(user_id=user.id, tenant_id=where.id, role=role))
    headers = {"Authorization": f"Bearer {await make_token(session, user)}"}
    label = await make_label(session, "free", tenant=other)
    assert (await anonymous.get(f"/v2/labels/{label.id}/", headers=headers)).status_code == 200
    off = {"id": label.id, "disassociate": True}
    assert (await anonymous.post(path_of(inventory), json=off, headers=headers)).status_code == 204
    assert await label_names(session, other) == ["free"]


async def test_at_most_a_hundred_labels(
    client: httpx.AsyncClient, session: AsyncSession, bearer: Inventory | Host, tenant: Tenant
) -> None:
    labels = [await make_label(session, f"l{number:03}", tenant=tenant, on=[bearer]) for number in range(100)]
    kind = "host" if isinstance(bearer, Host) else "inventory"
    full = {"msg": f"Maximum number of labels for {kind} reached."}
    spare = await make_label(session, "spare", tenant=tenant)
    for body in ({"name": "new"}, {"id": spare.id}):
        answer = await client.post(path_of(bearer), json=body)
        assert (answer.status_code, answer.json()) == (400, full)
    assert (await client.post(path_of(bearer), json={"id": labels[0].id})).status_code == 204
    assert "new" not in await label_names(session, tenant)
    assert (await client.post(path_of(bearer), json={"id": labels[0].id, "disassociate": 1})).status_code == 204
    assert (await client.post(path_of(bearer), json={"name": "new"})).status_code == 201


async def test_the_first_ten_labels_stand_in_the_summary(
    client: httpx.AsyncClient, session: AsyncSession, bearer: Inventory | Host, tenant: Tenant
) -> None:
    labels = [await make_label(session, f"l{number:02}", tenant=tenant, on=[bearer]) for number in range(12)]
    shown = (await client.get(path_of(bearer).removesuffix("labels/"))).json()
    first = [{"id": label.id, "name": label.name} for label in labels[:10]]
    assert shown["summary_fields"]["labels"] == {"count": 12, "results": first}
    assert shown["related"]["labels"] == path_of(bearer)


@pytest.mark.parametrize("name", ["labels", *BEARERS])
async def test_labels_cost_a_constant_number_of_statements(
    client: httpx.AsyncClient, session: AsyncSession, statements: Statements, tenant: Tenant, name: str
) -> None:
    async def fill(count: int) -> None:
        for _ in range(count):
            inventory = await make_inventory(session, tenant=tenant)
            host = await make_host(session, inventory=inventory)
            for _ in range(3):
                await make_label(session, tenant=tenant, on=[inventory, host])

    path = f"/v2/{name}/?page_size=200"
    await fill(1)
    await client.get(path)
    with statements.recorded() as few:
        await client.get(path)
    await fill(10)
    with statements.recorded() as many:
        assert (await client.get(path)).status_code == 200
    assert len(many) == len(few)
    assert sum("_labels" in statement for statement in many) == (0 if name == "labels" else 1)


async def test_options_say_how_labels_are_made_and_attached(client: httpx.AsyncClient, inventory: Inventory) -> None:
    described = await client.options("/api/v2/labels/")
    fields = described.json()["actions"]["POST"]
    assert {name: (field["type"], field["required"]) for name, field in fields.items()} == {
        "name": ("string", True),
        "organization": ("id", True),
    }
    assert described.json()["search_fields"] == ["name"]
    assert described.json()["types"] == ["label"]
    assert "PUT" in (await client.options("/api/v2/labels/1/")).headers["Allow"]
    below = await client.options(f"/api/v2/inventories/{inventory.id}/labels/")
    assert "POST" in below.headers["Allow"]
    # An export of an inventory takes its labels along whole: their names and organization, no id.
    assert set(below.json()["actions"]["POST"]) == {"name", "organization"}
    assert (await client.get("/api/v2/")).json()["labels"] == "/api/v2/labels/"


async def test_an_inventory_that_moves_takes_its_labels_along_by_name(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, tenant: Tenant
) -> None:
    other = await make_tenant(session)
    host, stays = await make_host(session, inventory=inventory), await make_inventory(session, tenant=tenant)
    await make_label(session, "mine", tenant=tenant, on=[inventory, host])
    await make_label(session, "shared", tenant=tenant, on=[host, stays])
    there = await make_label(session, "shared", tenant=other)
    moved = await client.patch(f"/v2/inventories/{inventory.id}/", json={"organization": other.id})
    assert moved.status_code == 200, moved.text
    assert [row["name"] for row in moved.json()["summary_fields"]["labels"]["results"]] == ["mine"]
    of_host = (await client.get(path_of(host))).json()["results"]
    assert [(row["name"], row["organization"]) for row in of_host] == [("mine", other.id), ("shared", other.id)]
    assert of_host[1]["id"] == there.id
    # The label that was there already is used, not changed.
    assert (await client.get(of_host[1]["url"])).headers["ETag"] == '"1"'
    assert await label_names(session, tenant) == ["shared"]


async def test_labels_are_renamed_where_they_are_borne(
    client: httpx.AsyncClient, session: AsyncSession, bearer: Inventory | Host, tenant: Tenant
) -> None:
    label = await make_label(session, "prod", tenant=tenant)
    await wear(session, bearer, label)
    await client.patch(f"/v2/labels/{label.id}/", json={"name": "live"})
    assert [row["name"] for row in (await client.get(path_of(bearer))).json()["results"]] == ["live"]


async def test_an_organization_goes_with_labels_that_nothing_bears(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    label = await make_label(session)
    assert (await client.delete(f"/v2/organizations/{label.tenant_id}/")).status_code == 204
    assert await session.scalar(select(Label.id).where(Label.id == label.id)) is None
