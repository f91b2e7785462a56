"""What of an inventory on disk Ansible may read: below the allowed folders, after every symbolic link is followed."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from craton_inv.errors import UpdateFailed
from craton_inv.providers.ansible_inventory.yaml_guard import refuse_alias_bomb, shown

MAX_FILES = 20_000  # files and folders, each counted as often as links lead to it
MAX_DEPTH = 64  # levels of folders
MAX_TEXT = 256 * 1024 * 1024  # bytes of one file; Ansible holds a multiple of it in memory
VARIABLES = frozenset({"group_vars", "host_vars"})


def _walk(top: Path) -> Iterator[tuple[Path, bool]]:
    """Every file Ansible may read for an inventory at `top`; True for those it takes as inventories themselves.

    Raises UpdateFailed for links in a circle, for too many entries and for folders that nest too deep.
    """
    if not top.is_dir():
        yield top, True
        waiting = [(top.parent / name, False) for name in sorted(VARIABLES)]
    else:
        waiting = [(top, True)]
    base = len(top.parent.parts)
    seen = 0
    while waiting:
        folder, inventories = waiting.pop()
        if not folder.is_dir():
            continue
        if len(folder.parts) - base > MAX_DEPTH:
            raise UpdateFailed(f"{shown(top)} holds folders more than {MAX_DEPTH} levels deep.")
        with os.scandir(folder) as entries:
            for entry in entries:
                seen += 1
                if seen > MAX_FILES:
                    raise UpdateFailed(f"{shown(top)} holds more than {MAX_FILES} files and folders.")
                path = folder / entry.name
                if not _is_folder(entry):
                    yield path, inventories
                    continue
                if entry.is_symlink() and Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(path)):
                    raise UpdateFailed(f"{shown(path)} is a link to a folder that it lies in.")
                waiting.append((path, inventories and entry.name not in VARIABLES))


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link that leads to itself


def check_files(top: Path, roots: Sequence[Path], allow_executables: bool) -> frozenset[Path]:
    """The real folders in which the files of an inventory lie: links may lead to others within the roots.

    Raises UpdateFailed for a link out of the roots, an executable that is not allowed, a YAML file whose aliases
    explode, files that are too large or too many, and folders in a circle or too deep.
    """
    try:
        return _checked(top, [Path(os.path.realpath(root)) for root in roots], allow_executables)
    except OSError as error:
        raise UpdateFailed(f"{shown(top)} cannot be read whole: {error.strerror}.") from error


def _checked(top: Path, roots: Sequence[Path], allow_executables: bool) -> frozenset[Path]:
    folders: set[Path] = set()
    for path, is_inventory in _walk(top):
        real = Path(os.path.realpath(path))
        if not any(real.is_relative_to(root) for root in roots):
            raise UpdateFailed(f"{shown(path)} is a link out of the folders that this source may read.")
        if not real.exists():
            continue
        found = real.stat()
        if not stat.S_ISREG(found.st_mode):
            raise UpdateFailed(f"{shown(path)} is neither a file nor a folder.")
        if found.st_size > MAX_TEXT:
            raise UpdateFailed(f"{shown(path)} has {found.st_size} bytes; at most {MAX_TEXT} are read.")
        refuse_alias_bomb(real)
        folders.add(real.parent)
        if is_inventory and not allow_executables and is_executable(real):
            raise UpdateFailed(
                f"{shown(path)} is executable, and Ansible would run it. Executable inventories are switched off; take "
                "the executable mark away (chmod -x), or set CRATON_INV_ALLOW_EXECUTABLE_INVENTORIES."
            )
    return frozenset(folders)


def is_executable(path: Path) -> bool:
    """Whether Ansible would take the file for a script: an executable bit, or a first line naming an interpreter."""
    if path.stat().st_mode & 0o111:
        return True
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def folders_around(path: Path, linked: frozenset[Path]) -> tuple[Path, ...]:
    """What Ansible reads for the inventory at `path`: its folder (group_vars lie beside a file), and where links lead.

    `linked`: as `check_files` gives it.
    """
    own = path if path.is_dir() else path.parent
    return (own, *sorted(folder for folder in linked if not folder.is_relative_to(own)))
