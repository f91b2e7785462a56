"""The folder of a project's commit on this worker: made once from the stored tree, used by every run of that commit."""

import contextlib
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from craton_inv.errors import InvalidField
from craton_inv.providers.scm.tree import unpack_tree

KEPT_SECONDS = 24 * 3600.0
MAX_PART, MAX_PATH = 255, 1024  # bytes


def projects_folder(data_dir: Path) -> Path:
    """Where commits lie, and, with a dot before its name, what is being made."""
    return data_dir / "projects"


def checkout_path(data_dir: Path, project_id: int, revision: str) -> Path:
    """Where the commit of a project lies, or will lie."""
    return projects_folder(data_dir) / f"{project_id}-{revision}"


def checkout(folder: Path, content: bytes, say: Callable[[str], None]) -> Path:
    """Make the folder of a commit unless it is there. It appears whole or not at all."""
    if not folder.is_dir():
        unpack_tree(content, folder, say)
    os.utime(folder)
    forget_others(folder)
    return folder


def forget_others(folder: Path) -> None:
    """Remove other commits of the same project that no run asked for within a day."""
    project = folder.name.partition("-")[0]
    before = time.time() - KEPT_SECONDS
    for other in folder.parent.glob(f"{project}-*"):
        if other != folder and other.stat().st_mtime < before:
            shutil.rmtree(other, ignore_errors=True)


def forget_unfinished(folder: Path) -> None:
    """Remove what workers that were killed had begun to fetch or to lay out; nothing takes a day."""
    before = time.time() - KEPT_SECONDS
    for begun in folder.glob(".*"):
        with contextlib.suppress(FileNotFoundError):  # another worker tidies up as well
            if begun.stat().st_mtime < before:
                shutil.rmtree(begun, ignore_errors=True)


def path_fault(path: str) -> str:
    """Why a path within a project can be no file's, "" when it can: too long a part, or the whole."""
    if any(len(part.encode("utf-8", "surrogatepass")) > MAX_PART for part in path.split("/")):
        return f"has a part of more than {MAX_PART} bytes"
    if len(path.encode("utf-8", "surrogatepass")) > MAX_PATH:
        return f"has more than {MAX_PATH} bytes"
    return ""


def manual_folder(local_path: str, root: Path | None, field: str = "local_path") -> Path:
    """The folder of a manual project: below the projects' root, links followed. It need not exist.

    Raises InvalidField, also when there is no root.
    """
    if root is None:
        raise InvalidField(field, "Manual projects need the setting CRATON_INV_PROJECTS_ROOT.")
    if not local_path.strip("/") or "\x00" in local_path:
        raise InvalidField(field, "A manual project needs the name of a folder below CRATON_INV_PROJECTS_ROOT.")
    if fault := path_fault(local_path):
        raise InvalidField(field, f"{local_path[:80]!r} {fault}.")
    top = Path(os.path.realpath(root))
    real = Path(os.path.realpath(top / local_path))
    if real == top or not real.is_relative_to(top):
        raise InvalidField(field, f"{local_path[:80]!r} is no folder below CRATON_INV_PROJECTS_ROOT.")
    return real


def files_below(folder: Path, most: int) -> list[str]:
    """Paths of the files in a folder, sorted, hidden ones left out; at most `most` of them."""
    found: list[str] = []
    for current, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [os.path.relpath(os.path.join(current, name), folder) for name in names if not name.startswith(".")]
        if len(found) >= most:
            break
    return sorted(found[:most])
