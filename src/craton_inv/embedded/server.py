"""One PostgreSQL server process on one data directory: run it, wait until it answers, stop it."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGINT, SIGQUIT

import asyncpg

from craton_inv.embedded import cluster, sql
from craton_inv.embedded.directory import log_tail, open_log
from craton_inv.embedded.privileges import RunAs
from craton_inv.embedded.process import KeptProcess, Plan
from craton_inv.errors import SetupError

SOCKET = ".s.PGSQL.5432"
# After a SIGKILL of the server its orphans hold the shared memory until they notice.
START_PATIENCE_S = 15.0
# Replaying the log after a crash takes its time; PostgreSQL answers "starting up" meanwhile.
RECOVERY_PATIENCE_S = 300.0
PASSING = ("shared memory block", "lock file")
STOPS = ((SIGINT, 60.0), (SIGQUIT, 10.0))  # fast (checkpoint, nobody waited for), then immediate


@dataclass
class Server:
    """The server of `pgdata`; `lock_fd` stays open as long as it runs, `leftovers` go when we die."""

    pgdata: Path
    run_as: RunAs
    socket_dir: Path
    settings: Mapping[str, str]
    data_dir: Path
    lock_fd: int
    leftovers: Sequence[Path] = ()
    process: KeptProcess | None = field(default=None, init=False)

    def start(self) -> None:
        """Start and wait until it answers. Raises SetupError with the end of the server's log."""
        cluster.write_access_rules(self.pgdata, self.run_as)
        deadline = time.monotonic() + START_PATIENCE_S
        while True:
            cluster.forget_dead_server(self.pgdata)
            words = self._try()
            if words is None:
                return
            passing = any(hint in words for hint in PASSING)
            if not passing or time.monotonic() > deadline:
                raise SetupError(self._complaint(words, passing=passing))
            time.sleep(0.2)

    def answers(self) -> bool:
        """Whether a real connection succeeds now. A server that says "too many connections" is alive."""
        try:
            self.execute("postgres", "SELECT 1", timeout=5)
        except sql.NOT_READY:
            return False
        except asyncpg.PostgresError:
            return True
        return True

    def wait(self, patience: float = RECOVERY_PATIENCE_S) -> bool:
        """Wait until it answers; False when it has ended or `patience` seconds are over."""
        deadline = time.monotonic() + patience
        while self.process is not None and self.process.returncode is None and time.monotonic() < deadline:
            if self.answers():
                return True
            time.sleep(0.02)
        return False

    def execute(self, database: str, *statements: str, timeout: float = 30.0) -> list[object]:
        """Run statements as superuser; the first column of the last one's rows."""
        return sql.execute(self.socket_dir, cluster.SUPERUSER, database, statements, timeout)

    def stop(self) -> None:
        """Stop it in order; harmless when it has ended."""
        if self.process is not None:
            self.process.stop()
            self.process = None

    def _try(self) -> str | None:
        """One attempt: None when it answers, else the end of what it said."""
        command = [*self.run_as.prefix, self.run_as.binaries["postgres"], "-D", str(self.pgdata)]
        for name, value in {**self.settings, "unix_socket_directories": _quoted(self.socket_dir)}.items():
            command += ["-c", f"{name}={value}"]
        plan = Plan(
            command,
            STOPS,
            env=cluster.clean_env(),
            uid=self.run_as.uid,
            gid=self.run_as.gid,
            kept_fds=(self.lock_fd,),
            leftovers=self.leftovers,
        )
        with open_log(self.data_dir, "postgres") as log:
            begin = log.seek(0, os.SEEK_END)
            self.process = KeptProcess(plan, log)
            if self.wait():
                return None
            self.stop()
            return log_tail(log, begin) or "it said nothing"

    def _complaint(self, words: str, *, passing: bool) -> str:
        others = cluster.processes_in(self.pgdata)
        if passing and others:
            return (
                f"A PostgreSQL that craton-inv did not start runs on {self.pgdata} (process {others[0]}). "
                f"Stop it with: kill -INT {others[0]}"
            )
        return f"PostgreSQL did not start on {self.pgdata}; its log ends with:\n{words}"


def _quoted(directory: Path) -> str:
    """As an element of unix_socket_directories, a comma separated list."""
    return '"' + str(directory).replace('"', '""') + '"'
