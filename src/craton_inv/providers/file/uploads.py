"""Uploaded inventories: one file, or a bundle (tar, zip), unpacked file by file into a private folder."""

import io
import re
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from craton_inv.errors import UpdateFailed
from craton_inv.providers.base import Upload

MAX_MEMBERS = 20_000
MAX_SIZE = 512 * 1024 * 1024
# Files by which a bundle would change how Ansible itself runs, or bring code.
REFUSED = re.compile(r"(^|/)(ansible\.cfg|[a-z_]+_plugins|library|module_utils|collections)(/|$)")


def unpack(upload: Upload, folder: Path, allow_executables: bool) -> Path:
    """Write the upload below `folder`; the path to give Ansible. Raises UpdateFailed for what a bundle may not hold."""
    content = upload.content
    if zipfile.is_zipfile(io.BytesIO(content)):
        return _unpack(_zip_members(content), folder)
    if content[:2] == b"\x1f\x8b" or content[257:262] == b"ustar" or content[:6] == b"\xfd7zXZ\x00":
        return _unpack(_tar_members(content), folder)
    suffix = PurePosixPath(upload.filename).suffix
    path = folder / f"inventory{suffix if re.fullmatch(r'[.][A-Za-z0-9]{1,10}', suffix) else ''}"
    path.write_bytes(content)
    if allow_executables and content.startswith(b"#!"):
        path.chmod(0o700)
    return path


def _zip_members(content: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            if (member.external_attr >> 16) & 0o170000 not in (0, 0o100000, 0o040000):
                raise UpdateFailed(f"The bundle holds {member.filename!r}, which is no plain file.")
            if not member.is_dir():
                _check_size(member.file_size)
                yield member.filename, archive.read(member)


def _tar_members(content: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as archive:
            for member in archive:
                if member.isdir():
                    continue
                file = archive.extractfile(member) if member.isreg() else None
                if file is None:
                    raise UpdateFailed(f"The bundle holds {member.name!r}, which is no plain file.")
                _check_size(member.size)
                yield member.name, file.read()
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UpdateFailed(f"The uploaded bundle cannot be read: {error}.") from error


def _check_size(size: int) -> None:
    if size > MAX_SIZE:
        raise UpdateFailed(f"The bundle holds a file of {size} bytes; at most {MAX_SIZE} are unpacked.")


def _unpack(members: Iterator[tuple[str, bytes]], folder: Path) -> Path:
    total = 0
    for count, (name, data) in enumerate(members):
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\\" in name or "\x00" in name:
            raise UpdateFailed(f"The bundle holds {name!r}, a path out of the bundle.")
        if REFUSED.search(name):
            raise UpdateFailed(f"The bundle holds {name!r}, which would change how Ansible runs.")
        total += len(data)
        if count >= MAX_MEMBERS or total > MAX_SIZE:
            raise UpdateFailed(f"The bundle holds more than {MAX_MEMBERS} files or {MAX_SIZE} bytes.")
        path = folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return _inventory_in(folder)


def _inventory_in(folder: Path) -> Path:
    """The folder to give Ansible: `inventory/` if there is one, through single top folders."""
    while True:
        if (folder / "inventory").is_dir():
            return folder / "inventory"
        entries = list(folder.iterdir())
        if len(entries) != 1 or not entries[0].is_dir() or entries[0].name in ("group_vars", "host_vars"):
            return folder
        folder = entries[0]
