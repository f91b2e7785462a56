"""A program of its own: puts limits on itself, then becomes another program. Imports nothing of ours.

Called as `python -I -S confine.py '<limits as JSON>' program argument ...`. It sets resource limits, dies with its
parent, gives up new privileges, and where the kernel has Landlock keeps to the folders it is given: nothing else can
be read, not even the environment of the service under /proc, and no process outside can be signalled.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
READ_FILE, READ_DIR, EXECUTE = 1 << 2, 1 << 3, 1 << 0
FILE_RIGHTS = EXECUTE | 1 << 1 | READ_FILE | 1 << 14 | 1 << 15  # what a rule on a plain file may grant
FIRST_RIGHTS = (1 << 13) - 1
RIGHTS_SINCE = {2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
SCOPES = 0b11  # abstract sockets, signals; since version 6


class Ruleset(ctypes.Structure):
    """struct landlock_ruleset_attr."""

    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class PathRule(ctypes.Structure):
    """struct landlock_path_beneath_attr."""

    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("parent", ctypes.c_int32))


def landlock_version(libc: ctypes.CDLL) -> int:
    """The kernel's version of Landlock, 0 without it."""
    return max(0, int(libc.syscall(CREATE_RULESET, None, 0, 1)))


def landlock(libc: ctypes.CDLL, readable: list[str], writable: list[str]) -> bool:
    """Keep to these paths for good; False where the kernel cannot."""
    version = landlock_version(libc)
    if not version:
        return False
    rights = FIRST_RIGHTS
    for since, right in RIGHTS_SINCE.items():
        rights |= right if version >= since else 0
    rules = Ruleset(rights, 0, SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(CREATE_RULESET, ctypes.byref(rules), size, 0)
    for paths, granted in ((readable, READ_FILE | READ_DIR | EXECUTE), (writable, rights)):
        for path in paths:
            with contextlib.suppress(FileNotFoundError):
                descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
                allowed = granted & rights if os.path.isdir(path) else granted & rights & FILE_RIGHTS
                rule = PathRule(allowed, descriptor)
                libc.syscall(ADD_RULE, ruleset, 1, ctypes.byref(rule), 0)
                os.close(descriptor)
    return int(libc.syscall(RESTRICT_SELF, ruleset, 0)) == 0


def limit(what: int, value: int) -> None:
    """Lower a limit, never above the one already there."""
    _, hard = resource.getrlimit(what)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (value, value))


def own_tasks() -> int:
    """Processes and threads of this user: what the kernel counts against RLIMIT_NPROC."""
    count = 0
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdecimal() and os.stat(f"/proc/{name}").st_uid == os.getuid():
                count += len(os.listdir(f"/proc/{name}/task"))
    return count


def main(limits: dict[str, object], command: list[str]) -> None:
    """Apply the limits and become `command`."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != limits["parent"]:
        sys.exit("The process that asked for this has gone.")
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for what, name in (
        (resource.RLIMIT_AS, "memory"),
        (resource.RLIMIT_CPU, "cpu"),
        (resource.RLIMIT_FSIZE, "file_size"),
        (resource.RLIMIT_CORE, "core"),
    ):
        limit(what, int(str(limits[name])))
    limit(resource.RLIMIT_NPROC, own_tasks() + int(str(limits["processes"])))
    landlock(libc, list(limits["readable"]), list(limits["writable"]))  # type: ignore[call-overload]
    os.execve(command[0], command, dict(os.environ))  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2:])
