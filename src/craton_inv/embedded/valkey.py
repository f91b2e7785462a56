"""The embedded Valkey: the job queue's Redis on a unix socket, its log on disk."""

import logging
import os
import socket
import time
from pathlib import Path
from signal import SIGTERM
from urllib.parse import quote

from craton_inv.embedded.binaries import find_valkey
from craton_inv.embedded.directory import log_tail, open_log
from craton_inv.embedded.owned import OwnedServer
from craton_inv.embedded.process import KeptProcess, Plan
from craton_inv.errors import SetupError

log = logging.getLogger(__name__)

SOCKET = "valkey.sock"
START_PATIENCE_S = 15.0
LOADING_PATIENCE_S = 120.0
STOPS = ((SIGTERM, 20.0),)


class EmbeddedValkey(OwnedServer):
    """One server on `data_dir/valkey`. Not for use by two threads at once."""

    lock_name = "valkey.lock"
    run_name = "run-valkey"
    socket_name = SOCKET

    def __init__(self, data_dir: Path, *, program: Path | None = None) -> None:
        """`program`: the server to run, found when not given."""
        super().__init__(data_dir)
        self._program = program
        self._process: KeptProcess | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the server while it runs."""
        return self._process.pid if self._process and self._process.returncode is None else None

    def ensure(self) -> bool:
        """Start the server again if it died; whether that was needed. Raises as `start` does."""
        if self._process is None or self._wait(patience=10):
            return False
        log.warning("Valkey on %s has died and is started again", self.data_dir)
        self._process.stop()
        self._launch()
        return True

    def is_alive(self) -> bool:
        """Whether the server answers a PING over a new connection now."""
        if self.socket_dir is None:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(5)
                connection.connect(str(self.socket_dir / SOCKET))
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    def _stop_process(self) -> None:
        if self._process is not None:
            self._process.stop()
            self._process = None

    def url(self, db: int = 0) -> str:
        """A URL that redis.asyncio and arq read; valid from `start` to `stop`."""
        return f"unix://{quote(f'{self.socket_dir}/{SOCKET}')}?db={db}"

    def _launch(self) -> None:
        lock = self._own()
        program = self._program or find_valkey()
        folder = self.data_dir / "valkey"
        folder.mkdir(mode=0o700, exist_ok=True)
        socket_dir, leftovers = self._place_socket(None)
        path = socket_dir / SOCKET
        # A file left by a killed server; the directory is locked, so nobody listens there.
        path.unlink(missing_ok=True)
        plan = Plan(
            [str(program), *_arguments(path)],
            STOPS,
            kept_fds=(lock.fd,),
            leftovers=leftovers,
            cwd=folder,
        )
        with open_log(self.data_dir, "valkey") as output:
            begin = output.seek(0, os.SEEK_END)
            self._process = KeptProcess(plan, output)
            if not self._wait(LOADING_PATIENCE_S):
                raise SetupError(
                    f"Valkey did not start on {folder}; its log ends with:\n{log_tail(output, begin)}\n"
                    "It holds the queue's doorbell only; jobs are rows of the database. So its folder may be removed."
                )
        lock.note(url=self.url())

    def _wait(self, patience: float) -> bool:
        deadline = time.monotonic() + patience
        while self._process is not None and time.monotonic() < deadline:
            if self.is_alive():
                return True
            if self._process.returncode is not None:
                return False
            time.sleep(0.01)
        return False


def _arguments(path: Path) -> list[str]:
    options = {
        "port": "0",  # the socket only
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": ".",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",  # the append-only log is the data; no snapshots beside it
        "maxmemory-policy": "noeviction",  # a queue must not lose keys to make room
        "databases": "16",
    }
    return [word for name, value in options.items() for word in (f"--{name}", value)]
