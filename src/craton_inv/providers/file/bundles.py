"""Bundles (zip, tar, tar.gz, tar.xz) unpacked piece by piece: plain files below one folder, within limits, no code.

Nothing is trusted of what an archive says of itself: sizes are counted as bytes come, and what describes a member is
limited too, so that a small upload cannot grow in memory or on disk.
"""

import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO

from craton_inv.errors import UpdateFailed

MAX_MEMBERS = 20_000  # files and folders
MAX_SIZE = 512 * 1024 * 1024  # bytes of all files
MAX_DEPTH = 32  # folders that lie in one another
LONGEST_PATH = 1024  # characters
MAX_HEADER = 1024 * 1024  # bytes by which a tar may describe one member
PIECE = 64 * 1024
# Files by which a bundle would change how Ansible itself runs, or bring code.
REFUSED = re.compile(r"(^|/)(ansible\.cfg|[a-z_]+_plugins|library|module_utils|collections)(/|$)")
GZIP, XZ, USTAR = b"\x1f\x8b", b"\xfd7zXZ\x00", b"ustar"
ZIP, ZIP_MEMBER = b"PK\x03\x04", b"PK\x01\x02"
# What the readers of the standard library raise for archives that are broken, encrypted or cut off.
BROKEN = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError,
    LookupError,
)  # fmt: skip
_UNREADABLE_NAME = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def unpacker(content: bytes) -> Callable[[Path], None] | None:
    """How to unpack an upload below a folder, or None for what is no bundle. Unpacking raises UpdateFailed."""
    if content[:4] == ZIP or zipfile.is_zipfile(io.BytesIO(content)):
        return lambda folder: _unpack(_unpack_zip, content, folder)
    if content[:2] == GZIP or content[257:262] == USTAR or content[:6] == XZ:
        return lambda folder: _unpack(_unpack_tar, content, folder)
    return None


class Unpacked:
    """The folder that a bundle is unpacked to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.members = 0
        self.size = 0

    def count(self, name: str) -> None:
        """One more member of this name. Raises UpdateFailed for too many and for a path out of the bundle."""
        self.members += 1
        if self.members > MAX_MEMBERS:
            raise UpdateFailed(f"The bundle holds more than {MAX_MEMBERS} files and folders.")
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\\" in name:
            raise UpdateFailed(f"The bundle holds {name[:200]!a}, a path out of the bundle.")
        if _UNREADABLE_NAME.search(name):
            raise UpdateFailed(f"The bundle holds {name[:200]!a}, a name with control characters or other than UTF-8.")
        if len(name) > LONGEST_PATH or len(parts) > MAX_DEPTH:
            raise UpdateFailed(
                f"The bundle holds {name[:200]!a}, a path of more than {LONGEST_PATH} characters or {MAX_DEPTH} "
                "folders."
            )
        if REFUSED.search(name):
            raise UpdateFailed(f"The bundle holds {name!r}, which would change how Ansible runs.")

    def write(self, name: str, file: IO[bytes]) -> None:
        """Write a counted member. Raises UpdateFailed for a path that is taken or cannot be, and for too many bytes."""
        path = self.folder.joinpath(*PurePosixPath(name).parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            target = path.open("wb")
        except OSError as error:
            raise UpdateFailed(f"{name!r} of the bundle cannot be unpacked: {error.strerror}.") from error
        with target:
            while piece := file.read(PIECE):
                self.size += len(piece)
                self.refuse_size(self.size)
                target.write(piece)

    def refuse_size(self, size: int) -> None:
        """Raise UpdateFailed for more bytes than are unpacked."""
        if size > MAX_SIZE:
            raise UpdateFailed(f"The bundle holds more than {MAX_SIZE} bytes.")


def _unpack(way: Callable[[bytes, Unpacked], None], content: bytes, folder: Path) -> None:
    try:
        way(content, Unpacked(folder))
    except BROKEN as error:
        raise UpdateFailed(f"The uploaded bundle cannot be read: {error or type(error).__name__}.") from error


def _unpack_zip(content: bytes, unpacked: Unpacked) -> None:
    if content.count(ZIP_MEMBER) > MAX_MEMBERS:
        raise UpdateFailed(f"The bundle holds more than {MAX_MEMBERS} files and folders.")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            unpacked.count(member.filename)
            if (member.external_attr >> 16) & 0o170000 not in (0, 0o100000, 0o040000):
                raise UpdateFailed(f"The bundle holds {member.filename!r}, which is no plain file.")
            if member.is_dir():
                continue
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise UpdateFailed(f"The bundle holds {member.filename!r}, packed by another method than deflate.")
            with archive.open(member) as file:
                unpacked.write(member.filename, file)


def _unpack_tar(content: bytes, unpacked: Unpacked) -> None:
    bounded = _Bounded(_plain(content))
    with tarfile.open(fileobj=bounded, mode="r|") as archive:
        for member in archive:
            unpacked.count(member.name)
            if not member.isdir():
                file = archive.extractfile(member) if member.isreg() and not member.issparse() else None
                if file is None:
                    raise UpdateFailed(f"The bundle holds {member.name!r}, which is no plain file.")
                unpacked.refuse_size(unpacked.size + member.size)
                bounded.left = member.size + MAX_HEADER
                unpacked.write(member.name, file)
            bounded.left = MAX_HEADER


def _plain(content: bytes) -> io.BufferedIOBase:
    """The tar without its packing."""
    packed = io.BytesIO(content)
    if content[:2] == GZIP:
        return gzip.GzipFile(fileobj=packed)
    return lzma.LZMAFile(packed) if content[:6] == XZ else packed


class _Bounded(io.RawIOBase):
    """A tar as it comes; `left`: bytes that may still be read before somebody looks at what came."""

    def __init__(self, file: io.BufferedIOBase) -> None:
        self.file = file
        self.left = MAX_HEADER

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes."""
        data = self.file.read(min(size, self.left + 1) if size >= 0 else self.left + 1)
        self.left -= len(data)
        if self.left < 0:
            raise UpdateFailed(f"The bundle describes a file by more than {MAX_HEADER} bytes.")
        return data
