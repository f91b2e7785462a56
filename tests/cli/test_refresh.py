"""`craton-inv refresh` as a user meets it: queued, followed, done here, refused."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from craton_inv.cli import database
from craton_inv.cli import refresh as command
from craton_inv.cli.refresh_watch import workers
from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.errors import CratonInvError
from craton_inv.models import Host, HostSource, Inventory, InventorySource, InventoryUpdate
from craton_inv.settings import Settings
from tests.cli.test_commands import run
from tests.factories import make_host, make_source, save
from tests.faults.conftest import StartWorker, start_worker

__all__ = ["start_worker"]
MACHINES = '{"hosts": 3, "prefix": "web"}'


@pytest.fixture
async def source(fresh_factory: SessionFactory) -> InventorySource:
    """A source of the made-up cloud."""
    async with unit_of_work(fresh_factory) as session:
        return await make_source(session, "cloud", source="example", source_vars=MACHINES)


@dataclass
class Done:
    """How a command ended; `returncode` as of the program."""

    returncode: int
    stdout: str
    stderr: str


Refresh = Callable[..., Awaitable[Done]]


@pytest.fixture
def refresh(fresh_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refresh:
    """`craton-inv refresh` on the test's database, in this process: one of its own takes seconds to start."""
    settings = Settings(database_url=fresh_database_url, data_dir=tmp_path / "data")
    monkeypatch.setattr(database, "get_settings", lambda: settings)
    monkeypatch.setattr(command, "configure_logs", lambda *_, **__: None)

    async def run_it(*arguments: str) -> Done:
        done = await asyncio.to_thread(CliRunner().invoke, command.app, arguments)
        refused = done.exception.message if isinstance(done.exception, CratonInvError) else ""
        return Done(done.exit_code, done.stdout, done.stderr + refused)

    return run_it


async def updates_of(fresh_factory: SessionFactory) -> list[tuple[str, str]]:
    """Kind and status of all updates."""
    async with fresh_factory() as session:
        rows = await session.scalars(select(InventoryUpdate).order_by(InventoryUpdate.id))
        return [(row.kind, row.status) for row in rows]


async def hosts_of(fresh_factory: SessionFactory) -> list[str]:
    """The names of all hosts."""
    async with fresh_factory() as session:
        return [*await session.scalars(select(Host.name).order_by(Host.name))]


async def test_a_source_is_refreshed_here(
    fresh_database_url: str, fresh_factory: SessionFactory, source: InventorySource
) -> None:
    done = run("refresh", "source", "cloud", "--here", CRATON_INV_DATABASE_URL=fresh_database_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "hosts: 3 created" in done.stdout
    assert await hosts_of(fresh_factory) == ["web-1", "web-2", "web-3"]


async def test_an_object_that_nobody_knows_yet_is_refreshed(
    refresh: Refresh, fresh_factory: SessionFactory, source: InventorySource
) -> None:
    done = await refresh("target", str(source.id), "hosts", "instance_id=i-00000002", "--here")
    assert done.returncode == 0, done.stderr
    assert "web-2" in await hosts_of(fresh_factory)


async def test_a_host_is_refreshed_by_its_source(
    refresh: Refresh, fresh_factory: SessionFactory, source: InventorySource
) -> None:
    async with unit_of_work(fresh_factory) as session:
        inventory = await session.get_one(Inventory, source.inventory_id)
        host = await make_host(session, "web-1", inventory=inventory)
        layer = {"inventory_source_id": source.id, "ref": "web-1", "digest": b"x"}
        await save(session, HostSource(host_id=host.id, **layer))
    done = await refresh("host", "web-1", "--here")
    assert done.returncode == 0, done.stderr
    async with fresh_factory() as session:
        assert (await session.get_one(Host, host.id)).instance_id == "i-00000001"


@pytest.mark.full
async def test_a_worker_does_the_work_and_is_followed(
    refresh: Refresh, fresh_factory: SessionFactory, source: InventorySource, start_worker: StartWorker
) -> None:
    start_worker()
    for _ in range(300):
        if await workers(fresh_factory):
            break
        await asyncio.sleep(0.1)
    done = await refresh("source", "cloud")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Inventory import completed." in done.stdout


async def test_a_dry_run_tells_what_would_be_done_and_writes_nothing(
    refresh: Refresh, fresh_factory: SessionFactory, source: InventorySource
) -> None:
    done = await refresh("source", "cloud", "--here", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "")
    assert "hosts: 3 created" in done.stdout
    assert "Nothing is written" in done.stdout
    assert await hosts_of(fresh_factory) == []


async def test_nobody_waits_for_what_is_only_queued(
    refresh: Refresh, fresh_factory: SessionFactory, source: InventorySource
) -> None:
    done = await refresh("source", "cloud", "--no-wait")
    assert (done.returncode, "pending" in done.stdout) == (0, True)
    assert await updates_of(fresh_factory) == [("full", "pending")]


async def test_without_a_worker_it_says_so_and_the_update_waits(
    refresh: Refresh, fresh_factory: SessionFactory, source: InventorySource
) -> None:
    done = await refresh("source", "cloud")
    assert (done.returncode, "No worker is at work" in done.stderr) == (1, True)
    assert await updates_of(fresh_factory) == [("full", "pending")]


async def test_an_update_that_fails_is_told_with_its_reason(
    refresh: Refresh, fresh_factory: SessionFactory, source: InventorySource
) -> None:
    async with unit_of_work(fresh_factory) as session:
        row = await session.get_one(InventorySource, source.id)
        row.source_vars = '{"hosts": 3, "prefix": "NO"}'
    done = await refresh("source", "cloud", "--here")
    assert done.returncode == 1
    assert "failed. " in done.stderr
    assert "prefix" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "cause"),
    [
        (("source", "nowhere"), 1, "There is no source 'nowhere'."),
        (("source", "99999999999999999999"), 1, "There is no source"),
        (("source", "twin"), 1, "2 sources are named 'twin'"),
        (("host", "nowhere"), 1, "There is no host 'nowhere'."),
        (("target", "cloud", "planets", "name=x"), 1, "it takes: "),
        (("target", "cloud", "hosts", "size=x"), 1, "Objects of hosts are found by"),
        (("target", "cloud", "hosts", "name"), 2, "is not COLUMN=VALUE"),
        (("target", "cloud", "hosts"), 2, "Missing argument"),
        (("source", "cloud", "--here", "--no-wait"), 2, "work that is done here is waited"),
        (("source",), 2, "Missing argument"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_queued(
    refresh: Refresh,
    fresh_factory: SessionFactory,
    source: InventorySource,
    arguments: tuple[str, ...],
    status: int,
    cause: str,
) -> None:
    async with unit_of_work(fresh_factory) as session:
        for _ in range(2):
            await make_source(session, "twin", source="example")
    done = await refresh(*arguments)
    assert (done.returncode, cause in done.stderr) == (status, True), done.stderr
    assert await updates_of(fresh_factory) == []


@pytest.mark.parametrize("name", ["source", "host", "target"])
async def test_every_command_shows_an_example(refresh: Refresh, name: str) -> None:
    assert f"Example: craton-inv refresh {name} " in (await refresh(name, "--help")).stdout
