"""One PostgreSQL a run, a migrated template cloned per worker, and every test's changes rolled back.

CRATON_INV_TEST_DATABASE_URL names a server to use instead of the embedded one; its role must be able to make databases.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, pool, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from craton_inv.db.engine import make_engine
from craton_inv.db.migrate import upgrade
from craton_inv.db.session import SessionFactory, make_session_factory
from craton_inv.embedded.postgres import EmbeddedPostgres
from craton_inv.settings import Settings

SERVER_URL = "CRATON_INV_TEST_SERVER_URL"
TEMPLATE = "craton_inv_template"
_running: list[Any] = []


def with_database(url: str, name: str) -> str:
    """`url` with another database."""
    return make_url(url).set(database=name).render_as_string(hide_password=False)


async def run_sql(url: str, *statements: str) -> None:
    """Run statements outside a transaction (CREATE DATABASE wants it)."""
    engine = create_async_engine(url, poolclass=pool.NullPool, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            for statement in statements:
                await connection.execute(text(statement))
    finally:
        await engine.dispose()


async def make_template(url: str, name: str) -> None:
    """A migrated database that others are cloned from."""
    await run_sql(url, f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}")
    await upgrade(with_database(url, name))


def pytest_configure(config: pytest.Config) -> None:
    """The controller starts the server once; xdist workers find its URL in their environment."""
    if hasattr(config, "workerinput") or config.getoption("collectonly", default=False):
        return
    url = os.environ.get("CRATON_INV_TEST_DATABASE_URL")
    if url is None:
        folder = tempfile.TemporaryDirectory(prefix="civ-test-", ignore_cleanup_errors=True)
        server = EmbeddedPostgres(Path(folder.name), fsync=False)
        url = server.start()
        _running.extend([server, folder])
    os.environ[SERVER_URL] = url
    os.environ["CRATON_INV_TEST_TEMPLATE"] = f"{TEMPLATE}_{os.getpid()}"
    asyncio.run(make_template(url, os.environ["CRATON_INV_TEST_TEMPLATE"]))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what `pytest_configure` started."""
    if hasattr(config, "workerinput"):
        return
    template = os.environ.pop("CRATON_INV_TEST_TEMPLATE", None)
    url = os.environ.pop(SERVER_URL, None)
    if url and template and not _running:
        asyncio.run(run_sql(url, f"DROP DATABASE IF EXISTS {template} WITH (FORCE)"))
    if _running:
        server, folder = _running
        server.stop()
        folder.cleanup()
        _running.clear()


@pytest.fixture(scope="session")
def server_url() -> str:
    """The server of this run; may create databases."""
    return os.environ[SERVER_URL]


async def drop_database(server_url: str, name: str) -> None:
    """Drop a database and whoever is connected. Its autovacuum worker is not ours to end: wait for it."""
    for attempt in range(20):
        try:
            await run_sql(server_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            return
        except ProgrammingError as error:
            if "permission denied to terminate process" not in str(error) or attempt == 19:
                raise
            await asyncio.sleep(0.25)


async def clone_template(server_url: str, name: str) -> str:
    """A fresh migrated database in some 40 ms."""
    template = os.environ["CRATON_INV_TEST_TEMPLATE"]
    await drop_database(server_url, name)
    await run_sql(server_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    return with_database(server_url, name)


@pytest.fixture(scope="session")
async def database_url(server_url: str, worker_id: str) -> AsyncIterator[str]:
    """The database of this test worker."""
    name = f"test_{os.environ['CRATON_INV_TEST_TEMPLATE'].rsplit('_', 1)[1]}_{worker_id}"
    yield await clone_template(server_url, name)
    await drop_database(server_url, name)


@pytest.fixture
async def fresh_database_url(server_url: str, worker_id: str) -> AsyncIterator[str]:
    """A database of one test alone, for what must really commit (jobs, refresh, several connections)."""
    name = f"fresh_{os.environ['CRATON_INV_TEST_TEMPLATE'].rsplit('_', 1)[1]}_{worker_id}"
    yield await clone_template(server_url, name)
    await drop_database(server_url, name)


@pytest.fixture
async def fresh_engine(fresh_database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine of that database: its transactions are real."""
    engine = make_engine(fresh_database_url, Settings())
    yield engine
    await engine.dispose()


@pytest.fixture
def fresh_factory(fresh_engine: AsyncEngine) -> SessionFactory:
    """Sessions whose commits are real."""
    return make_session_factory(fresh_engine)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings of a test: its own data directory, a fixed key, the database of this worker."""
    return Settings(data_dir=tmp_path / "data", database_url=database_url, secret_key="test-key")  # type: ignore[arg-type]


@pytest.fixture(scope="session")
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """The engine of this test worker."""
    engine = make_engine(database_url, Settings(database_url=database_url))
    yield engine
    await engine.dispose()


@pytest.fixture
async def session_factory(engine: AsyncEngine) -> AsyncIterator[SessionFactory]:
    """Sessions on one connection whose outer transaction is rolled back: their commits are savepoints."""
    async with engine.connect() as connection:
        transaction = await connection.begin()
        yield async_sessionmaker(bind=connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        await transaction.rollback()


@pytest.fixture
async def session(session_factory: SessionFactory) -> AsyncIterator[AsyncSession]:
    """A session whose work is undone after the test."""
    async with session_factory() as session:
        yield session


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """gw0, gw1, ... under xdist; main alone."""
    name: str = getattr(request.config, "workerinput", {"workerid": "main"})["workerid"]
    return name
