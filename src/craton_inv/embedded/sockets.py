"""A private directory for a unix socket, with a path the kernel accepts."""

import os
import re
import tempfile
from pathlib import Path

from craton_inv.errors import SetupError

# sun_path of Linux holds 108 bytes, one of them the closing zero.
LONGEST_PATH = 107
# Others have a meaning in the URL or in the list of hosts that readers make of it.
PLAIN = re.compile(r"[\w/.+@~ -]+", re.ASCII)


def socket_directory(wanted: Path, socket_name: str, uid: int | None) -> tuple[Path, bool]:
    """A directory of mode 0700 for `socket_name`, owned by `uid` (None: by us), and whether it is a temporary one.

    `wanted` is used when its path fits and is plain, else a new directory below the system's temporary
    directory, which the caller removes when done. Raises SetupError when neither can be had.
    """
    if len(os.fsencode(wanted / socket_name)) <= LONGEST_PATH and PLAIN.fullmatch(str(wanted)):
        wanted.mkdir(exist_ok=True)
        directory, temporary = wanted, False
    else:
        directory, temporary = _short_directory(socket_name), True
    os.chmod(directory, 0o700)
    if os.geteuid() == 0:
        owner = 0 if uid is None else uid
        os.chown(directory, owner, -1)
    return directory, temporary


def _short_directory(socket_name: str) -> Path:
    for base in dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp")):  # noqa: S108 - mkdtemp below makes it private
        if len(os.fsencode(base)) + len("/craton-12345678/") + len(socket_name) <= LONGEST_PATH and os.access(
            base, os.W_OK
        ):
            return Path(tempfile.mkdtemp(prefix="craton-", dir=base))
    raise SetupError(
        "The path of the data directory is too long for a unix socket and no writable temporary directory is short "
        "enough either. Choose a shorter directory with --data-dir, or set TMPDIR to a short one."
    )
