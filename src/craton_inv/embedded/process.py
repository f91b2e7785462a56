"""A child process that cannot outlive this one: the owner's side of `keeper`."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from craton_inv.errors import SetupError

KEEPER = Path(__file__).with_name("keeper.py")


@dataclass(frozen=True)
class Plan:
    """What to run and how to end it.

    `stops`: pairs of signal and seconds to wait for it, in order; SIGKILL follows. The first is also sent by the
    kernel should the keeper be killed. `uid`/`gid`: whom to become (needs root). `kept_fds`: descriptors (locks)
    held open until the process has ended. `leftovers`: directories of plain files removed when the owner is gone.
    """

    command: Sequence[str]
    stops: Sequence[tuple[signal.Signals, float]]
    env: Mapping[str, str] | None = None
    uid: int | None = None
    gid: int | None = None
    kept_fds: Sequence[int] = ()
    leftovers: Sequence[Path] = ()
    cwd: Path = field(default=Path("/"))


class KeptProcess:
    """One run of a plan. Raises SetupError when the keeper itself cannot be started."""

    def __init__(self, plan: Plan, output: IO[bytes] | int | None) -> None:
        """`output`: where standard output and error go; None means ours."""
        self._patience = sum(seconds for _, seconds in plan.stops) + 5
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(10)
        document = {
            "command": list(plan.command),
            "stops": [[int(number), seconds] for number, seconds in plan.stops],
            "uid": plan.uid,
            "gid": plan.gid,
            "owner_fd": theirs.fileno(),
            "owner_pid": os.getpid(),
            "kept_fds": list(plan.kept_fds),
            "leftovers": [str(path) for path in plan.leftovers],
        }
        with theirs:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", str(KEEPER), json.dumps(document)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=plan.env,
                cwd=plan.cwd,
                pass_fds=[theirs.fileno(), *plan.kept_fds],
                start_new_session=True,  # Ctrl-C in a terminal reaches the owner alone, which then stops in order
            )
        try:
            self.pid = int(self._socket.recv(32))
        except (OSError, ValueError) as error:
            self.kill()
            raise SetupError(f"Python could not start a supervising process for {plan.command[0]}: {error}") from error

    @property
    def returncode(self) -> int | None:
        """None while it runs; then its exit status, 128 + n after signal n."""
        return self._keeper.poll()

    def wait(self, timeout: float) -> bool:
        """Whether it ended within `timeout` seconds."""
        try:
            self._keeper.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def ask_to_stop(self) -> None:
        """Begin to end it; `stop` waits for that."""
        self._socket.close()

    def stop(self) -> None:
        """End it as its plan says and wait for that; harmless when it has ended."""
        self._socket.close()
        if not self.wait(self._patience):
            self.kill()

    def kill(self) -> None:
        """End keeper and process at once, the process by its death signal."""
        self._socket.close()
        self._keeper.kill()
        self._keeper.wait()
