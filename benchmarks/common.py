"""What the benchmarks share: results with goals, a table of them, a count of statements, a database to work in."""

import gc
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event, make_url, pool, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from craton_inv.db.migrate import upgrade
from craton_inv.embedded.postgres import EmbeddedPostgres


@dataclass(frozen=True)
class Result:
    """One figure. `goal` is what it is held to, in words; `ok` None when it is only told."""

    name: str
    value: float
    unit: str = ""
    goal: str = ""
    ok: bool | None = None


def at_most(name: str, value: float, unit: str, limit: float) -> Result:
    """A figure that must not exceed `limit`."""
    return Result(name, value, unit, f"<= {limit:g}", value <= limit)


def equal_to(name: str, value: float, unit: str, wanted: float) -> Result:
    """A figure that must be exactly `wanted`."""
    return Result(name, value, unit, f"= {wanted:g}", value == wanted)


def print_table(results: Sequence[Result]) -> bool:
    """Print the results; whether all goals are met."""
    width = max((len(result.name) for result in results), default=0)
    for result in results:
        verdict = "" if result.ok is None else "ok" if result.ok else "MISSED"
        value = f"{result.value:,.0f}" if float(result.value).is_integer() else f"{result.value:,.2f}"
        print(f"{result.name:<{width}}  {value:>14} {result.unit:<10} {result.goal:<10} {verdict}".rstrip())
    return all(result.ok is not False for result in results)


@dataclass
class Statements:
    """Statements that went through SQLAlchemy, in order; COPY goes around it and is not among them."""

    texts: list[str]

    @property
    def count(self) -> int:
        """How many."""
        return len(self.texts)


@contextmanager
def statement_counter(engine: AsyncEngine) -> Iterator[Statements]:
    """Count the statements of an engine within the block."""
    seen = Statements([])

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.texts.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)


async def fresh_database(url: str, name: str) -> str:
    """A new, migrated database on the server of `url`; its URL."""
    engine = create_async_engine(url, poolclass=pool.NullPool, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            await connection.execute(text(f"CREATE DATABASE {name}"))
    finally:
        await engine.dispose()
    fresh = make_url(url).set(database=name).render_as_string(hide_password=False)
    await upgrade(fresh)
    return fresh


@asynccontextmanager
async def some_server(url: str | None) -> AsyncIterator[str]:
    """The server at `url`, or an embedded one for as long as the block runs."""
    if url is not None:
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="civ-bench-") as folder:
        server = EmbeddedPostgres(Path(folder))
        try:
            yield server.start()
        finally:
            server.stop()


@contextmanager
def quiet_gc() -> Iterator[None]:
    """No garbage collection inside a measurement."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
