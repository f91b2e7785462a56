"""Connections to a server that takes what is sent and never answers: frozen, or behind a cable that was pulled."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from craton_inv.db import engine as engine_module
from craton_inv.db.engine import make_engine
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.settings import Settings

PATIENCE = 0.3


class Wire:
    """Carries bytes between us and PostgreSQL over a socket in `folder`, while it is open."""

    def __init__(self, folder: Path, target: str) -> None:
        self.folder = folder
        self.target = target
        self.open = asyncio.Event()
        self.open.set()
        self.handlers: set[asyncio.Task[None] | None] = set()
        self.writers: list[asyncio.StreamWriter] = []

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, both directions."""
        self.handlers.add(asyncio.current_task())
        self.writers.append(writer)
        await self.open.wait()
        server_reader, server_writer = await asyncio.open_unix_connection(self.target)
        self.writers.append(server_writer)
        await asyncio.gather(self._copy(reader, server_writer), self._copy(server_reader, writer))

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                await self.open.wait()
                writer.write(data)
        writer.close()

    async def close(self) -> None:
        """Let every connection end."""
        self.open.set()
        for writer in self.writers:
            writer.close()
        await asyncio.gather(*(handler for handler in self.handlers if handler), return_exceptions=True)


@pytest.fixture
async def wire(fresh_database_url: str, tmp_path: Path) -> AsyncIterator[Wire]:
    """The way to the database of the test."""
    host = str(make_url(fresh_database_url).query["host"])
    made = Wire(tmp_path, f"{host}/.s.PGSQL.5432")
    server = await asyncio.start_unix_server(made.carry, tmp_path / ".s.PGSQL.5432")
    yield made
    server.close()
    await made.close()


@pytest.fixture
async def connect(
    wire: Wire, fresh_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[..., object]]:
    """Sessions over the wire, with little patience."""
    for name in ("PING_TIMEOUT", "CONNECT_TIMEOUT", "STATEMENT_MARGIN"):
        monkeypatch.setattr(engine_module, name, PATIENCE)
    url = make_url(fresh_database_url).update_query_dict({"host": str(wire.folder)})
    engine = make_engine(url.render_as_string(hide_password=False), Settings(), statement_timeout=PATIENCE)
    yield lambda: unit_of_work(make_session_factory(engine))
    wire.open.set()
    await engine.dispose()


async def test_a_pooled_connection_to_a_mute_server_is_not_waited_for(
    connect: Callable[..., object], wire: Wire
) -> None:
    async with connect() as session:  # type: ignore[attr-defined]
        await session.execute(text("SELECT 1"))
    wire.open.clear()
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(20), connect() as session:  # type: ignore[attr-defined]
            await session.execute(text("SELECT 1"))
    assert time.monotonic() - begin < 10


async def test_a_server_that_falls_silent_in_a_transaction_is_not_waited_for(
    connect: Callable[..., object], wire: Wire
) -> None:
    async def fall_silent() -> None:
        async with asyncio.timeout(20), connect() as session:  # type: ignore[attr-defined]
            await session.execute(text("SELECT 1"))
            wire.open.clear()
            await session.execute(text("SELECT 2"))

    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        await fall_silent()
    assert time.monotonic() - begin < 10


async def test_a_server_that_speaks_again_needs_no_restart(connect: Callable[..., object], wire: Wire) -> None:
    async with connect() as session:  # type: ignore[attr-defined]
        await session.execute(text("SELECT 1"))
    wire.open.clear()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(20), connect() as session:  # type: ignore[attr-defined]
            await session.execute(text("SELECT 1"))
    wire.open.set()
    async with asyncio.timeout(20), connect() as session:  # type: ignore[attr-defined]
        assert await session.scalar(text("SELECT 7")) == 7
