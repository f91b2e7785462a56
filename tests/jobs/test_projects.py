"""Projects as the worker updates them, and sources of kind scm that read from them, over HTTP on loopback."""

import asyncio
import base64
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from craton_inv.db.session import unit_of_work
from craton_inv.errors import TransientError
from craton_inv.jobs.update_project import update_project
from craton_inv.models import CredentialType, Tenant
from craton_inv.queue import jobs
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services import project_updates
from craton_inv.services.credentials import create_credential
from tests.jobs.projects import Projects, projects, updates
from tests.jobs.updates import Updates
from tests.providers.scm.conftest import LINK, GitServer, git

__all__ = ["git", "projects", "updates"]
HOSTS = "[web]\nweb-1 site=east\n"


async def test_an_update_records_the_commit_and_keeps_its_files(projects: Projects, git: GitServer) -> None:
    commit = git.commit({"hosts.ini": HOSTS})
    project_id = await projects.make(scm_url=git.url)
    run = await projects.run(project_id)
    assert (run.status, run.scm_revision) == ("successful", commit)
    row = await projects.project(project_id)
    assert (row.status, row.scm_revision, row.last_update_id, row.current_update_id) == (
        "successful", commit, run.id, None,
    )  # fmt: skip
    assert f"Fetched commit {commit}: 1 files." in await projects.output(run.id)
    assert await projects.revision_kept(project_id) == commit


async def test_a_moved_branch_gives_another_revision_and_one_that_stays_is_not_fetched(
    projects: Projects, git: GitServer
) -> None:
    first = git.commit({"hosts.ini": HOSTS})
    project_id = await projects.make(scm_url=git.url, scm_branch="main")
    await projects.run(project_id)
    again = await projects.run(project_id)
    assert f"Commit {first} is here already." in await projects.output(again.id)
    second = git.commit({"hosts.ini": "web-2\n"})
    assert (await projects.run(project_id)).scm_revision == second
    assert (await projects.project(project_id)).scm_revision == second


async def test_an_update_that_fails_says_why_and_loses_nothing(projects: Projects, git: GitServer) -> None:
    commit = git.commit({"hosts.ini": HOSTS})
    project_id = await projects.make(scm_url=git.url)
    await projects.run(project_id)
    await projects.change(project_id, scm_branch="nowhere")
    run = await projects.run(project_id)
    assert (run.status, run.scm_revision) == ("failed", "")
    assert run.job_explanation == "The repository has no branch, tag or commit 'nowhere'."
    row = await projects.project(project_id)
    assert (row.status, row.last_error) == ("failed", run.job_explanation)
    assert await projects.revision_kept(project_id) == commit


async def test_s01_an_address_that_is_not_allowed_any_more_is_not_asked(
    projects: Projects, updates: Updates, git: GitServer
) -> None:
    git.commit({"hosts.ini": HOSTS})
    project_id = await projects.make(scm_url=git.url)
    updates.settings = updates.settings.model_copy(update={"http_out_allow": ""})
    run = await projects.run(project_id)
    assert run.status == "failed"
    assert "not public" in run.job_explanation
    assert git.requests == []


async def test_a_repository_out_of_reach_is_tried_again(projects: Projects) -> None:
    project_id = await projects.make(scm_url="http://127.0.0.1:1/x.git")
    update_id = await projects.launch(project_id)
    claim = await projects.claim(update_id)
    with pytest.raises(TransientError):
        await update_project(projects.updates.context(claim))
    assert (await projects.update(update_id)).status == "running"
    async with unit_of_work(projects.factory) as session:
        await project_updates.gave_up(session, claim.args, "Given up.")
        await jobs.finish(session, claim, "failed", "Given up.")
    assert (await projects.update(update_id)).status == "error"


async def test_a_second_ask_is_answered_with_the_run_that_waits(projects: Projects, git: GitServer) -> None:
    project_id = await projects.make(scm_url=git.url)
    first = await projects.launch(project_id)
    assert await projects.launch(project_id) == first


async def test_a_run_waits_for_the_one_that_works(projects: Projects, git: GitServer) -> None:
    git.commit({"hosts.ini": HOSTS})
    project_id = await projects.make(scm_url=git.url)
    first = await projects.launch(project_id)
    claim = await projects.claim(first)
    async with unit_of_work(projects.factory) as session:
        await project_updates.start(session, first, claim)
    second = await projects.launch(project_id)
    assert second != first
    assert (await projects.work(second)).status == "waiting"
    await update_project(projects.updates.context(claim))
    assert (await projects.update(first)).status == "successful"


async def test_a_run_that_waits_is_cancelled_at_once(projects: Projects, git: GitServer) -> None:
    project_id = await projects.make(scm_url=git.url)
    update_id = await projects.launch(project_id)
    async with unit_of_work(projects.factory) as session:
        await project_updates.cancel(session, SYSTEM, update_id)
    run = await projects.update(update_id)
    assert (run.status, run.job_explanation) == ("canceled", "Project update has been canceled")
    assert (await projects.project(project_id)).current_update_id is None


async def test_a_run_at_work_stops_when_it_is_cancelled(projects: Projects) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    project_id = await projects.make(scm_url=f"http://127.0.0.1:{port}/x.git")
    update_id = await projects.launch(project_id)
    working = asyncio.create_task(projects.work(update_id))
    for _ in range(100):
        if (await projects.update(update_id)).status == "running":
            break
        await asyncio.sleep(0.02)
    async with unit_of_work(projects.factory) as session:
        await project_updates.cancel(session, SYSTEM, update_id)
    assert (await working).status == "canceled"
    server.close()
    await server.wait_closed()


async def test_a_run_whose_job_is_lost_is_ended(projects: Projects, git: GitServer) -> None:
    project_id = await projects.make(scm_url=git.url)
    update_id = await projects.launch(project_id)
    claim = await projects.claim(update_id)
    async with unit_of_work(projects.factory) as session:
        await project_updates.start(session, update_id, claim)
        await jobs.finish(session, claim, "failed")
    async with unit_of_work(projects.factory) as session:
        await project_updates.end_lost(session)
    assert (await projects.update(update_id)).status == "error"


async def test_a_private_repository_is_logged_into_and_the_secret_shows_nowhere(
    projects: Projects, updates: Updates, git: GitServer
) -> None:
    commit = git.commit({"hosts.ini": HOSTS})
    git.login = "Basic " + base64.b64encode(b"ada:s3cret-canary").decode()
    async with unit_of_work(projects.factory) as session:
        tenant = await session.get_one(Tenant, updates.world.tenant_id)
        kind = await session.scalar(select(CredentialType.id).where(CredentialType.namespace == "scm"))
        inputs = {"username": "ada", "password": "s3cret-canary"}
        values = {"name": "git", "credential_type": kind, "inputs": inputs}
        credential = await create_credential(session, SYSTEM, updates.settings, tenant, values)
    project_id = await projects.make(scm_url=git.url)
    refused = await projects.run(project_id)
    assert "needs a credential" in refused.job_explanation
    await projects.change(project_id, credential_id=credential.id)
    run = await projects.run(project_id)
    assert (run.status, run.scm_revision) == ("successful", commit), run.job_explanation
    assert "s3cret" not in await projects.output(run.id)


async def source(updates: Updates, project_id: int, **values: Any) -> Any:
    return await updates.run(
        "source", **{"source": "scm", "source_project_id": project_id, "source_path": "hosts.ini", **values}
    )


async def test_a_source_reads_the_commit_of_its_project_and_records_it(
    projects: Projects, updates: Updates, git: GitServer
) -> None:
    first = git.commit({"hosts.ini": HOSTS, "group_vars/web.yml": "tier: front\n"})
    project_id = await projects.make(scm_url=git.url)
    run = await source(updates, project_id, overwrite=True)
    assert (run.status, run.scm_revision) == ("successful", first), run.job_explanation
    assert await updates.world.hosts() == {"web-1": {"site": "east"}}
    assert await updates.world.groups() == {"web": {"tier": "front"}}
    git.commit({"hosts.ini": "[web]\nweb-2\n"})
    pinned = await source(updates, project_id)
    assert pinned.scm_revision == first
    await projects.run(project_id)
    await source(updates, project_id)
    assert "web-2" in await updates.world.hosts()


async def test_another_worker_finds_the_commit_though_the_repository_is_away(
    projects: Projects, updates: Updates, git: GitServer
) -> None:
    first = git.commit({"hosts.ini": HOSTS})
    project_id = await projects.make(scm_url=git.url)
    await projects.run(project_id)
    updates.settings = updates.settings.model_copy(update={"http_out_allow": ""})
    shutil.rmtree(updates.settings.data_dir / "projects", ignore_errors=True)
    run = await source(updates, project_id)
    assert (run.status, run.scm_revision) == ("successful", first), run.job_explanation


async def test_update_on_launch_asks_the_repository_once_its_cache_is_old(
    projects: Projects, updates: Updates, git: GitServer
) -> None:
    git.commit({"hosts.ini": HOSTS})
    project_id = await projects.make(scm_url=git.url, scm_update_on_launch=True, scm_update_cache_timeout=3600)
    first = await source(updates, project_id)
    git.commit({"hosts.ini": "web-2\n"})
    assert (await source(updates, project_id)).scm_revision == first.scm_revision
    await projects.change(project_id, scm_update_cache_timeout=0)
    assert (await source(updates, project_id)).scm_revision != first.scm_revision


async def test_a_source_may_name_a_branch_where_the_project_allows_it(
    projects: Projects, updates: Updates, git: GitServer
) -> None:
    git.commit({"hosts.ini": HOSTS})
    other = git.commit({"hosts.ini": "other-1\n"}, branch="test")
    project_id = await projects.make(scm_url=git.url, allow_override=True)
    run = await source(updates, project_id, scm_branch="test")
    assert run.scm_revision == other
    assert set(await updates.world.hosts()) == {"other-1"}
    await projects.change(project_id, allow_override=False)
    run = await source(updates, project_id)
    assert (run.status, run.job_explanation) == ("failed", "Project does not allow overriding branch.")


async def test_a_path_that_is_not_in_the_project_fails_the_run(
    projects: Projects, updates: Updates, git: GitServer
) -> None:
    git.commit({"hosts.ini": HOSTS})
    project_id = await projects.make(scm_url=git.url)
    run = await source(updates, project_id, source_path="inventories/east")
    assert run.job_explanation == "'inventories/east' does not exist in the project."


async def test_plugins_beside_the_inventory_are_not_loaded(
    projects: Projects, updates: Updates, git: GitServer
) -> None:
    plugin = "open('/tmp/loaded', 'w')\n"
    git.commit({"i/hosts.ini": HOSTS, "i/vars_plugins/evil.py": plugin, "ansible.cfg": "[defaults]\n"})
    project_id = await projects.make(scm_url=git.url)
    run = await source(updates, project_id, source_path="i/hosts.ini")
    assert run.status == "successful", run.job_explanation
    assert "vars_plugins beside the inventory may hold code; it is not loaded." in await updates.output(run.id)
    assert "--playbook-dir" not in run.job_args


async def test_every_key_of_source_vars_is_a_variable_of_the_run(
    projects: Projects, updates: Updates, git: GitServer
) -> None:
    git.commit({"hosts.ini": "web-1 site=\"{{ lookup('env', 'SITE') }}\"\n"})
    project_id = await projects.make(scm_url=git.url)
    run = await source(updates, project_id, source_vars="SITE: east\n")
    assert run.job_env["SITE"] == "east"
    assert "--playbook-dir" in run.job_args


async def test_a_manual_project_is_a_folder(projects: Projects, updates: Updates, tmp_path: Path) -> None:
    folder = tmp_path / "manual" / "shop"
    folder.mkdir(parents=True)
    (folder / "hosts.ini").write_text(HOSTS)
    project_id = await projects.make(scm_type="", scm_url="", local_path="shop")
    run = await source(updates, project_id)
    assert (run.status, run.scm_revision) == ("successful", ""), run.job_explanation
    assert set(await updates.world.hosts()) == {"web-1"}
    shutil.rmtree(folder)
    run = await source(updates, project_id)
    assert run.job_explanation == "The folder 'shop' of the project does not exist on this worker."


async def test_s36_a_link_out_of_a_manual_project_is_refused(
    projects: Projects, updates: Updates, tmp_path: Path
) -> None:
    folder = tmp_path / "manual" / "shop"
    folder.mkdir(parents=True)
    (folder / "hosts.ini").symlink_to("/etc/passwd")
    project_id = await projects.make(scm_type="", scm_url="", local_path="shop")
    run = await source(updates, project_id)
    assert run.status == "failed"
    assert await updates.world.hosts() == {}


async def test_a_pointer_of_git_lfs_is_no_inventory(projects: Projects, updates: Updates, git: GitServer) -> None:
    git.commit({"i/hosts.ini": HOSTS})
    project_id = await projects.make(scm_url=git.url, scm_update_on_launch=True)
    await source(updates, project_id, source_path="i", overwrite=True)
    git.commit({"i/hosts.ini": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"})
    run = await source(updates, project_id, source_path="i", overwrite=True)
    assert run.status == "failed"
    assert run.job_explanation == "hosts.ini is kept in Git LFS; its pointer, which is here, is no inventory."
    assert set(await updates.world.hosts()) == {"web-1"}


async def test_links_that_lead_round_and_round_end(projects: Projects, updates: Updates, git: GitServer) -> None:
    git.commit({"i/a": (LINK, b"."), "i/b": (LINK, b"."), "i/group_vars/all.yml": "x: 1\n"})
    project_id = await projects.make(scm_url=git.url)
    run = await asyncio.wait_for(source(updates, project_id, source_path="i"), 60)
    assert run.status == "failed"
    assert "is a link to a folder that it lies in" in run.job_explanation
