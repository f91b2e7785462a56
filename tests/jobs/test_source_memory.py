"""What a source remembers spares a refresh only while the source and its inventory are as that refresh left them."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import delete, update

from craton_inv.db.session import unit_of_work
from craton_inv.models import Host, InventoryUpdate
from tests.http_out.conftest import Request, Server, answer
from tests.jobs.updates import Updates

DOCUMENT = {"web": {"hosts": ["web-1", "web-2"]}}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Answers with an ETag, and with 304 to who has it."""

    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        known = request.headers.get("if-none-match") == '"7"'
        made = answer(status="304 Not Modified") if known else answer(json.dumps(DOCUMENT).encode(), ETag='"7"')
        await made(request, writer)

    made = Server(reply=reply)
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    await listening.wait_closed()


async def run(updates: Updates, server: Server, **options: Any) -> InventoryUpdate:
    updates.settings = updates.settings.model_copy(update={"http_out_allow": "127.0.0.1"})
    values = {"source": "http", "source_vars": json.dumps({"url": server.url})}
    ended = await updates.work(await updates.launch("source", options or None, **values))
    assert ended.status == "successful", ended.job_explanation
    return ended


async def rows(updates: Updates) -> dict[str, Any]:
    """The versions of all rows but those that tell about runs."""
    return {name: found for name, found in (await updates.world.row_versions()).items() if name != "sources"}


def conditional(server: Server) -> list[bool]:
    """Of each request whether it asked for changes only."""
    return ["if-none-match" in request.headers for request in server.requests]


async def test_the_second_run_asks_for_changes_only_and_writes_nothing(updates: Updates, server: Server) -> None:
    await run(updates, server)
    before = await rows(updates)
    again = await run(updates, server)
    assert (again.result["complete"], again.result["collections"]) == (True, {})
    assert await rows(updates) == before
    await run(updates, server)
    assert conditional(server) == [False, True, True]


@pytest.mark.parametrize(
    "change", [{"overwrite": True}, {"host_filter": "web-1"}, {"enabled_var": "up"}, {"overwrite_vars": True}]
)
async def test_a_source_that_was_changed_is_read_whole(
    updates: Updates, server: Server, change: dict[str, Any]
) -> None:
    await run(updates, server)
    await updates.change_source(**change)
    await run(updates, server)
    assert conditional(server) == [False, False]


async def test_a_host_that_somebody_deleted_comes_back(updates: Updates, server: Server) -> None:
    await run(updates, server)
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(delete(Host).where(Host.inventory_id == updates.world.inventory_id, Host.name == "web-1"))
    await run(updates, server)
    assert set(await updates.world.hosts()) == {"web-1", "web-2"}


async def test_a_change_made_while_nothing_changed_is_not_forgotten(updates: Updates, server: Server) -> None:
    await run(updates, server)
    usual = server.reply
    assert usual is not None

    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        async with unit_of_work(updates.world.factory) as session:
            mine = Host.inventory_id == updates.world.inventory_id
            await session.execute(update(Host).where(mine, Host.name == "web-1").values(description="x"))
        await usual(request, writer)

    server.reply = reply
    await run(updates, server)
    server.reply = usual
    await run(updates, server)
    assert conditional(server) == [False, True, False]


async def test_a_dry_run_reads_everything(updates: Updates, server: Server) -> None:
    await run(updates, server)
    await run(updates, server, dry_run=True)
    assert conditional(server) == [False, False]
