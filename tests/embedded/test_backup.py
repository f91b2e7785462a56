"""The backup of docs/operations.md, as it is written there."""

import subprocess
from pathlib import Path

import pytest

from craton_inv.embedded import EmbeddedPostgres
from craton_inv.embedded.binaries import find_postgres
from tests.embedded.test_postgres import ask

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
DUMP = "pg_dump --format=custom --host={data}/run-pg --username=postgres craton_inv"
RESTORE = "pg_restore --clean --if-exists --host={data}/run-pg --username=postgres --dbname=craton_inv backup.dump"


@pytest.mark.parametrize("command", [DUMP, RESTORE])
def test_the_page_has_the_commands_tested_here(command: str) -> None:
    assert command.format(data="<data directory>") in PAGE.read_text()


def test_a_dump_of_a_running_server_restores_into_a_fresh_one(data_dir: Path) -> None:
    def run(command: str, folder: Path) -> bytes:
        program, *arguments = command.split(" ")
        words = [word.format(data=folder) for word in arguments]
        path = find_postgres()[program]
        return subprocess.run([path, *words], cwd=folder, capture_output=True, check=True).stdout

    old, new = data_dir / "old", data_dir / "new"
    data_dir.mkdir()
    data_dir.chmod(0o755)
    with EmbeddedPostgres(old, fsync=False) as server:
        ask(server.url(), "CREATE TABLE kept AS SELECT n, 'x' || n AS name FROM generate_series(1, 100) n")
        ask(server.url(), "CREATE INDEX kept_name ON kept USING gin (name gin_trgm_ops)")
        dump = run(DUMP, old)
    with EmbeddedPostgres(new, fsync=False) as server:
        ask(server.url(), "CREATE TABLE kept AS SELECT 'an empty installation' AS name")
        (new / "backup.dump").write_bytes(dump)
        run(RESTORE, new)
        assert ask(server.url(), "SELECT sum(n) FROM kept WHERE name LIKE 'x%'") == 5050
        assert ask(server.url(), "SELECT tableowner FROM pg_tables WHERE tablename = 'kept'") == "craton_inv"
