"""The command line as a user meets it: every test runs the real program in a process of its own."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from craton_inv.cli import COMMANDS, build
from craton_inv.db.migrate import head_revision
from craton_inv.embedded.lock import DirectoryLock

SOURCES = str(Path(__file__).parents[2] / "src")


def run(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """`craton-inv` with these arguments and nothing of the caller's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CRATON_INV_")}
    env = {**kept, "PYTHONPATH": SOURCES, "COLUMNS": "120", **environment}
    command = [sys.executable, "-m", "craton_inv", *arguments]
    return subprocess.run(command, env=env, input=stdin, capture_output=True, text=True, timeout=60, check=False)


async def select(url: str, query: str) -> list[tuple[object, ...]]:
    """Rows of a query."""
    engine = create_async_engine(url, poolclass=pool.NullPool)
    try:
        async with engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(text(query))]
    finally:
        await engine.dispose()


def test_help_lists_every_command_with_one_line() -> None:
    done = run("--help")
    assert done.returncode == 0
    rows = [line.strip("│ ").partition(" ") for line in done.stdout.splitlines() if line.startswith("│")]
    shown = {name: words.strip() for name, _, words in rows}
    assert {name: shown.get(name) for name in COMMANDS} == {name: entry.help for name, entry in COMMANDS.items()}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_can_be_loaded_and_says_what_it_does(name: str) -> None:
    app = build([name])
    [found] = [command for command in app.registered_commands if command.name == name] or app.registered_groups[:1]
    assert found.name == name
    assert COMMANDS[name].help == found.help


def test_help_tells_how_further_packages_are_installed() -> None:
    assert "CRATON_INV_EXTRAS='aws openstack'" in run("--help").stdout


def test_the_version_is_printed() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, "craton-inv 0.1.0\n")


def test_an_unknown_command_is_wrong_usage() -> None:
    done = run("nope")
    assert done.returncode == 2
    assert "No such command 'nope'" in done.stderr


def test_starting_costs_little() -> None:
    begin = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert run("inventory", "--help").returncode == 0
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Ansible waits for it at every run: 0.3 s on an idle machine. The time of the processor, since tests run beside it.
    assert end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime < 1.0


def test_a_wrong_setting_is_named_without_its_value() -> None:
    done = run("db", "current", CRATON_INV_DATABASE_URL="mysql://user:hunter2@db/x")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("CRATON_INV_DATABASE_URL: ")
    assert "hunter2" not in done.stderr


def test_a_database_that_is_not_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    done = run("db", "current", CRATON_INV_DATABASE_URL=f"postgresql://x@/x?host={tmp_path}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The database cannot be used: ")
    assert done.stderr.count("\n") == 1


def test_a_data_directory_that_somebody_holds_is_said_with_his_process(tmp_path: Path) -> None:
    lock = DirectoryLock(tmp_path / "postgres.lock")
    lock.acquire()  # as a server that is still starting: nobody knows its URL yet
    try:
        done = run("db", "current", "--data-dir", str(tmp_path))
    finally:
        lock.release()
    assert (done.returncode, done.stdout) == (3, "")
    assert f"in use by process {os.getpid()}" in done.stderr


def test_the_schema_of_a_database_is_told(fresh_database_url: str) -> None:
    done = run("db", "current", CRATON_INV_DATABASE_URL=fresh_database_url)
    assert (done.returncode, done.stdout) == (0, f"{head_revision()} (up to date)\n")


def test_a_migrated_database_stays_as_it_is(fresh_database_url: str) -> None:
    done = run("db", "upgrade", CRATON_INV_DATABASE_URL=fresh_database_url)
    assert (done.returncode, done.stdout) == (0, f"The database is at {head_revision()} already.\n")


def test_a_new_database_gets_its_administrator_once(fresh_database_url: str, tmp_path: Path) -> None:
    settings = {"CRATON_INV_DATABASE_URL": fresh_database_url, "CRATON_INV_DATA_DIR": str(tmp_path)}
    first = run("db", "upgrade", "--administrator", **settings)
    assert first.stdout.startswith("Administrator made. Its token, shown this once: civ_"), first.stderr
    second = run("db", "upgrade", "--administrator", **settings)
    assert second.stdout == f"The database is at {head_revision()} already.\n"


@pytest.mark.parametrize("dialect", ["v1", "v2"])
def test_the_openapi_document_needs_no_database(dialect: str, tmp_path: Path) -> None:
    file = tmp_path / "openapi.json"
    done = run("openapi", dialect, "-o", str(file))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    document = json.loads(file.read_text())
    assert document["openapi"].startswith("3.")
    assert f"/{dialect}" in document["info"]["title"]


@pytest.mark.parametrize(
    ("username", "password", "field"),
    [("", "correct horse", "username"), ("a\x01b", "correct horse", "username"), ("ann", "short", "password")],
)
def test_a_user_obeys_the_rules_of_the_api(
    username: str, password: str, field: str, fresh_database_url: str, tmp_path: Path
) -> None:
    settings = {"CRATON_INV_DATABASE_URL": fresh_database_url, "CRATON_INV_DATA_DIR": str(tmp_path)}
    done = run("user", "create", username, "--password-stdin", stdin=f"{password}\n", **settings)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"'{field}'" in done.stderr
    assert password not in done.stderr


async def test_a_user_gets_a_password_and_roles(fresh_database_url: str, tmp_path: Path) -> None:
    settings = {"CRATON_INV_DATABASE_URL": fresh_database_url, "CRATON_INV_DATA_DIR": str(tmp_path)}
    engine = create_async_engine(fresh_database_url, poolclass=pool.NullPool)
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO tenants (name) VALUES ('Acme')"))
    await engine.dispose()
    arguments = (
        "user",
        "create",
        "ann",
        "--password-stdin",
        "--tenant",
        "Acme",
        "--role",
        "admin",
        "--role",
        "secrets",
    )
    done = run(*arguments, stdin="correct horse\n", **settings)
    assert (done.returncode, done.stderr) == (0, "")
    query = "SELECT username, password_hash LIKE '$argon2id$%', role FROM users JOIN grants ON user_id = users.id"
    assert sorted(await select(fresh_database_url, query)) == [("ann", True, "admin"), ("ann", True, "secrets")]


async def test_nobody_is_made_when_the_tenant_is_unknown(fresh_database_url: str, tmp_path: Path) -> None:
    settings = {"CRATON_INV_DATABASE_URL": fresh_database_url, "CRATON_INV_DATA_DIR": str(tmp_path)}
    done = run("user", "create", "ann", "--tenant", "Nope", "--role", "admin", **settings)
    assert (done.returncode, done.stderr) == (1, "There is no tenant named 'Nope'.\n")
    assert await select(fresh_database_url, "SELECT id FROM users") == []


def test_an_unknown_role_is_wrong_usage() -> None:
    done = run("user", "create", "ann", "--tenant", "Acme", "--role", "king")
    assert done.returncode == 2
    assert "'king' is no role" in done.stderr


async def test_a_token_is_printed_once_and_stored_hashed(fresh_database_url: str, tmp_path: Path) -> None:
    settings = {"CRATON_INV_DATABASE_URL": fresh_database_url, "CRATON_INV_DATA_DIR": str(tmp_path)}
    assert run("user", "create", "ann", **settings).returncode == 0
    done = run("token", "create", "ann", "--read-only", "--days", "2", "--description", "for ansible", **settings)
    token = done.stdout.strip()
    assert (done.returncode, token[:4]) == (0, "civ_")
    query = "SELECT scope, description, expires > now() + '47 hours', encode(secret_hash, 'escape') FROM tokens"
    [(scope, description, in_time, stored)] = await select(fresh_database_url, query)
    assert (scope, description, in_time) == ("read", "for ansible", True)
    assert token.rpartition("_")[2] not in str(stored)


def test_a_token_needs_a_user_that_exists(fresh_database_url: str, tmp_path: Path) -> None:
    settings = {"CRATON_INV_DATABASE_URL": fresh_database_url, "CRATON_INV_DATA_DIR": str(tmp_path)}
    done = run("token", "create", "nobody", **settings)
    assert done.returncode == 1
    assert "no user named 'nobody'" in done.stderr


def test_inventory_wants_list_or_host() -> None:
    done = run("inventory", "--inventory", "1")
    assert done.returncode == 2
    assert "--list or --host" in done.stderr


def test_inventory_says_plainly_that_no_service_answers() -> None:
    done = run("inventory", "--list", "--inventory", "1", "--url", "http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Is the service running?" in done.stderr


def test_the_benchmarks_are_listed_with_what_they_measure() -> None:
    done = run("bench", "--list")
    assert done.returncode == 0
    assert "script" in done.stdout
    assert "10 000 hosts" in done.stdout


def test_an_unknown_benchmark_is_wrong_usage() -> None:
    done = run("bench", "nope")
    assert done.returncode == 2
    assert "there is no benchmark 'nope'" in done.stderr
