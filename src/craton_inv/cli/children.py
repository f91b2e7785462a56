"""Processes of the running service: started together, started again when they die, ended together."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM
from typing import IO

from craton_inv.embedded.directory import open_log
from craton_inv.embedded.process import KeptProcess, Plan
from craton_inv.errors import SetupError

log = logging.getLogger(__name__)

GRACE_S = 10.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
# A child that has run this long counts as healthy: its next death starts with the first pause again.
HEALTHY_S = 60.0


@dataclass
class Child:
    """One program that is to run for ever. `data_dir`: its output goes to a file in `log/` there; None: to ours."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    data_dir: Path | None = None
    deaths: int = field(default=0, init=False)
    process: KeptProcess | None = field(default=None, init=False)
    _started: float = field(default=0.0, init=False)
    _due: float = field(default=0.0, init=False)

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self.process.pid if self.process and self.process.returncode is None else None

    def start(self) -> None:
        """Start it; it ends with us, in whatever way we end."""
        plan = Plan(self.command, ((SIGTERM, GRACE_S),), env=self.env, cwd=Path.cwd())
        output: IO[bytes] | None = open_log(self.data_dir, self.name) if self.data_dir else None
        try:
            self.process = KeptProcess(plan, output)
        finally:
            if output:
                output.close()
        self._started = time.monotonic()

    def tend(self) -> None:
        """Notice its death and start it again when its pause is over; returns at once."""
        now = time.monotonic()
        if self.process is not None and self.process.returncode is not None:
            code = self.process.returncode
            self.process.stop()
            self.process = None
            self._postpone(_words(code))
        if self.process is None and now >= self._due:
            try:
                self.start()
            except (OSError, SetupError) as error:  # no memory, no descriptors: it may pass
                self._postpone(str(error))

    def _postpone(self, why: str) -> None:
        now = time.monotonic()
        self.deaths = 1 if now - self._started > HEALTHY_S else self.deaths + 1
        pause = min(FIRST_PAUSE_S * 2 ** (self.deaths - 1), LONGEST_PAUSE_S)
        self._due = now + pause
        log.warning("%s has ended (%s) and is started again in %.1f s", self.name, why, pause)


class Children:
    """All of them; `stop` asks all at once, so that the slowest decides how long it takes."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = list(children)

    def start(self) -> None:
        """Start every child."""
        for child in self.children:
            child.start()

    def tend(self) -> None:
        """Start again those that died and whose pause is over."""
        for child in self.children:
            child.tend()

    def stop(self) -> None:
        """End all: SIGTERM, then SIGKILL after 10 seconds."""
        running = [child.process for child in self.children if child.process]
        for process in running:
            process.ask_to_stop()
        for process in running:
            process.stop()
        for child in self.children:
            child.process = None


def _words(code: int) -> str:
    return f"signal {code - 128}" if code > 128 else f"exit status {code}"
