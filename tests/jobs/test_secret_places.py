"""S28: what a run logs in with is neither in Valkey nor in a file that stays, however it ends."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from craton_inv.db.session import unit_of_work
from craton_inv.embedded import EmbeddedValkey
from craton_inv.jobs.registry import TASKS
from craton_inv.jobs.runner import Runner
from craton_inv.models.inventory_update import ENDED
from craton_inv.queue.bell import ArqBell
from craton_inv.queue.jobs import BELL
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services import inventory_updates
from craton_inv.worker import Listener
from tests.jobs.test_credentials import ANSWER, CANARY, log_in, places_of, running, script
from tests.jobs.updates import Updates

__all__ = ["running"]
LAST = "the last of what is heard"


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A server of the test's own."""
    with EmbeddedValkey(tmp_path / "valkey-data") as server:
        yield server


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this process and what it starts keep files for a time."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@asynccontextmanager
async def overheard(valkey: EmbeddedValkey) -> AsyncIterator[list[str]]:
    """Every command that the server is sent meanwhile: also what is taken away again before anybody looks."""
    client = redis.asyncio.from_url(valkey.url())
    heard: list[str] = []
    all_heard = asyncio.Event()

    async def listen(monitor: Any) -> None:
        async for command in monitor.listen():
            heard.append(command["command"])
            if LAST in command["command"]:
                all_heard.set()

    async with client.monitor() as monitor:
        listening = asyncio.create_task(listen(monitor))
        try:
            yield heard
            await client.echo(LAST)
            await asyncio.wait_for(all_heard.wait(), 60)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
    await client.aclose()


async def everything_in(valkey: EmbeddedValkey) -> str:
    """All keys with their contents, as the server would dump them."""
    client = redis.asyncio.from_url(valkey.url())
    try:
        keys = [key async for key in client.scan_iter()]
        return "\n".join([f"{key!r} {await client.dump(key)!r}" for key in keys])
    finally:
        await client.aclose()


def files_with(word: str, *folders: Path) -> list[Path]:
    """Files below that hold a word."""
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return [path for path in found if word.encode() in path.read_bytes()]


async def work(updates: Updates, valkey: EmbeddedValkey, source_id: int) -> int:
    """Ask for an update, which the bell tells a worker of, and see it end; its id."""
    bell = ArqBell(valkey.url(), updates.settings.queue_name)
    runner = Runner(updates.settings, updates.world.engine, updates.world.factory, TASKS)
    listening = asyncio.create_task(Listener(valkey.url(), updates.settings, runner).listen())
    try:
        async with unit_of_work(updates.world.factory) as session:
            session.info[BELL] = bell
            update_id = (await inventory_updates.launch(session, SYSTEM, source_id)).id
        await updates.until(lambda row: row.status in ENDED, update_id)
        return update_id
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await runner.stop()
        await bell.close()


@pytest.mark.parametrize(("ending", "status"), [(ANSWER, "successful"), ("exit 3", "failed")])
async def test_s28_a_secret_is_neither_in_valkey_nor_in_a_file_that_stays(
    running: Updates, valkey: EmbeddedValkey, temporary: Path, tmp_path: Path, ending: str, status: str
) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    source_id = await running.world.source("source", source="file", source_path=script(folder, ending))
    await log_in(running, source_id)
    async with overheard(valkey) as heard:
        update_id = await work(running, valkey, source_id)
        kept = await everything_in(valkey)
    run = await running.update(update_id)
    assert run.status == status
    assert "in the file: **********" in await running.output(update_id)  # the run had it, in a file too
    assert any(str(run.job_id) in command for command in heard)  # the bell was rung
    said = kept + "\n".join(heard)
    assert (CANARY in said, "canary/of" in said) == (False, False)
    assert files_with(CANARY, temporary, running.settings.data_dir, tmp_path) == []
    assert await places_of(running.world, CANARY) == []


async def test_the_search_finds_what_is_in_valkey_and_in_files(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    client = redis.asyncio.from_url(valkey.url())
    async with overheard(valkey) as heard:
        await client.xadd("stream", {"word": CANARY})
    await client.aclose()
    assert CANARY in await everything_in(valkey)
    assert CANARY in "\n".join(heard)
    (tmp_path / "kept").write_text(f"in a file: {CANARY}")
    assert tmp_path / "kept" in files_with(CANARY, tmp_path)
