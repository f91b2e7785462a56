"""Which paths a file source may name: those below the allowed folders, after every symbolic link is followed."""

import os
from collections.abc import Sequence
from pathlib import Path

from craton_inv.errors import InvalidField


def inside_roots(source_path: str, roots: Sequence[Path], field: str = "source_path") -> Path:
    """The real path of `source_path`; a relative one is looked for below each root in turn.

    Raises InvalidField when it lies outside all roots, links followed. It need not exist.
    """
    if "\x00" in source_path:
        raise InvalidField(field, "The path contains the character NUL.")
    real_roots = [Path(os.path.realpath(root)) for root in roots]
    written = Path(source_path)
    candidates = [written] if written.is_absolute() else [root / written for root in real_roots]
    allowed = [
        real
        for real in (Path(os.path.realpath(candidate)) for candidate in candidates)
        if any(real.is_relative_to(root) for root in real_roots)
    ]
    if not allowed:
        raise InvalidField(
            field, f"{source_path!r} is outside the folders that file sources may read (CRATON_INV_FILE_ROOTS)."
        )
    return next((path for path in allowed if path.exists()), allowed[0])
