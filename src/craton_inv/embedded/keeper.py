"""The parent of one server process, run as a script: it ends the server when the owner ends, even by SIGKILL.

Three ways lead to the end of the server, none of which needs the owner's help:
the owner's end of the socket closes (stop, exit, SIGKILL); the owner is no longer our parent (a forked
relative still holds the socket open); the kernel's parent-death signal, should this process itself be killed.
Reads one JSON object from its argument: see `process.Plan`. Standard library only, started with -I -S.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import sys
import time
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1
POLL_S = 1.0
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)


def run_child(plan: dict[str, Any], libc: ctypes.CDLL) -> NoReturn:
    """Become the server: own process group, other user if asked, death signal, exec. Never returns."""
    keeper = os.getppid()
    os.setpgid(0, 0)
    if plan["uid"] is not None:
        os.setgroups([])
        os.setgid(plan["gid"])
        os.setuid(plan["uid"])
    # A change of user clears the death signal, so it is set after it; exec of a plain program keeps it.
    libc.prctl(PR_SET_PDEATHSIG, plan["stops"][0][0])
    if os.getppid() != keeper:
        os._exit(1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    try:
        os.execvpe(plan["command"][0], plan["command"], os.environ)
    except OSError as error:
        os.write(2, f"cannot run {plan['command'][0]}: {error.strerror}\n".encode())
    os._exit(127)


def reap(child: int) -> int | None:
    """Exit status of the child as a shell would give it, or None while it runs."""
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid == 0:
        return None
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def end(child: int, stops: list[tuple[int, float]]) -> int:
    """Send each stop signal and wait its seconds; SIGKILL for the whole group when none was enough."""
    for number, seconds in stops:
        os.kill(child, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status = reap(child)
            if status is not None:
                return status
            time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 128 + signal.SIGKILL


def clear(child: int, paths: list[str]) -> None:
    """End what the server left behind: processes of its group, and its socket directory outside the data."""
    # No such group: all have ended. No permission: its number belongs to somebody else by now.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    for path in paths:
        try:
            for name in os.listdir(path):
                os.unlink(os.path.join(path, name))
            os.rmdir(path)
        except OSError as error:
            os.write(2, f"cannot remove {path}: {error.strerror}\n".encode())


def main() -> int:
    """Start the server, tell its pid on the owner's socket, wait for either to end."""
    plan = json.loads(sys.argv[1])
    owner_fd: int = plan["owner_fd"]
    owner_pid: int = plan["owner_pid"]
    for fd in [owner_fd, *plan["kept_fds"]]:
        os.set_inheritable(fd, False)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    stopping = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGCHLD, lambda *_: None)

    libc = ctypes.CDLL(None, use_errno=True)
    # Blocked until the child has its default handlers: a stop in between would be swallowed by ours.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    child = os.fork()
    if child == 0:
        run_child(plan, libc)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    os.write(owner_fd, f"{child}\n".encode())
    status: int | None = None
    while status is None:
        ready, _, _ = select.select([owner_fd, wake_read], [], [], POLL_S)
        if wake_read in ready:
            os.read(wake_read, 4096)
        status = reap(child)
        if status is None and (stopping or owner_fd in ready or os.getppid() != owner_pid):
            status = end(child, [(number, seconds) for number, seconds in plan["stops"]])
    clear(child, plan["leftovers"] if os.getppid() != owner_pid else [])
    return status


if __name__ == "__main__":
    sys.exit(main())
