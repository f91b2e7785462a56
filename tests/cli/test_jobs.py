"""`craton-inv jobs` as an operator meets it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from craton_inv.cli import database
from craton_inv.cli import jobs as command
from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.errors import CratonInvError
from craton_inv.models import Job
from craton_inv.settings import Settings
from tests.cli.test_refresh import Done
from tests.factories import save

Jobs = Callable[..., Awaitable[Done]]


@pytest.fixture
def jobs(fresh_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    """`craton-inv jobs` on the test's database, in this process."""
    settings = Settings(database_url=fresh_database_url, data_dir=tmp_path / "data")
    monkeypatch.setattr(database, "get_settings", lambda: settings)

    async def run_it(*arguments: str) -> Done:
        done = await asyncio.to_thread(CliRunner().invoke, command.app, arguments)
        refused = done.exception.message if isinstance(done.exception, CratonInvError) else ""
        return Done(done.exit_code, done.stdout, done.stderr + refused)

    return run_it


async def add(fresh_factory: SessionFactory, **values: object) -> int:
    """A job's id."""
    async with unit_of_work(fresh_factory) as session:
        job: Job = await save(session, Job(**{"task": "refresh", **values}))
        return job.id


async def test_what_waits_and_runs_is_listed_with_its_worker_and_its_last_fault(
    jobs: Jobs, fresh_factory: SessionFactory
) -> None:
    await add(fresh_factory, status="running", attempt=2, worker="node-1:42", error="Connection refused.\nmore")
    await add(fresh_factory, task="rewrap_keys")
    await add(fresh_factory, status="failed", task="delete_inventory")
    done = await jobs("list")
    assert done.returncode == 0
    assert [line.split()[1:5] for line in done.stdout.splitlines() if "refresh" in line or "rewrap" in line] == [
        ["running", "refresh", "2", "node-1:42"],
        ["queued", "rewrap_keys", "0", "-"],
    ]
    assert "Connection refused." in done.stdout
    assert "delete_inventory" not in done.stdout
    assert "delete_inventory" in (await jobs("list", "--status", "failed")).stdout
    assert (await jobs("list", "--task", "delete_region")).stdout == "No such jobs.\n"


async def test_a_job_is_cancelled(jobs: Jobs, fresh_factory: SessionFactory) -> None:
    job_id = await add(fresh_factory)
    done = await jobs("cancel", str(job_id))
    assert (done.returncode, done.stdout) == (0, f"Job {job_id} is canceled.\n")
    async with fresh_factory() as session:
        assert (await session.get_one(Job, job_id)).status == "canceled"


async def test_the_worker_of_a_running_job_is_told_to_stop(jobs: Jobs, fresh_factory: SessionFactory) -> None:
    job_id = await add(fresh_factory, status="running")
    assert (await jobs("cancel", str(job_id))).stdout == f"Job {job_id}: its worker is told to stop.\n"
    async with fresh_factory() as session:
        assert (await session.get_one(Job, job_id)).cancel_requested


@pytest.mark.parametrize(
    ("arguments", "status", "cause"),
    [
        (("list", "--status", "lost"), 2, "'lost' is none; known: queued, running"),
        (("cancel", "99"), 1, "Not found."),
        (("cancel", "1"), 1, "cannot be cancelled"),
        (("cancel", "x"), 2, "Invalid value"),
    ],
)
async def test_what_cannot_be_is_refused(
    jobs: Jobs, fresh_factory: SessionFactory, arguments: tuple[str, ...], status: int, cause: str
) -> None:
    assert await add(fresh_factory, task="delete_inventory") == 1
    done = await jobs(*arguments)
    assert (done.returncode, cause in done.stderr) == (status, True), done.stderr
