"""The data directory itself: made when missing, refused in plain words when it cannot be used."""

import os
from pathlib import Path
from typing import IO

from craton_inv.errors import SetupError

# A log above this size is set aside at the next start; one older log is kept.
LOG_LIMIT = 10 * 1024 * 1024

WAY_OUT = "Choose a directory you can write in with --data-dir or CRATON_INV_DATA_DIR."


def prepare(data_dir: Path) -> Path:
    """The absolute path of a directory we can write in. Raises SetupError that says why it cannot be had.

    A new one is private; root's may be passed through, because PostgreSQL does not run as root.
    """
    data_dir = Path(os.path.abspath(data_dir))
    try:
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        if not data_dir.exists():
            data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700)
        (data_dir / "log").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SetupError(f"The data directory {data_dir} cannot be used: {error.strerror}. {WAY_OUT}") from error
    if not os.access(data_dir / "log", os.W_OK | os.X_OK):
        owner = data_dir.stat().st_uid
        raise SetupError(
            f"The data directory {data_dir} belongs to user {owner}; this is user {os.geteuid()}. {WAY_OUT}"
        )
    return data_dir


def open_log(data_dir: Path, name: str) -> IO[bytes]:
    """`log/<name>.log`, to append to."""
    path = data_dir / "log" / f"{name}.log"
    if path.exists() and path.stat().st_size > LOG_LIMIT:
        path.rename(path.with_suffix(".log.1"))
    return path.open("ab")


def log_tail(log: IO[bytes], since: int, lines: int = 8) -> str:
    """The last lines written to `log` after the position `since`, for an error sentence."""
    text = Path(log.name).read_bytes()[since:].decode(errors="replace")
    return "\n".join(text.strip().splitlines()[-lines:])
