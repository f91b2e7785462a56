"""Runs one program of a source: own process group, clean environment, limits, its output read line by line and bounded.

Protected everywhere: environment, working folder, HOME, memory, CPU time, size of written files, whole process group
killed at the end, at a cancel and with the worker. With Landlock (Linux 5.13 and newer) the program also reads
nothing but the system, Python, Ansible and the inventory. Without Landlock a program of the same user can read that
user's files; the service's own environment is then hidden by making the worker undumpable, which does not hold
against root. Programs that leave the process group are found by their private HOME and killed too, unless they hide it.
Not protected: the network, and sockets that the same user may open.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from craton_inv.errors import UpdateFailed
from craton_inv.providers.ansible_inventory import confine

PR_SET_DUMPABLE = 4
CPU_SECONDS = 3600
MAX_LINE = 8192  # bytes of one line that are kept
MAX_LINES = 20_000
MAX_OUTPUT = 64 * 1024 * 1024
KEPT_LINES = 200
PROCESSES = 512  # processes and threads beside those the user has already; root is not held to it
SWEEPS = 50
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/opt", "/dev/urandom", "/dev/random", "/dev/zero")
DEVICES = ("/dev/null", "/dev/shm", "/dev/tty")  # noqa: S108 - Python's locks between processes live there


@dataclass(frozen=True)
class Limits:
    """`memory`, `file_size`: bytes. `readable`: what the program may read besides the system and Python."""

    memory: int
    file_size: int
    readable: tuple[Path, ...]
    private: Path

    def as_json(self) -> str:
        """For `confine`."""
        prefixes = {sys.prefix, sys.base_prefix, os.path.dirname(os.path.realpath(sys.executable)), *_ansible_paths()}
        return json.dumps(
            {
                "parent": os.getpid(),
                "memory": self.memory,
                "cpu": CPU_SECONDS,
                "file_size": self.file_size,
                "core": 0,
                "processes": PROCESSES,
                "readable": [*SYSTEM, *sorted(prefixes), *map(str, self.readable)],
                "writable": [str(self.private), *DEVICES],
            }
        )


def _ansible_paths() -> set[str]:
    """Folders of sys.path: ansible-core may be installed beside the interpreter's own."""
    return {path for path in sys.path if path.endswith(("site-packages", "dist-packages"))}


def hide_own_environment() -> None:
    """Keep processes of the same user from reading this process's memory and environment under /proc."""
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)


@dataclass(frozen=True)
class Finished:
    """How a program ended: its exit status and its last lines."""

    status: int
    lines: list[str]


async def run(
    command: Sequence[str], cwd: Path, environment: dict[str, str], limits: Limits, say: Callable[[str], None]
) -> Finished:
    """Run `command` to its end. Cancelling kills the whole process group. Raises UpdateFailed for endless output."""
    if shutil.which(command[0]) is None:
        raise UpdateFailed(f"{command[0]} is not there or cannot be run.")
    hide_own_environment()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-S",
        str(Path(confine.__file__)),
        limits.as_json(),
        *command,
        cwd=cwd,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        lines = await _read(process, say)
        return Finished(await process.wait(), lines)
    finally:
        kill_group(process.pid)
        kill_strays(environment["HOME"])
        await process.wait()


async def _read(process: asyncio.subprocess.Process, say: Callable[[str], None]) -> list[str]:
    """Hand each line to `say`, up to a limit; keep the last ones."""
    assert process.stdout is not None  # noqa: S101 - asked for above
    kept: list[str] = []
    rest = b""
    seen = total = 0
    while chunk := await process.stdout.read(65536):
        total += len(chunk)
        if total > MAX_OUTPUT:
            raise UpdateFailed(f"The source printed more than {MAX_OUTPUT} bytes; it was stopped.")
        *whole, rest = (rest + chunk).split(b"\n")
        rest = rest[:MAX_LINE]
        for line in whole:
            seen += 1
            text = line[:MAX_LINE].decode("utf-8", "replace").replace("\x00", "\ufffd").rstrip("\r")
            kept = [*kept[-KEPT_LINES:], text]
            if seen <= MAX_LINES:
                say(text)
    if seen > MAX_LINES:
        say(f"{seen - MAX_LINES} further lines are left out.")
    if rest:
        text = rest.decode("utf-8", "replace").replace("\x00", "\ufffd")
        kept.append(text)
        say(text)
    return kept


def kill_group(group: int) -> None:
    """SIGKILL to every process of the group; nothing to do when it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def kill_strays(home: str) -> None:
    """SIGKILL to processes that left the group, known by the private HOME, until none is left that starts another."""
    marker = f"HOME={home}".encode()
    for _ in range(SWEEPS):
        strays = 0
        for entry in Path("/proc").iterdir() if Path("/proc").is_dir() else ():
            if not entry.name.isdecimal():
                continue
            with contextlib.suppress(OSError):
                if marker in (entry / "environ").read_bytes().split(b"\0"):
                    os.kill(int(entry.name), signal.SIGKILL)
                    strays += 1
        if not strays:
            return
