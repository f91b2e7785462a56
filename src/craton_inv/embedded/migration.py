"""Data of an older PostgreSQL release: carried over by dump and restore when its programs are here, else refused."""

import logging
import subprocess
from dataclasses import replace
from pathlib import Path

from craton_inv.embedded import cluster
from craton_inv.embedded.binaries import PostgresBinaries, read_binaries, system_dirs
from craton_inv.embedded.privileges import give
from craton_inv.embedded.server import Server
from craton_inv.errors import SetupError

log = logging.getLogger(__name__)


def migrate(older: Path, fresh: Path, server: Server) -> None:
    """Copy every database of `older` into the cluster `fresh`, which is not in use yet; `older` stays as it is.

    `server`: the one to be, for its settings and sockets. Raises SetupError, with the way out, when the older
    release's programs are not on this machine or a dump cannot be restored.
    """
    old_binaries = _programs_of(older, server)
    data_dir = older.parent
    log.warning("moving %s to PostgreSQL %s by dump and restore", older, server.run_as.binaries.major)
    source = replace(server, pgdata=older, run_as=replace(server.run_as, binaries=old_binaries))
    give(older, source.run_as)
    target = replace(server, pgdata=fresh)
    # One socket directory, so one server at a time: the dump lies in a file between them.
    dumps: list[Path] = []
    try:
        source.start()
        try:
            databases = [str(name) for name in source.execute("postgres", USER_DATABASES)]
            for number, database in enumerate(databases):
                dumps.append(data_dir / f".dump-{number}")
                _run(server, "pg_dump", f"--file={dumps[-1]}", "--format=custom", "--create", f"--dbname={database}")
        finally:
            source.stop()
        target.start()
        try:
            target.execute("postgres", f"CREATE ROLE {cluster.ROLE} LOGIN CREATEDB")
            for dump in dumps:
                _run(server, "pg_restore", "--create", "--exit-on-error", "--dbname=postgres", str(dump))
            target.execute("postgres", "VACUUM ANALYZE")
        finally:
            target.stop()
    finally:
        for dump in dumps:
            dump.unlink(missing_ok=True)
    log.warning("the old data stays in %s until you remove it", older)


USER_DATABASES = "SELECT datname FROM pg_database WHERE datallowconn AND datname NOT IN ('postgres', 'template1')"


def _programs_of(older: Path, server: Server) -> PostgresBinaries:
    major = int(older.name.removeprefix("pg"))
    for bin_dir in system_dirs(major):
        binaries = read_binaries(bin_dir)
        if binaries.major == major:
            return binaries
    raise SetupError(
        f"{older} was written by PostgreSQL {major}; this is release {server.run_as.binaries.major}, and the programs "
        f"of release {major}, needed to carry the data over, are not on this machine. Install them (for example "
        f"apt-get install postgresql-{major}) and start again; or go on with release {major} by "
        f"CRATON_INV_PG_BIN=/path/to/its/bin; or start empty by renaming {older}."
    )


def _run(server: Server, program: str, *arguments: str) -> None:
    command = [server.run_as.binaries[program], f"--host={server.socket_dir}", "--port=5432"]
    try:
        done = subprocess.run(
            [*command, f"--username={cluster.SUPERUSER}", *arguments],
            env=cluster.clean_env(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise SetupError(f"{command[0]} cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        raise SetupError(f"{program} failed while moving data to a newer release: {done.stderr.strip()}")
