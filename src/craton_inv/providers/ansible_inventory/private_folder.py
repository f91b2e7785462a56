"""The folder of one run: made for it alone, removed with whatever a program of the source has put into it."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from craton_inv.logs import get_logger

FOLDERS = ("home", "tmp", "upload")
FOLDER_ONLY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_log = get_logger(__name__)


def make_private() -> Path:
    """A new folder, readable by this user alone, with the empty folders that every run has."""
    private = Path(tempfile.mkdtemp(prefix="craton-inv-")).resolve()
    for name in FOLDERS:
        (private / name).mkdir()
    return private


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it; what cannot be removed is told in the log.

    Folders may nest as deep as the disk allows, deeper than Python's recursion and longer than a path may be: those
    inside are moved to the top one by one, so that no step goes deeper than two levels. No link is followed.
    """
    try:
        top = os.open(folder, FOLDER_ONLY)
    except FileNotFoundError:
        return
    try:
        while _flatten(top):
            pass
        folder.rmdir()
    except OSError as error:
        _log.warning("private_folder_left", folder=str(folder), error=str(error))
    finally:
        os.close(top)


def _flatten(top: int) -> bool:
    """Remove the files in and one level below `top`, and move folders from there up into it. False once it is empty."""
    folders = _unlink_files(top)
    for name in folders:
        os.chmod(name, 0o700, dir_fd=top)
        inner = os.open(name, FOLDER_ONLY, dir_fd=top)
        try:
            for deeper in _unlink_files(inner):
                os.chmod(deeper, 0o700, dir_fd=inner)
                os.rename(deeper, secrets.token_hex(16), src_dir_fd=inner, dst_dir_fd=top)
        finally:
            os.close(inner)
        os.rmdir(name, dir_fd=top)
    return bool(folders)


def _unlink_files(folder: int) -> list[str]:
    """Remove what is no folder; the names of those that are."""
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for name, is_folder in found:
        if not is_folder:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
    return [name for name, is_folder in found if is_folder]
