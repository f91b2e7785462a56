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

MAX_FILES = 100_000  # folders, links and submodules count as well: a tree may name itself over and over
MAX_DEPTH = 64
MAX_NAME = 255  # bytes of one part of a path, as filesystems have it
MAX_PATH = 2048
MAX_NOTES = 100
SUBMODULE = 0o160000
POINTER = b"version https://git-lfs.github.com/spec/"
POINTER_LENGTH = 1024  # bytes; a pointer has fewer
BLOCK = 1024 * 1024


@dataclass(frozen=True)
class PackedTree:
    """`content`: a gzip tar that is the same for the same files. `files`: their paths, sorted."""

    files: list[str]
    content: bytes = field(repr=False)


def pack_tree(
    store: BaseObjectStore, tree: ObjectID, limit: int, say: Callable[[str], None], go_on: Callable[[], None]
) -> PackedTree:
    """Pack the files below a tree. Submodules are left out, with a word. Raises UpdateFailed beyond `limit` bytes.

    `go_on` is called for each entry, and raises once nobody waits for the files any more.
    """
    files: list[str] = []
    total = 0
    packed = io.BytesIO()
    notes = Notes(say)
    walk = _Walk(store, limit, notes.say, go_on)
    # Level 6, no name and no time: the same tree gives the same bytes.
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=6, format=tarfile.PAX_FORMAT) as archive:
        for path, mode, blob in walk.below(tree, "", 0):
            total += len(blob)
            if total > limit:
                raise walk.too_large()
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
    notes.end()
    return PackedTree(sorted(files), packed.getvalue())


class Notes:
    """What is left out of a tree, one line each; of many only how many more there are."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.count = 0

    def say(self, line: str) -> None:
        """One line, or none."""
        self.count += 1
        if self.count <= MAX_NOTES:
            self._say(line)

    def end(self) -> None:
        """The number of those that were not told."""
        if self.count > MAX_NOTES:
            self._say(f"{self.count - MAX_NOTES} more such entries are not told.")


class _Walk:
    """Goes through the folders of a commit, entry by entry, and counts them all."""

    def __init__(
        self, store: BaseObjectStore, limit: int, say: Callable[[str], None], go_on: Callable[[], None]
    ) -> None:
        self.store = store
        self.limit = limit
        self.say = say
        self.go_on = go_on
        self.seen = 0

    def below(self, tree: ObjectID, above: str, depth: int) -> Iterator[tuple[str, int, bytes]]:
        """Path, mode and content of the files and links."""
        if depth > MAX_DEPTH:
            raise UpdateFailed(f"The repository has folders deeper than {MAX_DEPTH}.")
        folder = self.store[tree]
        if not isinstance(folder, Tree):
            raise UpdateFailed("The repository holds something other than a folder where a folder should be.")
        for entry in folder.iteritems():
            if entry.path is None or entry.mode is None or entry.sha is None:
                raise UpdateFailed("The repository holds a folder that cannot be read.")
            self.go_on()
            self.seen += 1
            if self.seen > MAX_FILES:
                raise self.too_large()
            name = entry.path.decode("utf-8", "replace")
            path = f"{above}{name}"
            if not _is_name(name) or len(path.encode()) > MAX_PATH:
                raise UpdateFailed(f"The repository holds {path[:200]!r}, which is no path of a file.")
            if entry.mode == SUBMODULE:
                self.say(f"{path} is a submodule; it is left out.")
            elif stat.S_ISDIR(entry.mode):
                yield from self.below(entry.sha, f"{path}/", depth + 1)
            elif stat.S_ISREG(entry.mode) or stat.S_ISLNK(entry.mode):
                yield from self._file(path, entry.mode, entry.sha)
            else:
                self.say(f"{path} is neither a file nor a link nor a folder; it is left out.")

    def _file(self, path: str, mode: int, sha: ObjectID) -> Iterator[tuple[str, int, bytes]]:
        blob = self.store[sha]
        if not isinstance(blob, Blob):
            raise UpdateFailed(f"The repository holds no file at {path!r}.")
        if not stat.S_ISLNK(mode):
            if is_pointer(blob.data):
                self.say(f"{path} is kept in Git LFS; only its pointer is here.")
        elif not blob.data or b"\0" in blob.data or len(blob.data) > MAX_PATH:
            self.say(f"{path} is a link to nothing; it is left out.")
            return
        yield path, mode, blob.data

    def too_large(self) -> UpdateFailed:
        """The refusal of what is no repository for inventories."""
        return UpdateFailed(f"The repository has more than {MAX_FILES} files or {self.limit} bytes in its tree.")


def is_pointer(content: bytes) -> bool:
    """Whether a file is only the pointer that Git LFS keeps in its place."""
    return len(content) < POINTER_LENGTH and content.startswith(POINTER)


def _is_name(name: str) -> bool:
    if name in ("", ".", "..") or name.lower() == ".git" or "\ufffd" in name or len(name.encode()) > MAX_NAME:
        return False
    return not any(char in "/\\" or ord(char) < 32 for char in name)


def unpack_tree(content: bytes, folder: Path, say: Callable[[str], None]) -> None:
    """Make `folder` out of a packed tree: all of it or nothing, whoever else makes the same one at the same time.

    Links that lead out of it are left out, with a word. Raises UpdateFailed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        try:
            _unpack(content, made, say)
        except OSError as error:
            # Two entries of one name, a file where a folder should be, a full disk.
            raise UpdateFailed(f"The files of the project cannot be laid out: {error.strerror or error}.") from error
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _unpack(content: bytes, folder: Path, say: Callable[[str], None]) -> None:
    links: list[tuple[str, str]] = []
    notes = Notes(say)
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
            notes.say(f"{name} is a link out of the project; it is left out.")
    notes.end()
