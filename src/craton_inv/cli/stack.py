"""The whole service on this machine: servers, migrations, API and worker, as one thing that starts and stops."""

import asyncio
import logging
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import craton_inv
from craton_inv.cli.children import Child, Children
from craton_inv.cli.ports import base_url, claim
from craton_inv.cli.unreachable import unreachable_said_plainly
from craton_inv.db.migrate import upgrade
from craton_inv.embedded import EmbeddedPostgres, EmbeddedValkey, directory
from craton_inv.errors import SetupError
from craton_inv.settings import Settings

log = logging.getLogger(__name__)

SOURCE = str(Path(craton_inv.__file__).parents[1])
READY_PATIENCE_S = 60.0
# How often the embedded servers are asked whether they live; children are looked at every TICK_S.
SERVER_CHECK_S = 2.0
TICK_S = 0.2
# A child that dies this often before the service was ever ready will not get well by itself.
HOPELESS = 3


class Stack:
    """Started by `with`; `url`, `database_url`, `redis_url` and `settings` (with those filled in) hold inside it.

    `prepare` runs once the database is migrated and before the API starts. `quiet`: children write to files in the
    data directory's `log/` instead of our output. Raises SetupError (DirectoryInUse among them) when it cannot start,
    with everything stopped again.
    """

    def __init__(
        self,
        settings: Settings,
        host: str = "127.0.0.1",
        port: int = 8000,
        *,
        quiet: bool = False,
        prepare: Callable[[Settings], None] | None = None,
    ) -> None:
        self.settings = settings
        self.host = host
        self.port = port
        self._quiet = quiet
        self._prepare = prepare
        self._exit = ExitStack()
        self._servers: list[EmbeddedPostgres | EmbeddedValkey] = []
        self.children = Children([])

    @property
    def url(self) -> str:
        """Where this machine reaches the API."""
        return base_url(self.host, self.port)

    @property
    def database_url(self) -> str:
        """The database in use."""
        return self.settings.database_url or ""

    @property
    def redis_url(self) -> str:
        """The Redis in use."""
        return self.settings.redis_url or ""

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()

    def run_forever(self) -> None:
        """Keep everything alive until KeyboardInterrupt or SystemExit is raised (by a signal)."""
        checked = time.monotonic()
        while True:
            time.sleep(TICK_S)
            self.children.tend()
            if time.monotonic() - checked >= SERVER_CHECK_S:
                for server in self._servers:
                    self._ensure(server)
                checked = time.monotonic()

    @staticmethod
    def _ensure(server: EmbeddedPostgres | EmbeddedValkey) -> None:
        try:
            server.ensure()
        except (SetupError, OSError) as error:
            # The API says 503 meanwhile; the next check tries again.
            log.error("%s", error)

    def _start(self) -> None:
        self.port = claim(self.host, self.port)
        self.settings = self.settings.model_copy(update={"data_dir": directory.prepare(self.settings.data_dir)})
        found = {}
        if self.settings.database_url is None:
            found["database_url"] = self._serve(EmbeddedPostgres(self.settings.data_dir))
        if self.settings.redis_url is None:
            found["redis_url"] = self._serve(EmbeddedValkey(self.settings.data_dir))
        self.settings = self.settings.model_copy(update=found)
        with unreachable_said_plainly():
            asyncio.run(upgrade(self.database_url))
            if self._prepare is not None:
                self._prepare(self.settings)
        self.children = Children(self.programs())
        self._exit.callback(self.children.stop)
        self.children.start()
        self._wait_until_ready()

    def _serve(self, server: EmbeddedPostgres | EmbeddedValkey) -> str:
        self._exit.callback(server.stop)
        self._servers.append(server)
        return server.start()

    def programs(self) -> list[Child]:
        """What runs besides the servers."""
        env = {
            **os.environ,
            "CRATON_INV_DATABASE_URL": self.database_url,
            "CRATON_INV_REDIS_URL": self.redis_url,
            "CRATON_INV_DATA_DIR": str(self.settings.data_dir),
            # The children find the package where we found it, also when it is not installed.
            "PYTHONPATH": os.pathsep.join(path for path in (SOURCE, os.environ.get("PYTHONPATH")) if path),
            "PYTHONUNBUFFERED": "1",
        }
        data_dir = self.settings.data_dir if self._quiet else None
        python = [sys.executable, "-P"]  # a module of the current directory must not stand in for one of ours
        listen = ["--host", self.host, "--port", str(self.port), "--timeout-keep-alive", "75", "--log-level", "warning"]
        api = [*python, "-m", "uvicorn", "craton_inv.app:create_app", "--factory", *listen]
        worker = [*python, "-m", "craton_inv.worker"]
        return [Child("api", api, env, data_dir), Child("worker", worker, env, data_dir)]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_PATIENCE_S
        answer = "nothing"
        while time.monotonic() < deadline:
            self.children.tend()
            failed = [child.name for child in self.children.children if child.deaths >= HOPELESS]
            if failed:
                raise SetupError(f"The {failed[0]} process ends as soon as it starts; {self._look_at(failed[0])}.")
            try:
                # The address is our own.
                with urllib.request.urlopen(f"{self.url}/health/ready", timeout=5):  # noqa: S310
                    return
            except urllib.error.HTTPError as error:
                answer = f"{error.code} {error.read(500).decode(errors='replace')}"
                error.close()
            except OSError as error:
                answer = str(error)
            time.sleep(0.05)
        raise SetupError(
            f"{self.url}/health/ready did not say ready within {READY_PATIENCE_S:.0f} s; its last answer: {answer}"
        )

    def _look_at(self, name: str) -> str:
        return f"see {self.settings.data_dir / 'log' / name}.log" if self._quiet else "its words are above"
