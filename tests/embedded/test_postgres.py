"""The embedded PostgreSQL through everything that happens to servers and their owners."""

import asyncio
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from craton_inv.embedded import EmbeddedPostgres
from craton_inv.embedded.lock import DirectoryInUse
from craton_inv.embedded.postgres import running_url
from craton_inv.errors import SetupError
from tests.embedded.conftest import Owner, ends, is_process, kill

StartOwner = Callable[..., Owner]


def ask(url: str, statement: str) -> Any:
    """The first value a statement gives when asked over `url`, committed."""

    async def talk() -> Any:
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            answer = await connection.execute(text(statement))
            value = answer.scalar() if answer.returns_rows else None
        await engine.dispose()
        return value

    return asyncio.run(talk())


def test_a_fresh_directory_gets_role_database_and_extensions(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, fsync=False) as server:
        assert ask(server.url(), "SELECT current_user || '@' || current_database()") == "craton_inv@craton_inv"
        names = "SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension WHERE extname <> 'plpgsql'"
        assert ask(server.url(), names) == "btree_gin pg_trgm"
        assert ask(server.url(), "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


def test_the_directory_is_named_by_release_and_nothing_unfinished_stays(data_dir: Path) -> None:
    (data_dir / ".pg18.left").mkdir(parents=True)
    with EmbeddedPostgres(data_dir, fsync=False) as server:
        major = ask(server.url(), "SELECT current_setting('server_version_num')::int / 10000")
    assert [path.name for path in data_dir.glob("*pg[0-9]*")] == [f"pg{major}"]


def test_data_survives_a_stop_and_a_start(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir)
    with server:
        ask(server.url(), "CREATE TABLE kept AS SELECT 42 AS answer")
    assert not server.is_alive()
    with server:
        assert ask(server.url(), "SELECT answer FROM kept") == 42


def test_only_a_private_socket_is_open(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, fsync=False) as server:
        assert ask(server.url(), "SHOW listen_addresses") == ""
        assert server.socket_dir is not None
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700


def test_pg_variables_of_the_environment_do_not_redirect_it(open_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGPORT": "1", "PGHOST": "192.0.2.1", "PGDATA": "/nowhere", "PGUSER": "somebody"}.items():
        monkeypatch.setenv(name, value)
    with EmbeddedPostgres(open_dir, fsync=False) as server:
        assert ask(server.url(), "SELECT 1") == 1


def test_a_killed_server_is_started_again_with_what_was_committed(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as server:
        ask(server.url(), "CREATE TABLE kept AS SELECT 1 AS n")
        assert server.pid
        kill(server.pid)
        assert not server.is_alive()
        assert server.ensure()
        assert ask(server.url(), "SELECT n FROM kept") == 1
        assert not server.ensure()


def test_a_start_right_after_a_killed_server_waits_for_its_orphans(open_dir: Path) -> None:
    """A backend that was stopped by a signal cannot notice that its server died: it holds the shared memory."""

    async def backend_of(url: str) -> tuple[asyncpg.Connection, int]:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        return connection, await connection.fetchval("SELECT pg_backend_pid()")

    async def scenario() -> None:
        with EmbeddedPostgres(open_dir, fsync=False) as server:
            connection, backend = await backend_of(server.url())
            os.kill(backend, 19)
            assert server.pid
            os.kill(server.pid, 9)
            asyncio.get_running_loop().call_later(1.0, os.kill, backend, 18)
            assert await asyncio.to_thread(server.ensure)
            assert server.is_alive()
            connection.terminate()

    asyncio.run(scenario())


def test_a_stale_pid_file_with_a_living_foreign_pid_is_no_hindrance(data_dir: Path) -> None:
    server = EmbeddedPostgres(data_dir, fsync=False)
    with server:
        pgdata = next(data_dir.glob("pg[0-9]*"))
        words = (pgdata / "postmaster.pid").read_text().splitlines()
    # A process of the server's own user, whom PostgreSQL would believe to be a running server.
    with subprocess.Popen(["/bin/sleep", "60"], user=pgdata.stat().st_uid if os.geteuid() == 0 else None) as sleeper:
        (pgdata / "postmaster.pid").write_text("\n".join([str(sleeper.pid), *words[1:]]) + "\n")
        with server:
            assert server.is_alive()
        assert is_process(sleeper.pid)
        sleeper.kill()


def test_the_server_ends_when_its_owner_is_killed(data_dir: Path, owner: StartOwner) -> None:
    first = owner("postgres", data_dir)
    assert is_process(first.server_pid)
    first.kill()
    assert ends(first.server_pid)


def test_the_server_ends_when_its_keeper_is_killed(data_dir: Path, owner: StartOwner) -> None:
    first = owner("postgres", data_dir)
    keeper = int(Path(f"/proc/{first.server_pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(keeper, 9)
    assert ends(first.server_pid)


def test_a_new_owner_takes_over_from_a_killed_one(data_dir: Path, owner: StartOwner) -> None:
    first = owner("postgres", data_dir)
    ask(first.url, "CREATE TABLE kept AS SELECT 7 AS n")
    first.kill()
    with EmbeddedPostgres(data_dir, fsync=False) as server:
        assert ask(server.url(), "SELECT n FROM kept") == 7


def test_a_second_owner_is_told_who_holds_the_directory(open_dir: Path, owner: StartOwner) -> None:
    first = owner("postgres", open_dir)
    with pytest.raises(DirectoryInUse) as refusal:
        EmbeddedPostgres(open_dir).start()
    assert f"process {first.process.pid} ({sys.executable} -c " in refusal.value.message
    assert " since 20" in refusal.value.message
    assert first.process.poll() is None
    assert ask(first.url, "SELECT 1") == 1


def test_others_find_the_url_of_a_running_server(open_dir: Path, owner: StartOwner) -> None:
    assert running_url(open_dir) is None
    first = owner("postgres", open_dir)
    assert running_url(open_dir) == first.url
    first.kill()
    assert running_url(open_dir) is None


def test_a_path_too_long_for_a_socket_gets_a_short_private_directory(open_dir: Path) -> None:
    deep = open_dir / ("long" * 15) / ("name" * 15)
    server = EmbeddedPostgres(deep, fsync=False)
    with server:
        short = server.socket_dir
        assert short is not None
        assert not short.is_relative_to(open_dir)
        assert stat.S_IMODE(short.stat().st_mode) == 0o700
        assert ask(server.url(), "SELECT 1") == 1
    assert not short.exists()


def test_a_killed_owner_leaves_no_temporary_socket_directory(open_dir: Path, owner: StartOwner) -> None:
    first = owner("postgres", open_dir / ("long" * 15) / ("name" * 15))
    short = Path(first.url.partition("host=")[2].partition("&")[0])
    assert short.is_dir()
    first.kill()
    assert ends(first.server_pid)
    deadline = time.monotonic() + 5
    while short.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not short.exists()


@pytest.mark.parametrize("name", ["my data", 'my "data", 100%:5', "Gerätedaten"])
def test_an_unusual_path_does_no_harm(open_dir: Path, name: str) -> None:
    with EmbeddedPostgres(open_dir / name, fsync=False) as server:
        assert ask(server.url(), "SELECT 1") == 1


def test_a_directory_that_cannot_be_made_is_refused_in_words(open_dir: Path) -> None:
    open_dir.write_text("a file")
    with pytest.raises(SetupError, match=r"data/below cannot be used: .*--data-dir"):
        EmbeddedPostgres(open_dir / "below").start()


def test_settings_that_postgresql_refuses_are_shown_with_its_words(open_dir: Path) -> None:
    with pytest.raises(SetupError, match="unrecognized configuration parameter"):
        EmbeddedPostgres(open_dir, fsync=False, extra_settings={"no_such_setting": "1"}).start()
