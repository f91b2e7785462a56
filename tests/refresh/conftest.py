"""A database of this folder's tests that really commits: staging tables live until the end of a transaction."""

import itertools
import os
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv.db.engine import make_engine
from craton_inv.db.session import SessionFactory, make_session_factory
from craton_inv.settings import Settings
from tests.conftest import clone_template, drop_database
from tests.refresh import racks
from tests.refresh.cloud import METADATA, Cloud
from tests.refresh.world import World

_clones = itertools.count(1)


@pytest.fixture(scope="session")
async def refresh_engine(server_url: str, worker_id: str) -> AsyncIterator[AsyncEngine]:
    """An engine on a clone of the template; every test makes an inventory of its own.

    Each folder that takes this fixture gets its own clone: pytest makes it once per folder and test worker.
    """
    name = f"refresh_{os.environ['CRATON_INV_TEST_TEMPLATE'].rsplit('_', 1)[1]}_{worker_id}_{next(_clones)}"
    url = await clone_template(server_url, name)
    engine = make_engine(url, Settings(database_url=url), statement_timeout=0)
    yield engine
    await engine.dispose()
    await drop_database(server_url, name)


@pytest.fixture
def factory(refresh_engine: AsyncEngine) -> SessionFactory:
    """Sessions that commit."""
    return make_session_factory(refresh_engine)


@pytest.fixture
async def world(refresh_engine: AsyncEngine) -> World:
    """An inventory with one source, empty."""
    return await World.make(refresh_engine)


@pytest.fixture(scope="session")
async def cloud_tables(refresh_engine: AsyncEngine) -> None:
    """The tables of `cloud`; they go with the database."""
    async with refresh_engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)


@pytest.fixture
async def cloud(refresh_engine: AsyncEngine, cloud_tables: None, world: World) -> Cloud:
    """A source of machines, flavors and disks, empty."""
    return Cloud(refresh_engine, await world.source())


@pytest.fixture
async def rack_tables(refresh_engine: AsyncEngine) -> AsyncIterator[None]:
    """The tables, for one test."""
    async with refresh_engine.begin() as connection:
        await connection.run_sync(racks.METADATA.create_all)
    yield
    async with refresh_engine.begin() as connection:
        await connection.run_sync(racks.METADATA.drop_all)
