"""kill -9 while everything is sealed under newer keys: no secret is unreadable then, and the next one goes on."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.models import Credential, TenantKey
from craton_inv.repositories.credentials import load_sealed
from craton_inv.repositories.keys import CREDENTIALS
from craton_inv.services.key_ring import KeyRing
from craton_inv.services.key_rotation import order_rewrap, rewrap_all, rotate
from craton_inv.settings import Settings
from tests.factories import make_credential, make_tenant
from tests.faults.conftest import StartWorker

OLD, NEW = f"old:{'00' * 32}", f"new:{'11' * 32}"
# One row a transaction; dies in the one with this number, after its rows were written and before they are committed.
REWRAP_AND_DIE = """
import asyncio, os, signal, sys
from craton_inv.db.engine import make_engine
from craton_inv.db.session import make_session_factory
from craton_inv.services.key_rotation import rewrap_all
from craton_inv.settings import Settings

left = int(sys.argv[2])

async def renew(session):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    settings = Settings()
    await rewrap_all(make_session_factory(make_engine(sys.argv[1], settings)), settings, renew=renew, chunk=1)

asyncio.run(main())
"""


async def keep_secrets(factory: SessionFactory, settings: Settings, tenants: int, each: int) -> dict[int, str]:
    """Credentials of tenants with an old key, for whom a newer one is there. Their words by id."""
    words = {}
    async with unit_of_work(factory) as session:
        for _ in range(tenants):
            tenant = await make_tenant(session)
            for _ in range(each):
                row = await make_credential(session, tenant=tenant)
                words[row.id] = f"word-{row.id}"
                sealed = await KeyRing(session, settings).seal(
                    CREDENTIALS, row.id, tenant.id, 1, words[row.id].encode()
                )
                for column, value in sealed.columns().items():
                    setattr(row, column, value)
            await session.flush()
            await rotate(session, settings, tenant.id)
    return words


async def read_all(factory: SessionFactory, settings: Settings, ids: dict[int, str]) -> dict[int, str]:
    """All secrets, opened."""
    found = {}
    async with factory() as session:
        for row_id in ids:
            row = await load_sealed(session, row_id)
            found[row_id] = (await KeyRing(session, settings).unseal(CREDENTIALS, row)).decode()
    return found


async def left_behind(factory: SessionFactory) -> tuple[int, int]:
    """Keys of tenants under the old root key, and secrets under the first version of their tenant's key."""
    async with factory() as session:
        keys = select(func.count()).select_from(TenantKey).where(TenantKey.root_key_id == "old")
        secrets = select(func.count()).select_from(Credential).where(Credential.key_version == 1)
        return (await session.scalar(keys) or 0), (await session.scalar(secrets) or 0)


@pytest.mark.parametrize(
    ("at", "left"),
    [
        pytest.param(3, (4, 6), id="among tenants' keys", marks=pytest.mark.full),
        pytest.param(10, (0, 4), id="among secrets"),
    ],
)
async def test_a_rewrap_that_is_killed_leaves_every_secret_readable(
    fault_factory: SessionFactory, fresh_database_url: str, tmp_path: Path, at: int, left: tuple[int, int]
) -> None:
    old, both, new = (Settings(data_dir=tmp_path, root_keys=keys) for keys in (OLD, f"{NEW},{OLD}", NEW))  # type: ignore[arg-type]
    words = await keep_secrets(fault_factory, old, tenants=3, each=2)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CRATON_INV_")},
        "CRATON_INV_ROOT_KEYS": f"{NEW},{OLD}",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    command = [sys.executable, "-P", "-c", REWRAP_AND_DIE, fresh_database_url, str(at)]
    died = await asyncio.to_thread(subprocess.run, command, env=environment, check=False)
    assert died.returncode == -signal.SIGKILL
    assert await left_behind(fault_factory) == left
    assert await read_all(fault_factory, both, words) == words
    done = await rewrap_all(fault_factory, both)
    assert (done.tenant_keys, done.secrets, done.unreadable) == (*left, 0)
    assert await left_behind(fault_factory) == (0, 0)
    assert await read_all(fault_factory, new, words) == words


@pytest.mark.full
async def test_a_worker_killed_over_the_job_is_followed_by_another(
    fault_factory: SessionFactory, start_worker: StartWorker, tmp_path: Path
) -> None:
    keys = tmp_path / "data" / "root.keys"
    keys.parent.mkdir(parents=True, exist_ok=True)
    keys.write_text(f"{OLD}\n")
    settings = Settings(data_dir=keys.parent)
    words = await keep_secrets(fault_factory, settings, tenants=3, each=300)
    keys.write_text(f"{NEW}\n{OLD}\n")
    async with unit_of_work(fault_factory) as session:
        await order_rewrap(session)
    first = start_worker()
    for _ in range(600):
        if 0 < (await left_behind(fault_factory))[1] < len(words):
            break
        await asyncio.sleep(0.02)
    first.kill()
    assert (await left_behind(fault_factory))[1] > 0
    assert await read_all(fault_factory, settings, words) == words
    start_worker()
    for _ in range(300):
        if await left_behind(fault_factory) == (0, 0):
            break
        await asyncio.sleep(0.1)
    keys.write_text(f"{NEW}\n")
    assert await read_all(fault_factory, settings, words) == words
