"""A database that really commits, written to by a service that keeps memberships."""

import itertools
import os
from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv.db.engine import make_engine
from craton_inv.settings import Settings
from tests.conftest import clone_template, drop_database
from tests.memberships.keeping import Keeping

_clones = itertools.count(1)


@pytest.fixture(scope="session")
async def keeping_engine(server_url: str, worker_id: str) -> AsyncIterator[AsyncEngine]:
    """An engine with the switch on, on a clone of the template; every test makes tenants of its own."""
    name = f"keeping_{os.environ['CRATON_INV_TEST_TEMPLATE'].rsplit('_', 1)[1]}_{worker_id}_{next(_clones)}"
    url = await clone_template(server_url, name)
    engine = make_engine(url, Settings(database_url=url, awx_rebuild_smart_membership=True), statement_timeout=0)
    yield engine
    await engine.dispose()
    await drop_database(server_url, name)


@pytest.fixture
async def keeping(keeping_engine: AsyncEngine) -> Keeping:
    """A tenant with an empty inventory."""
    return await Keeping.make(keeping_engine)
