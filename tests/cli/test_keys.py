"""`craton-inv keys`: a root key is added, everything moves under it, the old one retires; no key is shown."""

from pathlib import Path

import pytest
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import create_async_engine

from craton_inv.crypto.root_keys import load_root_keys
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.repositories.credentials import load_sealed
from craton_inv.repositories.keys import CREDENTIALS
from craton_inv.services.key_ring import KeyRing
from craton_inv.settings import Settings
from tests.cli.test_commands import run
from tests.factories import make_credential


async def sealed(url: str, settings: Settings) -> int:
    """A credential with a secret; its id."""
    engine = create_async_engine(url, poolclass=pool.NullPool)
    try:
        async with unit_of_work(make_session_factory(engine)) as session:
            row = await make_credential(session)
            kept = await KeyRing(session, settings).seal(CREDENTIALS, row.id, row.tenant_id, 1, b"word")
            for column, value in kept.columns().items():
                setattr(row, column, value)
            return row.id
    finally:
        await engine.dispose()


async def opened(url: str, settings: Settings, row_id: int) -> bytes:
    """The secret of a credential."""
    engine = create_async_engine(url, poolclass=pool.NullPool)
    try:
        async with make_session_factory(engine)() as session:
            return await KeyRing(session, settings).unseal(CREDENTIALS, await load_sealed(session, row_id))
    finally:
        await engine.dispose()


@pytest.mark.full
async def test_a_root_key_is_replaced_without_a_stop(fresh_database_url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    row_id = await sealed(fresh_database_url, settings)
    old = load_root_keys(settings).first
    world = {"CRATON_INV_DATABASE_URL": fresh_database_url, "CRATON_INV_DATA_DIR": str(tmp_path)}
    added = run("keys", "add", **world)
    new = load_root_keys(settings).first
    assert (added.returncode, f"Root key {new.id} is first" in added.stdout) == (0, True)
    early = run("keys", "retire", old.id, **world)
    assert (early.returncode, "still seals 1 keys of tenants" in early.stderr) == (1, True)
    moved = run("keys", "rewrap", **world)
    assert moved.stdout.endswith("1 keys of tenants and 0 secrets moved; 0 did not open.\n")
    listed = run("keys", "list", **world)
    shown = [line.split() for line in listed.stdout.splitlines()]
    assert [old.id, "yes", "0"] in shown
    assert [new.id, "yes", "yes", "1"] in shown
    retired = run("keys", "retire", old.id, **world)
    assert (retired.returncode, load_root_keys(settings).keys) == (0, (new,))
    assert await opened(fresh_database_url, settings, row_id) == b"word"
    for done in (added, early, moved, listed, retired):
        for key in (old, new):
            assert key.line().partition(":")[2] not in done.stdout + done.stderr


async def test_a_key_nobody_knows_cannot_retire(fresh_database_url: str, tmp_path: Path) -> None:
    world = {"CRATON_INV_DATABASE_URL": fresh_database_url, "CRATON_INV_DATA_DIR": str(tmp_path)}
    done = run("keys", "retire", "nope", **world)
    assert (done.returncode, done.stderr) == (1, "No secret was ever kept under a root key 'nope'.\n")


def test_where_the_setting_holds_the_keys_a_new_one_is_printed(tmp_path: Path) -> None:
    done = run("keys", "add", CRATON_INV_DATA_DIR=str(tmp_path), CRATON_INV_ROOT_KEYS="00" * 32)
    [line] = done.stdout.splitlines()
    assert done.returncode == 0
    assert not (tmp_path / "root.keys").exists()
    assert load_root_keys(Settings(root_keys=line)).first.line() == line  # type: ignore[arg-type]
