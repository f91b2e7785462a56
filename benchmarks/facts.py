"""Facts of 10 KB a host, written and read as NDJSON through the whole service, without a network.

Run alone: python -m benchmarks.facts [URL]. What the catalogue of paths costs is the same write with the catalogue
switched off, taken in turns. Memory is Python's own peak (tracemalloc) while the body passes: of each host it holds its
name and where its facts lie, not the facts.
"""

import asyncio
import json
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from sqlalchemy import text

from benchmarks.common import Result, at_most, fresh_database, print_table, some_server, statement_counter
from benchmarks.filter_world import facts_of
from craton_inv.app import create_app
from craton_inv.crypto import secret_key
from craton_inv.db.engine import make_engine
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.filters.shapes import Shapes
from craton_inv.logs import configure_logs
from craton_inv.repositories.fact_paths import FactPathRepository
from craton_inv.repositories.scope import SYSTEM, Scope
from craton_inv.services.tokens import issue_token
from craton_inv.services.users import ensure_admin, first_administrator
from craton_inv.settings import Settings

KILOBYTES = 10
HOSTS = 1_000
MANY = 10_000
ROUNDS = 5
PIECE = 64 * 1024


class Service:
    """The application, asked as a server would ask it."""

    def __init__(self, app: Any, token: str) -> None:
        self.app = app
        self.token = token

    async def send(self, method: str, path: str, body: AsyncIterator[bytes] | None = None) -> tuple[int, int, bytes]:
        """(status, bytes of the answer, the last of its pieces)."""
        status = size = 0
        last = b""
        source = body or _nothing()

        ended = False

        async def receive() -> dict[str, Any]:
            nonlocal ended
            if ended:
                await asyncio.Event().wait()  # a caller who stays until he is answered
            piece = await anext(source, b"")
            ended = not piece
            return {"type": "http.request", "body": piece, "more_body": not ended}

        async def send(message: Any) -> None:
            nonlocal status, size, last
            status = message.get("status", status)
            last = message.get("body") or last
            size += len(message.get("body", b""))

        headers = [(b"authorization", f"Bearer {self.token}".encode()), (b"content-type", b"application/x-ndjson")]
        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": headers, "http_version": "1.1", "scheme": "http", "root_path": "", "server": ("bench", 80),
            "client": ("bench", 1), "app": self.app, "state": {},
        }  # fmt: skip
        await self.app(scope, receive, send)
        return status, size, last


async def _nothing() -> AsyncIterator[bytes]:
    no_pieces: tuple[bytes, ...] = ()
    for piece in no_pieces:
        yield piece


async def body_of(lines: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The lines as a body in pieces, as they come over a network."""
    piece = bytearray()
    for line in lines:
        piece += line
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def line_of(number: int, wave: int) -> bytes:
    """A host's line; every wave has some values of its own."""
    facts = facts_of(number, KILOBYTES, random.Random(number))
    facts["ansible_date_time"]["epoch"] = str(wave)
    return json.dumps({"name": f"h{number}", "ansible_facts": facts}).encode() + b"\n"


@contextmanager
def without_catalogue() -> Iterator[None]:
    """Facts alone are written."""

    async def note(*_: Any) -> None:
        """Nothing."""

    with mock.patch.object(FactPathRepository, "note", note), mock.patch.object(Shapes, "add", return_value=None):
        yield


async def write(service: Service, path: str, lines: list[bytes]) -> float:
    """Seconds of one PATCH."""
    begin = time.perf_counter()
    status, _, last = await service.send("PATCH", path, body_of(iter(lines)))
    taken = time.perf_counter() - begin
    if status != 200:
        raise SystemExit(f"{status}: {last.decode()}")
    return taken


async def measure(url: str) -> list[Result]:
    """All figures."""
    settings = Settings(database_url=await fresh_database(url, "bench_facts"), secret_key="bench", log_level="ERROR")
    engine = make_engine(settings.database_url or "", settings)
    factory = make_session_factory(engine)
    async with unit_of_work(factory) as session:
        await ensure_admin(session, settings)
        admin = await first_administrator(session)
        owner = Scope(user_id=admin.id, is_superuser=True)
        _, token = await issue_token(session, secret_key(settings), owner, {"user_id": admin.id})
        tenant = await session.scalar(text("INSERT INTO tenants (name) VALUES ('t') RETURNING id"))
        ids = []
        for name, hosts in (("few", HOSTS), ("many", MANY)):
            values = {"t": tenant, "n": hosts, "name": name}
            row = text("INSERT INTO inventories (tenant_id, name) VALUES (:t, :name) RETURNING id")
            ids.append(await session.scalar(row, values))
            rows = text(
                "INSERT INTO hosts (inventory_id, tenant_id, name) "
                "SELECT :i, :t, 'h' || h FROM generate_series(0, :n - 1) h"
            )
            await session.execute(rows, {**values, "i": ids[-1]})
    app = create_app(settings, session_factory=factory)
    service = Service(app, token)
    few, many = (f"/v2/inventories/{inventory_id}/ansible_facts/" for inventory_id in ids)

    first = await write(service, few, [line_of(number, 0) for number in range(HOSTS)])
    plain, noted = [], []
    for wave in range(1, ROUNDS + 1):
        with without_catalogue():
            plain.append(await write(service, few, [line_of(number, 2 * wave) for number in range(HOSTS)]))
        noted.append(await write(service, few, [line_of(number, 2 * wave + 1) for number in range(HOSTS)]))
    with statement_counter(engine) as statements:
        same = await write(service, few, [line_of(number, 2 * ROUNDS + 1) for number in range(HOSTS)])
    large = await write(service, many, [line_of(number, 0) for number in range(MANY)])

    begin = time.perf_counter()
    _, size, _ = await service.send("GET", many)
    read = time.perf_counter() - begin
    peaks = []
    for path, hosts in ((few, HOSTS), (many, MANY)):
        for method, body in (("GET", None), ("PATCH", body_of(line_of(number, 0) for number in range(hosts)))):
            tracemalloc.start()
            await service.send(method, path, body)
            peaks.append(tracemalloc.get_traced_memory()[1] / 2**20)
            tracemalloc.stop()
    async with unit_of_work(factory) as session:
        paths = (await FactPathRepository(session, SYSTEM).page()).count
    await engine.dispose()
    further = 1024 / (MANY - HOSTS)
    median, bare = statistics.median(noted), statistics.median(plain)
    return [
        Result(f"first write of {HOSTS} hosts", first, "s"),
        Result(f"write of {HOSTS} hosts, changed", median, "s"),
        Result("the same without the catalogue", bare, "s"),
        at_most("what the catalogue adds", 100 * (median / bare - 1), "%", 25),
        Result(f"write of {HOSTS} hosts, unchanged", same, "s"),
        at_most("its statements", statements.count, "", 20),
        Result(f"first write of {MANY} hosts", large, "s"),
        Result(f"read of {MANY} hosts, {size / 2**20:.0f} MiB", read, "s"),
        Result(f"peak memory, read of {HOSTS}", peaks[0], "MiB"),
        at_most("what each further host adds", further * (peaks[2] - peaks[0]), "KiB", 1),
        Result(f"peak memory, write of {HOSTS}", peaks[1], "MiB"),
        at_most("what each further host adds", further * (peaks[3] - peaks[1]), "KiB", KILOBYTES / 2),
        Result("paths in the catalogue", paths),
    ]


async def main() -> bool:
    """Measure on the server named, or on an embedded one."""
    configure_logs("WARNING", as_json=False)
    async with some_server(sys.argv[1] if len(sys.argv) > 1 else None) as url:
        return print_table(await measure(url))


if __name__ == "__main__":
    sys.exit(not asyncio.run(main()))
