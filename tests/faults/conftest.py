"""A world that really commits, and worker processes to kill."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv.db.engine import make_engine
from craton_inv.db.session import SessionFactory, make_session_factory
from craton_inv.settings import Settings

StartWorker = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
async def fault_engine(fresh_database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine of the test's own database."""
    engine = make_engine(fresh_database_url, Settings(), statement_timeout=0)
    yield engine
    await engine.dispose()


@pytest.fixture
def fault_factory(fault_engine: AsyncEngine) -> SessionFactory:
    """Sessions whose commits are real."""
    return make_session_factory(fault_engine)


@pytest.fixture
def start_worker(fresh_database_url: str, tmp_path: Path) -> Iterator[StartWorker]:
    """Starts worker processes without Redis and with a short lease, or as `CRATON_INV_…` values given to it say.

    Those still alive are killed after the test.
    """
    started: list[subprocess.Popen[bytes]] = []
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CRATON_INV_")},
        "CRATON_INV_DATABASE_URL": fresh_database_url,
        "CRATON_INV_DATA_DIR": str(tmp_path / "data"),
        "CRATON_INV_JOB_LEASE": "3",
        "CRATON_INV_JOB_HEARTBEAT": "1",
        "CRATON_INV_JOB_SWEEP_INTERVAL": "1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }

    def start(**more: str) -> "subprocess.Popen[bytes]":
        log = (tmp_path / f"worker-{len(started)}.log").open("wb")
        with log:
            command = [sys.executable, "-P", "-m", "craton_inv.worker"]
            process = subprocess.Popen(command, env={**env, **more}, stderr=log)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
