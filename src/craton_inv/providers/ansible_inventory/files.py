"""What of an inventory on disk Ansible may read: below the allowed folders, after every symbolic link is followed."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from craton_inv.errors import UpdateFailed
from craton_inv.providers.ansible_inventory.yaml_guard import refuse_alias_bomb

MAX_FILES = 20_000
VARIABLES = frozenset({"group_vars", "host_vars"})


def _walk(top: Path) -> Iterator[tuple[Path, bool]]:
    """Every file Ansible may read for an inventory at `top`; True for those it takes as inventories themselves."""
    if not top.is_dir():
        yield top, True
        neighbours = [top.parent / name for name in VARIABLES]
    else:
        neighbours = [top]
    for start in neighbours:
        for folder, _, names in os.walk(start, followlinks=True):
            parts = set(Path(folder).relative_to(top.parent).parts)
            for name in names:
                yield Path(folder) / name, not parts & VARIABLES


def check_files(top: Path, roots: Sequence[Path], allow_executables: bool) -> frozenset[Path]:
    """The real folders in which the files of an inventory lie: links may lead to others within the roots.

    Raises UpdateFailed for a link out of the roots, an executable that is not allowed, a YAML file whose aliases
    explode, or too many files.
    """
    real_roots = [Path(os.path.realpath(root)) for root in roots]
    folders: set[Path] = set()
    for count, (path, is_inventory) in enumerate(_walk(top)):
        if count >= MAX_FILES:
            raise UpdateFailed(f"{top.name} holds more than {MAX_FILES} files.")
        real = Path(os.path.realpath(path))
        if not any(real.is_relative_to(root) for root in real_roots):
            raise UpdateFailed(f"{path.name} is a link out of the folders that this source may read.")
        if not real.exists():
            continue
        mode = real.stat().st_mode
        if not stat.S_ISREG(mode):
            raise UpdateFailed(f"{path.name} is neither a file nor a folder.")
        refuse_alias_bomb(real)
        folders.add(real.parent)
        if is_inventory and not allow_executables and is_executable(real):
            raise UpdateFailed(
                f"{path.name} is executable, and Ansible would run it. Executable inventories are switched off; take "
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
