"""The files of a commit as one packed tar, and back into a folder: plain files and links that stay inside, no more."""

import io
import os
import shutil
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from dulwich.object_store import BaseObjectStore
from dulwich.objects import Blob, ObjectID, Tree

from craton_inv.errors import UpdateFailed

MAX_FILES = 100_000
MAX_DEPTH = 64
SUBMODULE = 0o160000
BLOCK = 1024 * 1024


@dataclass(frozen=True)
class PackedTree:
    """`content`: a gzip tar that is the same for the same files. `files`: their paths, sorted."""

    files: list[str]
    content: bytes = field(repr=False)


def pack_tree(store: BaseObjectStore, tree: ObjectID, limit: int, say: Callable[[str], None]) -> PackedTree:
    """Pack the files below a tree. Submodules are left out, with a word. Raises UpdateFailed beyond `limit` bytes."""
    files: list[str] = []
    total = 0
    packed = io.BytesIO()
    # Level 6, no name and no time: the same tree gives the same bytes.
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=6, format=tarfile.PAX_FORMAT) as archive:
        for path, mode, blob in _walk(store, tree, "", 0, say):
            total += len(blob)
            if len(files) >= MAX_FILES or total > limit:
                raise UpdateFailed(f"The repository has more than {MAX_FILES} files or {limit} bytes in its tree.")
            files.append(path)
            member = tarfile.TarInfo(path)
            if stat.S_ISLNK(mode):
                member.type = tarfile.SYMTYPE
                member.linkname = blob.decode("utf-8", "surrogateescape")
                archive.addfile(member)
            else:
                member.mode = 0o755 if mode & 0o100 else 0o644
                member.size = len(blob)
                archive.addfile(member, io.BytesIO(blob))
    return PackedTree(sorted(files), packed.getvalue())


def _walk(
    store: BaseObjectStore, tree: ObjectID, above: str, depth: int, say: Callable[[str], None]
) -> Iterator[tuple[str, int, bytes]]:
    if depth > MAX_DEPTH:
        raise UpdateFailed(f"The repository has folders deeper than {MAX_DEPTH}.")
    folder = store[tree]
    if not isinstance(folder, Tree):
        raise UpdateFailed("The repository holds something other than a folder where a folder should be.")
    for entry in folder.iteritems():
        assert entry.path is not None  # noqa: S101 - an entry of a tree has all three
        assert entry.mode is not None  # noqa: S101
        assert entry.sha is not None  # noqa: S101
        name = entry.path.decode("utf-8", "replace")
        path = f"{above}{name}"
        if not _is_name(name):
            raise UpdateFailed(f"The repository holds {path!r}, which is no path of a file.")
        if entry.mode == SUBMODULE:
            say(f"{path} is a submodule; it is left out.")
        elif stat.S_ISDIR(entry.mode):
            yield from _walk(store, entry.sha, f"{path}/", depth + 1, say)
        elif stat.S_ISREG(entry.mode) or stat.S_ISLNK(entry.mode):
            blob = store[entry.sha]
            if not isinstance(blob, Blob):
                raise UpdateFailed(f"The repository holds no file at {path!r}.")
            if stat.S_ISLNK(entry.mode) and (not blob.data or b"\0" in blob.data):
                say(f"{path} is a link to nothing; it is left out.")
                continue
            yield path, entry.mode, blob.data
        else:
            say(f"{path} is neither a file nor a link nor a folder; it is left out.")


def _is_name(name: str) -> bool:
    if name in ("", ".", "..") or name.lower() == ".git" or "\ufffd" in name:
        return False
    return not any(char in "/\\" or ord(char) < 32 for char in name)


def unpack_tree(content: bytes, folder: Path, say: Callable[[str], None]) -> None:
    """Make `folder` out of a packed tree: all of it or nothing, whoever else makes the same one at the same time.

    Links that lead out of it are left out, with a word.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _unpack(content, made, say)
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _unpack(content: bytes, folder: Path, say: Callable[[str], None]) -> None:
    links: list[tuple[str, str]] = []
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            if path.is_absolute() or ".." in path.parts:
                raise UpdateFailed(f"The stored tree holds {member.name!r}, a path out of it.")
            if member.issym():
                links.append((member.name, member.linkname))
                continue
            file = archive.extractfile(member) if member.isreg() else None
            if file is None:
                raise UpdateFailed(f"The stored tree holds {member.name!r}, which is no plain file.")
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as into:
                shutil.copyfileobj(file, into, BLOCK)
            target.chmod(0o755 if member.mode & 0o100 else 0o644)
    # After all files, and none below another: nothing is ever written through a link.
    top = os.path.realpath(folder)
    for name, leads_to in links:
        link = folder / name
        if not Path(os.path.realpath(link.parent)).is_relative_to(top):
            raise UpdateFailed(f"The stored tree holds {name!r} below a link out of it.")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(leads_to)
    for name, _ in links:
        if not Path(os.path.realpath(folder / name)).is_relative_to(top):
            (folder / name).unlink()
            say(f"{name} is a link out of the project; it is left out.")
