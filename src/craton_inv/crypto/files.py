"""Keys in files of the data directory: made once, whoever comes first, readable by their owner alone."""

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path


def made_once(path: Path, make: Callable[[], str]) -> str:
    """The text of the file, made with what `make` gives when it is not there. Several processes agree on one."""
    while True:
        with contextlib.suppress(FileNotFoundError):
            return path.read_text()
        draft = _draft(path, make())
        try:
            os.link(draft, path)  # atomic and never over an existing key: two processes agree on one
        except FileExistsError:
            continue
        finally:
            draft.unlink()


def replace(path: Path, text: str) -> None:
    """Put `text` in place of the file's; a reader sees the old or the new one, whole."""
    draft = _draft(path, text)
    try:
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _draft(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft
