"""Which files of a project look like inventories, by name alone (AWX): what /projects/:id/inventories/ offers."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

SUFFIXES = frozenset({"", ".ini", ".yml", ".yaml", ".json", ".toml", ".py", ".sh"})
SURE = frozenset({".ini"})
NAMED = re.compile(r"inventor|hosts", re.IGNORECASE)
ELSEWHERE = frozenset(
    {"group_vars", "host_vars", "roles", "tasks", "handlers", "templates", "files", "meta", "library", "collections"}
)


def inventory_files(files: Iterable[str]) -> list[str]:
    """Those of the files, and the folders called after inventories that hold them; sorted."""
    found: set[str] = set()
    for name in files:
        path = PurePosixPath(name)
        if ELSEWHERE.intersection(path.parts) or any(part.startswith(".") for part in path.parts):
            continue
        folders = path.parts[:-1]
        named = NAMED.search(path.name) or any(NAMED.search(part) for part in folders)
        if path.suffix in SUFFIXES and (named or path.suffix in SURE):
            found.add(name)
            for count, part in enumerate(folders, 1):
                if NAMED.search(part):
                    found.add("/".join(folders[:count]) + "/")
    return sorted(found)
