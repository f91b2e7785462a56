"""Sessions that really commit, for what several connections must see."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv.db.engine import make_engine
from craton_inv.db.session import SessionFactory, make_session_factory
from craton_inv.settings import Settings


@pytest.fixture
def fresh_settings(fresh_database_url: str, tmp_path: Path) -> Settings:
    """Settings of a database of this test alone, with a quick pulse."""
    return Settings(
        data_dir=tmp_path / "data",
        database_url=fresh_database_url,
        job_lease=1.5,
        job_heartbeat=0.3,
        job_sweep_interval=0.5,
    )


@pytest.fixture
async def fresh_engine(fresh_settings: Settings) -> AsyncIterator[AsyncEngine]:
    """An engine of the test's own database."""
    assert fresh_settings.database_url is not None
    engine = make_engine(fresh_settings.database_url, fresh_settings, statement_timeout=0)
    yield engine
    await engine.dispose()


@pytest.fixture
def fresh_factory(fresh_engine: AsyncEngine) -> SessionFactory:
    """Sessions whose commits are real."""
    return make_session_factory(fresh_engine)
