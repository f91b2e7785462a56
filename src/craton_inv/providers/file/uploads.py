"""Uploaded inventories: one file, or a bundle, written into a private folder."""

import re
from pathlib import Path, PurePosixPath

from craton_inv.providers.base import Upload
from craton_inv.providers.file.bundles import unpacker


def unpack(upload: Upload, folder: Path, allow_executables: bool) -> Path:
    """Write the upload below `folder`; the path to give Ansible. Raises UpdateFailed for what a bundle may not hold."""
    unpack_bundle = unpacker(upload.content)
    if unpack_bundle is not None:
        unpack_bundle(folder)
        return _inventory_in(folder)
    suffix = PurePosixPath(upload.filename).suffix
    path = folder / f"inventory{suffix if re.fullmatch(r'[.][A-Za-z0-9]{1,10}', suffix) else ''}"
    path.write_bytes(upload.content)
    if allow_executables and upload.content.startswith(b"#!"):
        path.chmod(0o700)
    return path


def _inventory_in(folder: Path) -> Path:
    """The folder to give Ansible: `inventory/` if there is one, through single top folders."""
    while True:
        if (folder / "inventory").is_dir():
            return folder / "inventory"
        entries = list(folder.iterdir())
        if len(entries) != 1 or not entries[0].is_dir() or entries[0].name in ("group_vars", "host_vars"):
            return folder
        folder = entries[0]
