"""Whether the service can listen where it is asked to, said before anything else starts."""

import errno
import os
import socket
from pathlib import Path

from craton_inv.embedded.lock import command_of
from craton_inv.errors import SetupError


def claim(host: str, port: int) -> int:
    """The port to listen on: `port`, or a free one for 0. Raises SetupError that says why it cannot be had."""
    if not 0 <= port <= 65535:
        raise SetupError(f"--port must be between 0 and 65535, not {port}.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError, ValueError):
        raise SetupError(
            f"--host {host!r} is no address of this machine; use 127.0.0.1 for this machine alone, 0.0.0.0 for all."
        ) from None
    with socket.socket(family, kind, protocol) as probe:
        # As the server does it: addresses of connections just closed are free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            raise SetupError(_why(error, host, port)) from None
        return int(probe.getsockname()[1])


def base_url(host: str, port: int) -> str:
    """The URL under which this machine reaches a server that listens on `host`."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - a name, not a bind
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def holder_of(port: int) -> int | None:
    """The process that listens on `port`, None when it is another user's or cannot be known."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(os.readlink(folder / name) in inodes for name in os.listdir(folder)):
                return int(folder.parent.name)
        except OSError:
            continue  # another user's process, or one that just ended
    return None


def _why(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        pid = holder_of(port)
        who = f"process {pid} ({command_of(pid)})" if pid else "another process"
        return f"Port {port} on {host} is taken by {who}. Stop it, or choose another port with --port."
    if error.errno == errno.EACCES:
        return f"Port {port} needs the rights of root. Choose one above 1023 with --port."
    return f"Cannot listen on {host} port {port}: {error.strerror}. Choose another address with --host."
