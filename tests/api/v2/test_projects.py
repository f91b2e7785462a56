"""projects/ and project_updates/: made, changed, updated, listed; sources that read from them."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory, InventorySource, Job, Project, ProjectTree, ProjectUpdate, Tenant
from craton_inv.services import project_updates
from craton_inv.settings import Settings
from tests.api.conftest import ClientOf
from tests.api.v2.conftest import Statements
from tests.factories import make_inventory, make_project, make_source, make_tenant, save

PROJECTS = "/api/v2/projects/"
SOURCES = "/api/v2/inventory_sources/"
URL = "https://git.example.org/shop.git"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Manual projects lie in the test's own folder."""
    return settings.model_copy(update={"projects_root": tmp_path})


@pytest.fixture
async def tenant(session: AsyncSession) -> Tenant:
    return await make_tenant(session, "acme")


@pytest.fixture
async def project(session: AsyncSession, tenant: Tenant) -> Project:
    return await make_project(session, "shop", tenant=tenant)


async def post(client: httpx.AsyncClient, tenant: Tenant, **values: Any) -> httpx.Response:
    body = {"name": "shop", "organization": tenant.id, "scm_type": "git", "scm_url": URL, **values}
    return await client.post(PROJECTS, json=body)


async def run_of(session: AsyncSession, project: Project, **values: Any) -> ProjectUpdate:
    row = ProjectUpdate(project_id=project.id, tenant_id=project.tenant_id, name=project.name, **values)
    run: ProjectUpdate = await save(session, row)
    return run


async def test_a_project_is_made_and_updated_at_once(
    client: httpx.AsyncClient, tenant: Tenant, session: AsyncSession
) -> None:
    answer = await post(client, tenant, scm_branch="main", allow_override=1)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["Location"] == made["url"]
    assert (made["type"], made["scm_type"], made["scm_branch"], made["allow_override"], made["status"]) == (
        "project", "git", "main", True, "pending",
    )  # fmt: skip
    assert made["related"]["named_url"] == f"{PROJECTS}shop++acme/"
    assert (await client.get(made["related"]["named_url"])).json()["id"] == made["id"]
    run = (await client.get(made["related"]["current_update"])).json()
    assert (run["project"], run["status"], run["scm_url"]) == (made["id"], "pending", URL)
    job = await session.scalar(select(Job).where(Job.task == "update_project"))
    assert job is not None
    assert job.args == {"project_update_id": run["id"]}


@pytest.mark.parametrize(
    ("values", "field", "told"),
    [
        ({"scm_url": "http://git.example.org/x"}, "scm_url", "Only https"),
        ({"scm_url": "file:///etc/passwd"}, "scm_url", "Only https"),
        ({"scm_url": "ssh://git:hunter2@git.example.org/x"}, "scm_url", "password"),
        ({"scm_url": "git@localhost:x.git"}, "scm_url", "not public"),
        ({"scm_url": "ssh://-oProxyCommand=id/x"}, "scm_url", "no host name"),
        ({"scm_url": "https://127.1/x"}, "scm_url", "not public"),
        ({"scm_url": "https://a:hunter2@git.example.org/x"}, "scm_url", "credentials"),
        ({"scm_url": ""}, "scm_url", "SCM URL is required"),
        ({"scm_type": "svn"}, "scm_type", "not a valid choice"),
        ({"scm_branch": "--upload-pack=id"}, "scm_branch", "neither a branch"),
        ({"scm_branch": "x" * 257}, "scm_branch", "no more than 256 characters"),
        ({"scm_refspec": "main"}, "scm_refspec", "begin with refs/"),
        ({"scm_refspec": "refs/pull/*:refs/pull"}, "scm_refspec", "both sides or on none"),
        ({"scm_refspec": "refs/*/*"}, "scm_refspec", "more than one *"),
        ({"scm_refspec": "refs/pull/1 head"}, "scm_refspec", "no name of a reference"),
        ({"scm_track_submodules": True}, "scm_track_submodules", "not fetched"),
        ({"scm_type": "", "scm_url": "", "local_path": "x", "scm_clean": True}, "scm_clean", "must be set to false"),
        ({"scm_type": "", "scm_url": "", "local_path": "x" * 256}, "local_path", "more than 255 bytes"),
        ({"scm_type": "", "scm_url": "", "local_path": "x/" + "ä" * 128}, "local_path", "more than 255 bytes"),
        ({"scm_type": "", "scm_url": "", "local_path": "ä/" * 500}, "local_path", "more than 1024 bytes"),
        ({"scm_update_cache_timeout": -1}, "scm_update_cache_timeout", "greater than or equal to 0"),
        ({"local_path": "x"}, "local_path", "manual project"),
        ({"scm_type": "", "scm_url": "", "local_path": "../x"}, "local_path", "CRATON_INV_PROJECTS_ROOT"),
        ({"scm_type": "", "scm_url": URL}, "scm_url", "git project"),
        ({"name": ""}, "name", ""),
        ({"organization": 2**40}, "organization", "does not exist"),
        ({"credential": 2**40}, "credential", "does not exist"),
    ],
    ids=lambda value: str(value),
)
async def test_a_project_that_could_never_be_updated_is_refused(
    client: httpx.AsyncClient, tenant: Tenant, values: dict[str, Any], field: str, told: str
) -> None:
    answer = await post(client, tenant, **values)
    assert answer.status_code == 400, answer.text
    assert told in str(answer.json()[field])
    assert "hunter2" not in answer.text


async def test_a_project_may_lie_behind_ssh_and_name_what_else_is_fetched(
    client: httpx.AsyncClient, tenant: Tenant
) -> None:
    refspec = "+refs/pull/*:refs/remotes/origin/pull/*"
    values = {"scm_clean": True, "scm_delete_on_update": True, "scm_track_submodules": False, "scm_refspec": refspec}
    answer = await post(client, tenant, scm_url="git@git.example.org:org/shop.git", **values)
    assert answer.status_code == 201, answer.text
    found = (await client.get(answer.json()["url"])).json()
    assert values.items() <= found.items()
    assert found["scm_url"] == "git@git.example.org:org/shop.git"


async def test_a_second_project_of_the_name_is_refused(client: httpx.AsyncClient, tenant: Tenant) -> None:
    await post(client, tenant)
    answer = await post(client, tenant)
    assert (answer.status_code, answer.json()) == (
        400, {"__all__": ["Project with this Name and Organization already exists."]},
    )  # fmt: skip


async def test_another_branch_is_fetched_at_once_another_name_is_not(
    client: httpx.AsyncClient, project: Project, session: AsyncSession
) -> None:
    url = f"{PROJECTS}{project.id}/"
    assert (await client.patch(url, json={"name": "store"})).json()["status"] == "never updated"
    changed = (await client.patch(url, json={"scm_branch": "test"})).json()
    assert (changed["status"], changed["scm_revision"]) == ("pending", "")


async def test_a_project_stays_with_its_organization(
    client: httpx.AsyncClient, project: Project, session: AsyncSession
) -> None:
    other = await make_tenant(session)
    answer = await client.patch(f"{PROJECTS}{project.id}/", json={"organization": other.id})
    assert answer.status_code == 403


async def test_updates_are_asked_for_listed_and_cancelled(client: httpx.AsyncClient, project: Project) -> None:
    url = f"{PROJECTS}{project.id}/"
    assert (await client.get(f"{url}update/")).json() == {"can_update": True}
    answer = await client.post(f"{url}update/")
    assert answer.status_code == 202
    run = answer.json()
    assert run["project_update"] == run["id"]
    assert (await client.post(f"{url}update/")).json()["id"] == run["id"]
    assert [each["id"] for each in (await client.get(f"{url}project_updates/")).json()["results"]] == [run["id"]]
    cancel = f"/api/v2/project_updates/{run['id']}/cancel/"
    assert (await client.get(cancel)).json() == {"can_cancel": True}
    assert (await client.post(cancel)).status_code == 202
    assert (await client.get(run["url"])).json()["status"] == "canceled"
    assert (await client.post(cancel)).status_code == 405


async def test_a_manual_project_is_not_updated(
    client: httpx.AsyncClient, tenant: Tenant, session: AsyncSession
) -> None:
    row = await make_project(session, tenant=tenant, scm_type="", scm_url="", local_path="x")
    url = f"{PROJECTS}{row.id}/update/"
    assert (await client.get(url)).json() == {"can_update": False}
    assert (await client.post(url)).status_code == 405


async def test_what_a_run_said_is_shown(client: httpx.AsyncClient, project: Project, session: AsyncSession) -> None:
    run = await run_of(session, project, status="failed", output="one\ntwo", scm_revision="abc")
    url = f"/api/v2/project_updates/{run.id}/"
    found = (await client.get(url)).json()
    assert (found["failed"], found["scm_revision"], "output" in found) == (True, "abc", False)
    assert (await client.get(f"{url}stdout/")).json()["content"] == "one\ntwo"
    assert (await client.get(f"{url}stdout/?format=txt")).text == "one\ntwo"
    assert (await client.delete(url)).status_code == 204


async def test_a_project_at_work_is_not_deleted(
    client: httpx.AsyncClient, project: Project, session: AsyncSession
) -> None:
    run = await run_of(session, project, status="running")
    assert (await client.delete(f"{PROJECTS}{project.id}/")).status_code == 409
    await project_updates.end(session, run.id, "failed")
    assert (await client.delete(f"{PROJECTS}{project.id}/")).status_code == 204


async def test_inventories_are_guessed_by_name(
    client: httpx.AsyncClient, project: Project, session: AsyncSession
) -> None:
    url = f"{PROJECTS}{project.id}/inventories/"
    assert (await client.get(url)).json() == []
    files = [
        "README.md", "site.yml", "hosts", "prod.ini", "inventories/east/hosts.yml", "inventories/east/group_vars/a.yml",
        "roles/web/hosts.yml", ".github/hosts.yml", "bin/inventory.py",
    ]  # fmt: skip
    tree = ProjectTree(project_id=project.id, reference="", revision="abc", scm_url=URL, size=1, files=files)
    tree.content = b"x"
    tree.fetched = project.created
    await save(session, tree)
    assert (await client.get(url)).json() == [
        "bin/inventory.py", "hosts", "inventories/", "inventories/east/hosts.yml", "prod.ini",
    ]  # fmt: skip


async def test_inventories_of_a_manual_project_are_those_of_its_folder(
    client: httpx.AsyncClient, tenant: Tenant, tmp_path: Path
) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "hosts.ini").touch()
    answer = await post(client, tenant, scm_type="manual", scm_url="", local_path="shop")
    assert answer.status_code == 201, answer.text
    assert (await client.get(answer.json()["related"]["inventories"])).json() == ["hosts.ini"]
    for path in ("../x", "/etc", "shop/../..", ".", ""):
        refused = await post(client, tenant, name=f"p{path}", scm_type="", scm_url="", local_path=path)
        assert (path, list(refused.json())) == (path, ["local_path"])


async def test_projects_of_an_organization(client: httpx.AsyncClient, project: Project, tenant: Tenant) -> None:
    url = f"/api/v2/organizations/{tenant.id}/projects/"
    assert [each["name"] for each in (await client.get(url)).json()["results"]] == ["shop"]
    made = await client.post(url, json={"name": "other", "scm_type": "git", "scm_url": URL})
    assert (made.status_code, made.json()["organization"]) == (201, tenant.id)


async def test_lists_are_filtered_by_relation(
    client: httpx.AsyncClient, project: Project, session: AsyncSession
) -> None:
    await run_of(session, project, status="failed", scm_revision="abc")
    for path, query in (
        (PROJECTS, {"scm_type": "git", "organization__name": "acme", "search": "sho"}),
        ("/api/v2/project_updates/", {"project__name": "shop", "failed": "true", "scm_revision": "abc"}),
    ):
        assert (await client.get(path, params=query)).json()["count"] == 1
        assert (await client.get(path, params={"name": "nothing"})).json()["count"] == 0
    assert (await client.get("/api/v2/project_updates/", params={"output": "x"})).status_code in (400, 403)


async def test_a_page_of_projects_takes_the_same_statements_whatever_its_size(
    client: httpx.AsyncClient, project: Project, session: AsyncSession, statements: Statements
) -> None:
    async def updated(row: Project) -> None:
        row.last_update_id = (await run_of(session, row, status="successful")).id
        await session.flush()

    await updated(project)
    await client.get(PROJECTS)
    with statements.recorded() as one:
        await client.get(PROJECTS)
    for _ in range(5):
        await updated(await make_project(session))
    with statements.recorded() as many:
        await client.get(PROJECTS)
    assert len(many) == len(one)
    assert not any("project_trees" in each or "output" in each for each in many)


async def put_source(client: httpx.AsyncClient, inventory: Inventory, **values: Any) -> httpx.Response:
    return await client.post(SOURCES, json={"name": "s", "inventory": inventory.id, "source": "scm", **values})


async def test_a_source_names_its_project(
    client: httpx.AsyncClient, project: Project, tenant: Tenant, session: AsyncSession
) -> None:
    inventory = await make_inventory(session, tenant=tenant)
    answer = await put_source(client, inventory, source_project=project.id, source_path="hosts.ini")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["source_project"], made["summary_fields"]["source_project"]["name"]) == (project.id, "shop")
    assert made["related"]["source_project"] == f"{PROJECTS}{project.id}/"
    started = (await client.post(made["related"]["update"])).json()
    assert started["source_project"] == project.id
    found = await client.get(SOURCES, params={"source_project__name": "shop"})
    assert found.json()["count"] == 1


async def test_a_source_without_its_project_stays_and_cannot_be_updated(
    client: httpx.AsyncClient, project: Project, tenant: Tenant, session: AsyncSession
) -> None:
    inventory = await make_inventory(session, tenant=tenant)
    made = (await put_source(client, inventory, source_project=project.id)).json()
    assert (await client.delete(f"{PROJECTS}{project.id}/")).status_code == 204
    session.expire_all()
    found = (await client.get(made["url"])).json()
    assert found["source_project"] is None
    assert (await client.get(made["related"]["update"])).json() == {"can_update": False}
    assert (await client.post(made["related"]["update"])).status_code == 405


@pytest.mark.parametrize(
    ("values", "field", "told"),
    [
        ({}, "source_project", "Project required for scm type sources."),
        ({"source_project": 2**40}, "source_project", "does not exist"),
        ({"source": "file", "source_project": "its"}, "detail", "Cannot set source_project if not SCM type."),
        ({"source": "", "source_project": "its"}, "detail", "Cannot set source_project if not SCM type."),
        ({"source": "file", "scm_branch": "x"}, "detail", "Cannot set scm_branch if not SCM type."),
        ({"source_project": "its", "scm_branch": "x"}, "scm_branch", "Project does not allow overriding branch."),
        ({"source_project": "its", "source_path": "../x"}, "source_path", "leads out of the project"),
        ({"source_project": "its", "source_vars": "HOME: /"}, "source_vars", "may not be set"),
        ({"source_project": "foreign"}, "source_project", "another organization"),
    ],
    ids=lambda value: str(value),
)
async def test_a_source_that_could_never_read_its_project_is_refused(
    client: httpx.AsyncClient,
    project: Project,
    tenant: Tenant,
    session: AsyncSession,
    values: dict[str, Any],
    field: str,
    told: str,
) -> None:
    inventory = await make_inventory(session, tenant=tenant)
    names = {"its": project.id, "foreign": (await make_project(session)).id}
    values = {name: names.get(value, value) for name, value in values.items()}
    answer = await put_source(client, inventory, **values)
    assert answer.status_code == 400, answer.text
    assert told in str(answer.json()[field])
    assert await session.scalar(select(InventorySource.id).where(InventorySource.inventory_id == inventory.id)) is None


async def test_an_inventory_whose_sources_read_from_projects_stays_with_its_organization(
    client: httpx.AsyncClient, project: Project, tenant: Tenant, session: AsyncSession
) -> None:
    inventory = await make_inventory(session, tenant=tenant)
    await make_source(session, inventory=inventory, source="scm", source_project_id=project.id)
    other = await make_tenant(session)
    answer = await client.patch(f"/api/v2/inventories/{inventory.id}/", json={"organization": other.id})
    assert answer.status_code == 400
    assert "projects" in answer.text


async def test_a_reader_updates_nothing(project: Project, tenant: Tenant, client_of: ClientOf) -> None:
    reader = await client_of(tenant, "reader")
    assert (await reader.get(f"{PROJECTS}{project.id}/")).status_code == 200
    assert (await reader.post(f"{PROJECTS}{project.id}/update/")).status_code == 403


async def test_options_tell_what_a_project_takes(client: httpx.AsyncClient) -> None:
    actions = (await client.request("OPTIONS", PROJECTS)).json()["actions"]
    assert {"scm_url", "scm_type", "organization", "credential"} <= actions["POST"].keys()
    assert actions["POST"]["organization"]["type"] == "id"
