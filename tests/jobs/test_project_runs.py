"""How runs of projects go and end: shown while they work, cancelled, out of time, begun again after a lost worker."""

import asyncio
import os
import threading
import time

import pytest

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.update_project import update_project
from craton_inv.models import ProjectUpdate
from craton_inv.queue import jobs
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services import project_updates
from tests.jobs.projects import Projects, projects, updates
from tests.jobs.updates import Updates
from tests.providers.scm.conftest import GitServer, git, threads_at_work, until

__all__ = ["git", "projects", "updates"]
HOSTS = "web-1\n"


async def cancel(projects: Projects, update_id: int) -> None:
    async with unit_of_work(projects.factory) as session:
        await project_updates.cancel(session, SYSTEM, update_id)


async def hanging(projects: Projects, git: GitServer) -> tuple[threading.Event, int, int, asyncio.Task[ProjectUpdate]]:
    """A project's run at work, whose server gives no files before the event is set, or a minute has gone."""
    git.commit({"hosts.ini": HOSTS})
    answered = threading.Event()
    git.while_serving = lambda request: answered.wait(60) if "POST" in request else None
    project_id = await projects.make(scm_url=git.url)
    update_id = await projects.launch(project_id)
    return answered, project_id, update_id, asyncio.create_task(projects.work(update_id))


async def output_with(projects: Projects, update_id: int, text: str) -> str:
    """What a run has said, once it has said this; waits at most a minute."""
    for _ in range(1200):
        said = await projects.output(update_id)
        if text in said:
            return said
        await asyncio.sleep(0.05)
    raise AssertionError(f"never said: {text}")


async def test_what_a_run_says_shows_while_it_works(projects: Projects, git: GitServer) -> None:
    answered, _, update_id, working = await hanging(projects, git)
    try:
        assert await output_with(projects, update_id, "Asking") == f"Asking {git.url} for its own branch."
        assert (await projects.update(update_id)).status == "running"
    finally:
        answered.set()
    assert (await working).status == "successful"
    lines = (await projects.output(update_id)).splitlines()
    assert (lines[0], lines[-1].partition(" ")[0]) == (f"Asking {git.url} for its own branch.", "Fetched")


async def test_a_run_whose_server_never_answers_ends_soon_after_it_is_cancelled(
    projects: Projects, git: GitServer
) -> None:
    answered, project_id, update_id, working = await hanging(projects, git)
    try:
        await until(lambda: any("POST" in request for request in git.requests))
        await cancel(projects, update_id)
        run = await asyncio.wait_for(working, 30)
    finally:
        answered.set()
    assert (run.status, run.job_explanation) == ("canceled", "Project update has been canceled")
    folder = projects.updates.settings.data_dir / "projects"
    await until(lambda: threads_at_work() == 0 and not list(folder.iterdir()))
    assert await projects.revision_kept(project_id) == ""
    assert (await projects.output(update_id)).splitlines()[-1] == run.job_explanation


async def test_a_wish_to_cancel_as_the_run_finishes_leaves_nothing_of_it(projects: Projects, git: GitServer) -> None:
    git.commit({"hosts.ini": HOSTS})
    loop = asyncio.get_running_loop()
    project_id = await projects.make(scm_url=git.url)
    update_id = await projects.launch(project_id)

    def as_the_last_answer_leaves(request: str) -> None:
        if "POST" in request:
            asyncio.run_coroutine_threadsafe(cancel(projects, update_id), loop).result(60)

    git.while_serving = as_the_last_answer_leaves
    run = await projects.work(update_id)
    assert (run.status, run.scm_revision) == ("canceled", "")
    row = await projects.project(project_id)
    assert (row.status, row.scm_revision, row.current_update_id) == ("canceled", "", None)
    assert await projects.revision_kept(project_id) == ""


async def test_a_cancelled_run_keeps_its_end_though_its_work_was_done(projects: Projects, git: GitServer) -> None:
    project_id = await projects.make(scm_url=git.url)
    update_id = await projects.launch(project_id)
    claim = await projects.claim(update_id)
    async with unit_of_work(projects.factory) as session:
        await project_updates.start(session, update_id, claim)
    await cancel(projects, update_id)
    async with unit_of_work(projects.factory) as session:
        assert await project_updates.end(session, update_id, "successful", revision="a" * 40) == "canceled"
        assert await project_updates.end(session, update_id, "successful", revision="a" * 40) == ""
    assert (await projects.project(project_id)).scm_revision == ""


async def test_a_run_out_of_time_is_stopped_by_the_timeout_of_its_project(projects: Projects, git: GitServer) -> None:
    git.commit({"hosts.ini": HOSTS})
    answered = threading.Event()
    git.while_serving = lambda request: answered.wait(60) if "POST" in request else None
    project_id = await projects.make(scm_url=git.url, timeout=1)
    try:
        run = await projects.run(project_id)
    finally:
        answered.set()
    assert (run.status, run.job_explanation) == ("canceled", "Project update has timed out")


async def test_a_source_does_not_wait_longer_for_its_project_than_the_project_may_take(
    projects: Projects, updates: Updates, git: GitServer
) -> None:
    git.commit({"hosts.ini": HOSTS})
    answered = threading.Event()
    git.while_serving = lambda request: answered.wait(60) if "POST" in request else None
    project_id = await projects.make(scm_url=git.url, timeout=1)
    try:
        run = await updates.run("source", source="scm", source_project_id=project_id, source_path="hosts.ini")
    finally:
        answered.set()
    assert (run.status, run.job_explanation) == ("failed", "The project was not fetched within 1 seconds.")


async def test_what_a_killed_worker_had_begun_is_begun_again(projects: Projects, git: GitServer) -> None:
    commit = git.commit({"hosts.ini": HOSTS})
    project_id = await projects.make(scm_url=git.url)
    update_id = await projects.launch(project_id)
    row = await projects.update(update_id)
    assert row.job_id is not None
    async with unit_of_work(projects.factory) as session:
        lost = await jobs.claim(session, row.job_id, "w1", 0.001)
        assert lost is not None
        await project_updates.start(session, update_id, lost)
    folder = projects.updates.settings.data_dir / "projects"
    (folder / ".fetch-lost" / "objects").mkdir(parents=True)
    (folder / ".fetch-young").mkdir()
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(folder / ".fetch-lost", (two_days_ago, two_days_ago))
    run = await projects.work(update_id)
    assert (run.status, run.scm_revision) == ("successful", commit)
    assert (await projects.output(update_id)).splitlines()[0] == "Resumed by worker w1 (attempt 2)."
    assert [path.name for path in folder.iterdir()] == [".fetch-young"]


async def test_a_worker_that_lost_its_lease_keeps_nothing(projects: Projects, git: GitServer) -> None:
    git.commit({"hosts.ini": HOSTS})
    project_id = await projects.make(scm_url=git.url)
    update_id = await projects.launch(project_id)
    row = await projects.update(update_id)
    assert row.job_id is not None
    async with unit_of_work(projects.factory) as session:
        lost = await jobs.claim(session, row.job_id, "w1", 0.001)
    assert lost is not None
    await projects.claim(update_id)
    with pytest.raises(jobs.LeaseLost):
        await update_project(projects.updates.context(lost))
    assert await projects.revision_kept(project_id) == ""
    assert (await projects.update(update_id)).status == "running"


async def test_delete_on_update_fetches_the_files_of_a_known_commit_anew(projects: Projects, git: GitServer) -> None:
    commit = git.commit({"hosts.ini": HOSTS})
    project_id = await projects.make(scm_url=git.url, scm_delete_on_update=True)
    for _ in range(2):
        run = await projects.run(project_id)
        assert f"Fetched commit {commit}: 1 files." in await projects.output(run.id)


async def test_a_refspec_brings_along_what_is_neither_branch_nor_tag(projects: Projects, git: GitServer) -> None:
    git.commit({"hosts.ini": HOSTS})
    proposed = git.commit({"hosts.ini": "web-2\n"}, branch="tmp")
    git.repo.refs[b"refs/pull/7/head"] = proposed.encode()
    del git.repo.refs[b"refs/heads/tmp"]
    refspec = "+refs/pull/*:refs/remotes/origin/pull/*"
    project_id = await projects.make(scm_url=git.url, scm_branch="origin/pull/7/head", scm_refspec=refspec)
    run = await projects.run(project_id)
    assert (run.status, run.scm_revision) == ("successful", proposed), run.job_explanation
    await projects.change(project_id, scm_refspec="refs/pull/8/head")
    run = await projects.run(project_id)
    assert run.job_explanation == "The repository has no 'refs/pull/8/head', which scm_refspec names."
