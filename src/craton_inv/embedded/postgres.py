"""The embedded PostgreSQL: a directory goes in, a URL comes out, and the server is kept alive."""

import logging
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from craton_inv.embedded import cluster
from craton_inv.embedded.binaries import PostgresBinaries, find_postgres
from craton_inv.embedded.lock import is_running, read_note
from craton_inv.embedded.migration import migrate
from craton_inv.embedded.owned import OwnedServer
from craton_inv.embedded.privileges import RunAs, choose, give
from craton_inv.embedded.server import SOCKET, Server

log = logging.getLogger(__name__)

DATABASE = cluster.ROLE
EXTENSIONS = ("pg_trgm", "btree_gin")
LOCK = "postgres.lock"

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",  # the socket only
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",  # holds a working set of some 30 000 hosts; small enough for a laptop
    "max_connections": "200",  # API, workers and tests, each with a pool
    "jit": "off",  # compiling costs 100 ms and more on queries that run for 5
    "random_page_cost": "1.1",  # disks of today; makes the planner trust GIN indexes
    "max_wal_size": "2GB",  # one bulk import, one checkpoint
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",  # failures of a start are recognised by their words
    "log_min_messages": "warning",
}
# For data that may be lost with the machine's power: tests.
UNSAFE_SETTINGS: Mapping[str, str] = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres(OwnedServer):
    """One server on `data_dir/pg<major>`, with a role and a database named craton_inv.

    `fsync=False` trades safety against power loss for speed. `extra_settings` win over ours. `binaries` and
    `unshare` replace what is found on the machine. Not for use by two threads at once.
    """

    lock_name = LOCK
    run_name = "run-pg"
    socket_name = SOCKET

    def __init__(
        self,
        data_dir: Path,
        *,
        fsync: bool = True,
        extra_settings: Mapping[str, str] | None = None,
        binaries: PostgresBinaries | None = None,
        unshare: str | None = None,
    ) -> None:
        super().__init__(data_dir)
        self.run_as: RunAs | None = None
        self._fsync = fsync
        self._settings = {**SETTINGS, **({} if fsync else UNSAFE_SETTINGS), **(extra_settings or {})}
        self._binaries = binaries
        self._unshare = unshare
        self._server: Server | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the server while it runs."""
        process = self._server.process if self._server else None
        return process.pid if process and process.returncode is None else None

    def ensure(self) -> bool:
        """Start the server again if it died; whether that was needed. Raises as `start` does."""
        if self._server is None or self._server.answers() or self._server.wait(patience=30):
            return False
        log.warning("PostgreSQL on %s has died and is started again", self.data_dir)
        self._server.stop()
        self._launch()
        return True

    def is_alive(self) -> bool:
        """Whether the server accepts a connection now; a process alone does not count."""
        return self._server is not None and self._server.answers()

    def _stop_process(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None

    def url(self, database: str = DATABASE) -> str:
        """SQLAlchemy's URL of `database`, for asyncpg; valid from `start` to `stop`."""
        # The port names the socket file; given here, a PGPORT of the environment does not count.
        where = quote(str(self.socket_dir), safe="/")
        return f"postgresql+asyncpg://{cluster.ROLE}@/{quote(database)}?host={where}&port=5432"

    def _launch(self) -> None:
        lock = self._own()
        binaries = self._binaries or find_postgres()
        pgdata = cluster.locate(self.data_dir, binaries)
        self.run_as = run_as = choose(self.data_dir, binaries, self._unshare)
        socket_dir, leftovers = self._place_socket(run_as.uid)
        self._server = Server(pgdata, run_as, socket_dir, self._settings, self.data_dir, lock.fd, leftovers)
        if not pgdata.exists():
            older = cluster.releases(self.data_dir)
            fresh = cluster.create(self.data_dir, pgdata, run_as, fsync=self._fsync)
            if older:
                migrate(older[max(older)], fresh, self._server)
            cluster.finish(fresh, pgdata, fsync=self._fsync)
        give(pgdata, run_as)
        self._server.start()
        self._ensure_database(self._server)
        lock.note(url=self.url())

    @staticmethod
    def _ensure_database(server: Server) -> None:
        if cluster.ROLE not in server.execute("postgres", "SELECT rolname::text FROM pg_roles"):
            # CREATEDB, because tests clone their template; nothing else, least of all superuser.
            server.execute("postgres", f"CREATE ROLE {cluster.ROLE} LOGIN CREATEDB")
        if DATABASE not in server.execute("postgres", "SELECT datname::text FROM pg_database"):
            server.execute("postgres", f"CREATE DATABASE {DATABASE} OWNER {cluster.ROLE}")
        server.execute(DATABASE, *(f"CREATE EXTENSION IF NOT EXISTS {name}" for name in EXTENSIONS))


def running_url(data_dir: Path, lock_name: str = LOCK) -> str | None:
    """The URL of the server another process runs on `data_dir` now, None when there is none; `lock_name` says which."""
    note = read_note(data_dir / lock_name)
    return note.get("url") if note and is_running(note) else None
