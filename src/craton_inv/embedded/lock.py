"""One owner per data directory: a flock, with a note in the file of who holds it."""

import fcntl
import json
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from craton_inv.errors import SetupError

# How long a lock is waited for whose owner is dead: its keeper is still ending the server.
ORPHAN_PATIENCE_S = 30.0


class DirectoryInUse(SetupError):
    """Another process owns the data directory; the sentence says which, `holder` holds its note."""

    code = "setup.in_use"

    def __init__(self, path: Path, holder: Mapping[str, str]) -> None:
        who = "another process"
        if holder:
            who = f"process {holder['pid']} ({holder['command']}) since {holder['since']}"
        super().__init__(
            f"{path.parent} is in use by {who}. Stop that one, or choose another directory with --data-dir."
        )
        self.holder = dict(holder)


class DirectoryLock:
    """Held from `acquire` to `release`, or until the last process that inherited `fd` has ended."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    @property
    def fd(self) -> int:
        """The descriptor to hand to a keeper. The lock must be held."""
        if self._fd is None:
            raise RuntimeError(f"{self.path} is not locked")
        return self._fd

    def acquire(self) -> None:
        """Take the lock. Raises DirectoryInUse when a living process holds it; a dead one's keeper is waited for."""
        if self._fd is not None:
            return
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SetupError(f"{self.path} cannot be opened: {error.strerror}. Another user's directory?") from error
        deadline = time.monotonic() + ORPHAN_PATIENCE_S
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                holder = read_note(self.path)
                if (holder and is_running(holder)) or time.monotonic() > deadline:
                    os.close(fd)
                    raise DirectoryInUse(self.path, holder) from None
                time.sleep(0.05)
            except OSError as error:
                os.close(fd)
                raise SetupError(f"{self.path} cannot be locked: {error.strerror}. Choose a local disk.") from error
        self._fd = fd
        self.note()

    def note(self, **more: str) -> None:
        """Write who holds the lock, and what else others may want to know (the URL of the server)."""
        text = json.dumps(
            {
                "pid": str(os.getpid()),
                "command": command_of(os.getpid()),
                "since": datetime.now(UTC).isoformat(timespec="seconds"),
                "started": process_start(os.getpid()),
                **more,
            }
        )
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, text.encode(), 0)

    def release(self) -> None:
        """Let go of our copy; a keeper that still runs keeps its own."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None


def read_note(path: Path) -> dict[str, str]:
    """The note of the present or last holder; empty when there is none or it is being written."""
    try:
        note = json.loads(path.read_bytes() or b"{}")
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in note.items()} if isinstance(note, dict) and "pid" in note else {}


def is_running(holder: Mapping[str, str]) -> bool:
    """Whether the process that wrote the note still runs; a process that only got its number does not count."""
    return bool(holder["started"]) and process_start(int(holder["pid"])) == holder["started"]


def command_of(pid: int) -> str:
    """The command line of process `pid`, shortened; "?" when it cannot be read."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return "?"
    return " ".join(b" ".join(words).decode(errors="replace").split())[:120] or "?"


def process_start(pid: int) -> str:
    """When the kernel started process `pid`, in clock ticks since boot; "" when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]
