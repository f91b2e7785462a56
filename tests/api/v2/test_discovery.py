"""What AWX's clients find out first: the root map, OPTIONS, named URLs, me, ping, config."""

from urllib.parse import quote

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory
from tests.api.conftest import ClientOf
from tests.api.routes import operations
from tests.factories import make_group, make_host, make_inventory, make_source, make_tenant

WANTED_BY_AWXKIT = {
    *("users", "organizations", "teams", "credential_types", "credentials", "notification_templates", "projects"),
    *("inventory", "inventory_sources", "job_templates", "workflow_job_templates", "execution_environments"),
    *("applications", "schedules", "system_job_templates"),
}


async def test_the_root_is_a_flat_map_for_anybody(anonymous: httpx.AsyncClient) -> None:
    for mount in ("/v2", "/api/v2"):
        root = (await anonymous.get(f"{mount}/")).json()
        assert set(root) >= WANTED_BY_AWXKIT
        assert "inventories" not in root
        assert root["inventory"] == f"{mount}/inventories/"
        assert all(path.startswith(f"{mount}/") for path in root.values())


async def test_every_path_of_the_root_answers(client: httpx.AsyncClient) -> None:
    for path in (await client.get("/api/v2/")).json().values():
        assert (await client.get(path)).status_code == 200, path
        options = await client.options(path)
        assert set(options.json()["actions"]) <= {"GET", "POST"}, path


async def test_options_describe_a_list_for_awxkit(anonymous: httpx.AsyncClient) -> None:
    answer = await anonymous.options("/api/v2/hosts/")
    assert answer.headers["Allow"] == "GET, POST, HEAD, OPTIONS"
    actions = answer.json()["actions"]
    assert actions["POST"]["name"] | {"type": "string", "required": True} == actions["POST"]["name"]
    assert (actions["POST"]["inventory"]["type"], actions["POST"]["inventory"]["required"]) == ("id", True)
    assert (actions["POST"]["enabled"]["type"], actions["POST"]["variables"]["type"]) == ("boolean", "json")
    assert "name" in answer.json()["search_fields"]
    assert answer.json()["types"] == ["host"]


async def test_awxkit_is_told_which_lists_take_a_host_filter(anonymous: httpx.AsyncClient) -> None:
    # It makes options of the fields that can be read, and drops without a word what it does not know.
    for path, told in (("hosts", True), ("inventories/1/hosts", True), ("groups/1/hosts", True), ("groups", False)):
        actions = (await anonymous.options(f"/api/v2/{path}/")).json()["actions"]
        assert ("host_filter" in actions["GET"]) == told, path
        assert "host_filter" not in actions["POST"]
    field = (await anonymous.options("/api/v2/hosts/")).json()["actions"]["GET"]["host_filter"]
    assert (field["type"], field["filterable"]) == ("string", True)
    assert "groups__name=east" in field["help_text"]


LISTS = ("inventories", "hosts", "groups", "labels", "organizations", "inventory_sources", "inventory_updates", "users")
VALUES = {"boolean": "true", "datetime": "2026-01-01", "string": "name=a", "json": "x", "choice": ""}


@pytest.mark.parametrize("plural", [*LISTS, "tokens", "inventories/{}/hosts"])
async def test_a_field_told_as_filterable_filters(
    plural: str, client: httpx.AsyncClient, session: AsyncSession
) -> None:
    inventory = await make_inventory(session)
    path = f"/api/v2/{plural}/".format(inventory.id)
    fields = (await client.options(path)).json()["actions"]["GET"]
    told = {name: VALUES.get(field["type"], "1") for name, field in fields.items() if field["filterable"]}
    assert {"id", "created"} <= set(told)
    for name, value in told.items():
        answer = await client.get(path, params={name: value})
        assert answer.status_code == 200, (name, answer.text)


async def test_a_field_that_is_reckoned_is_not_told_as_filterable(anonymous: httpx.AsyncClient) -> None:
    fields = (await anonymous.options("/api/v2/hosts/")).json()["actions"]["GET"]
    assert not fields["has_active_failures"]["filterable"]
    assert fields["ansible_facts_modified"]["filterable"]


async def test_options_of_a_detail_allow_put_and_delete(anonymous: httpx.AsyncClient) -> None:
    for plural in ("organizations", "inventories", "hosts", "groups", "inventory_sources"):
        allowed = (await anonymous.options(f"/api/v2/{plural}/1/")).headers["Allow"].split(", ")
        assert {"GET", "PUT", "PATCH", "DELETE"} <= set(allowed), plural


async def test_every_field_that_can_be_written_is_read_back(anonymous: httpx.AsyncClient) -> None:
    for plural in ("organizations", "inventories", "hosts", "groups", "inventory_sources"):
        actions = (await anonymous.options(f"/api/v2/{plural}/")).json()["actions"]
        assert set(actions["POST"]) <= set(actions["GET"]), plural
        assert all("type" in field for field in [*actions["GET"].values(), *actions["POST"].values()])
        assert not {"verbose", "filter", "all", "order_by"} & set(actions["GET"])


async def test_every_path_describes_itself(anonymous: httpx.AsyncClient) -> None:
    for path in sorted({each.path for each in operations() if each.dialect == "v2"}):
        answer = await anonymous.options(f"/v2{path.replace('{id}', '1')}")
        assert (answer.status_code, "actions" in answer.json()) == (200, True), path


async def test_only_attaching_lists_take_an_id(anonymous: httpx.AsyncClient) -> None:
    attaching = ("hosts/1/groups", "groups/1/hosts", "groups/1/children")
    for path in (*attaching, "inventories/1/hosts", "inventories/1/groups"):
        posted = (await anonymous.options(f"/api/v2/{path}/")).json()["actions"]["POST"]
        assert ("id" in posted) == (path in attaching), path
        assert "inventory" not in posted


async def test_options_of_update_have_a_post_action(anonymous: httpx.AsyncClient) -> None:
    assert "POST" in (await anonymous.options("/api/v2/inventory_sources/1/update/")).json()["actions"]


async def test_sources_offer_their_kinds_as_choices(anonymous: httpx.AsyncClient) -> None:
    source = (await anonymous.options("/api/v2/inventory_sources/")).json()["actions"]["POST"]["source"]
    assert source["type"] == "choice"
    assert ["file", "file"] in source["choices"]


async def test_me_is_a_list_of_one(client: httpx.AsyncClient) -> None:
    found = (await client.get("/api/v2/me/")).json()
    assert (found["count"], found["results"][0]["username"]) == (1, "root")


async def test_config_names_the_versions(client: httpx.AsyncClient) -> None:
    found = (await client.get("/api/v2/config/")).json()
    assert {"version", "ansible_version", "license_info"} <= set(found)


async def test_named_urls_stand_for_ids(client: httpx.AsyncClient, session: AsyncSession) -> None:
    tenant = await make_tenant(session, "Ac/me + co")
    inventory = await make_inventory(session, "prod [1]", tenant=tenant)
    host = await make_host(session, "w?eb", inventory=inventory)
    group = await make_group(session, "g", inventory=inventory)
    source = await make_source(session, "s", inventory=inventory)
    for plural, row in (
        ("organizations", tenant),
        ("inventories", inventory),
        ("hosts", host),
        ("groups", group),
        ("inventory_sources", source),
    ):
        shown = (await client.get(f"/api/v2/{plural}/{row.id}/")).json()
        named = shown["related"]["named_url"]
        assert (await client.get(named)).json()["id"] == row.id, named
    hosts = await client.get(f"/v2/inventories/{quote('prod [1]')}++{quote('Ac/me [+] co', safe='')}/hosts/")
    assert [found["id"] for found in hosts.json()["results"]] == [host.id]


@pytest.mark.parametrize("name", ["nobody++nowhere", "nobody", "a++b++c", "%00++x"])
async def test_an_unknown_named_url_is_absent(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/api/v2/inventories/{name}/")).status_code in (400, 404)


async def test_a_named_url_of_a_foreign_tenant_is_absent(
    client_of: ClientOf, inventory: Inventory, session: AsyncSession
) -> None:
    tenant = await make_tenant(session, "Theirs")
    foreign = await make_inventory(session, "prod", tenant=tenant)
    stranger = await client_of(await make_tenant(session))
    assert (await stranger.get("/api/v2/inventories/prod++Theirs/")).status_code == 404
    assert (await stranger.get(f"/api/v2/inventories/{foreign.id}/")).status_code == 404


async def test_a_named_url_needs_credentials(anonymous: httpx.AsyncClient) -> None:
    assert (await anonymous.get("/api/v2/inventories/x++y/")).status_code == 401
