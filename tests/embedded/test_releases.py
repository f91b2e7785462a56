"""Data directories of other PostgreSQL releases: carried over or refused, never touched."""

import os
import shutil
from pathlib import Path

import pytest

from craton_inv.embedded import EmbeddedPostgres
from craton_inv.embedded.binaries import find_postgres, read_binaries
from craton_inv.errors import SetupError
from tests.embedded.test_postgres import ask


def a_release(data_dir: Path, major: int) -> Path:
    """What tells a data directory of release `major`."""
    path = data_dir / f"pg{major}"
    (path / "global").mkdir(parents=True)
    (path / "PG_VERSION").write_text(f"{major}\n")
    return path


def test_a_directory_of_a_newer_release_is_refused_with_the_way_out(open_dir: Path) -> None:
    newer = a_release(open_dir, 99)
    with pytest.raises(SetupError, match=r"written by PostgreSQL 99.*CRATON_INV_PG_BIN"):
        EmbeddedPostgres(open_dir, fsync=False).start()
    assert sorted(path.name for path in newer.iterdir()) == ["PG_VERSION", "global"]
    assert len(list(open_dir.glob("pg*"))) == 1


def test_a_directory_of_an_older_release_without_its_programs_is_refused_with_the_ways_out(open_dir: Path) -> None:
    a_release(open_dir, 9)
    with pytest.raises(SetupError) as refusal:
        EmbeddedPostgres(open_dir, fsync=False).start()
    for way in ("apt-get install postgresql-9", "CRATON_INV_PG_BIN", "renaming"):
        assert way in refusal.value.message
    assert [path.name for path in open_dir.glob("pg*")] == ["pg9"]


def test_a_renamed_directory_is_refused(open_dir: Path) -> None:
    major = find_postgres().major
    (a_release(open_dir, major) / "PG_VERSION").write_text("15\n")
    with pytest.raises(SetupError, match=r"holds data of PostgreSQL 15. Rename it"):
        EmbeddedPostgres(open_dir, fsync=False).start()


@pytest.mark.full
def test_data_of_an_older_release_is_carried_over_when_its_programs_are_here(data_dir: Path) -> None:
    initdb = os.environ.get("CRATON_INV_TEST_OLDER_POSTGRES")
    if initdb is None:
        pytest.skip("no older PostgreSQL on this machine; the list `Beyond Python wheels` says so too")
    old = read_binaries(Path(initdb).parent)
    with EmbeddedPostgres(data_dir, fsync=False, binaries=old) as server:
        ask(server.url(), "CREATE TABLE kept AS SELECT n FROM generate_series(1, 1000) n")
        ask(server.url(), "CREATE INDEX kept_n ON kept USING gin (n)")
    with EmbeddedPostgres(data_dir, fsync=False) as server:
        assert ask(server.url(), "SELECT sum(n) FROM kept") == 500500
        assert ask(server.url(), "SELECT tableowner FROM pg_tables WHERE tablename = 'kept'") == "craton_inv"
    assert (data_dir / f"pg{old.major}").is_dir()
    assert not list(data_dir.glob(".dump*"))
    shutil.rmtree(data_dir / f"pg{old.major}")
    with EmbeddedPostgres(data_dir, fsync=False) as server:
        assert ask(server.url(), "SELECT count(*) FROM kept") == 1000
