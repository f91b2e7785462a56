"""Fetches one commit of a git repository over HTTP or ssh, through the door to the outside; no git program is run.

dulwich speaks the protocol in a thread of its own; whatever it sends or reads is handed to the event loop, where the
door checks and limits it.
"""

import asyncio
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from dulwich.client import GitClient, InvalidWants
from dulwich.errors import (
    ApplyDeltaError,
    ChecksumMismatch,
    FileFormatException,
    GitProtocolError,
    HangupException,
    NotGitRepository,
    WrongObjectException,
)
from dulwich.object_store import DiskObjectStore, ObjectStoreGraphWalker
from dulwich.objects import Commit, ObjectID, Tag
from dulwich.pack import UnresolvedDeltas

from craton_inv.errors import RemoteFault, UpdateFailed
from craton_inv.http_out import HttpOut
from craton_inv.http_out.ssh import SshLogin, SshOut
from craton_inv.http_out.ssh_url import is_ssh_url
from craton_inv.providers.scm.bridge import Bridge
from craton_inv.providers.scm.git_http import IN_MEMORY, HttpClient
from craton_inv.providers.scm.git_ssh import SshClient
from craton_inv.providers.scm.pack_guard import check_pack
from craton_inv.providers.scm.references import Wanted, check_reference, read_refspec
from craton_inv.providers.scm.tree import PackedTree, pack_tree
from craton_inv.settings import Settings

MAX_REMOTE_LINES = 100
Say = Callable[[str], None]
# What dulwich raises over bytes that are no git: they are the server's, so it can be any of these.
UNREADABLE = (
    GitProtocolError, HangupException, FileFormatException, ChecksumMismatch, ApplyDeltaError, UnresolvedDeltas,
    WrongObjectException, InvalidWants, zlib.error, AssertionError, ValueError, LookupError, TypeError, ArithmeticError,
    AttributeError, EOFError, RecursionError,
)  # fmt: skip


@dataclass(frozen=True)
class Repository:
    """What to fetch from. `reference`: branch, tag, full commit or `refs/…`; "" for what HEAD names.

    `refspec`: what is known beside branches and tags. `key`: a private key with its `passphrase`, for ssh.
    """

    url: str
    reference: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    refspec: str = ""


@dataclass(frozen=True)
class Doors:
    """The ways out. `folder`: where a repository lies while it is read."""

    http: HttpOut
    ssh: SshOut
    folder: Path

    @classmethod
    def of(cls, settings: Settings, folder: Path) -> "Doors":
        """As the operator set them."""
        return cls(HttpOut.of(settings), SshOut.of(settings), folder)


@dataclass(frozen=True)
class Fetched:
    """A commit. `tree` is None when it is the one that was known already."""

    revision: str
    tree: PackedTree | None


async def fetch(doors: Doors, repository: Repository, known: str, *, size: int, seconds: float, say: Say) -> Fetched:
    """The commit that a reference stands for now, with its files unless it is `known`.

    `size`: bytes of one answer, and of all files together. Raises BlockedAddress, RemoteFault, TransientError, and
    UpdateFailed for what is no repository, has no such reference, or is too large.
    """
    check_reference(repository.reference)
    bridge = Bridge(size)
    client = _client(doors, bridge, repository, seconds)
    try:
        return await asyncio.to_thread(_fetch, client, bridge, doors.folder, repository, known, say)
    except NotGitRepository as error:
        raise UpdateFailed(f"{repository.url} is no git repository.") from error
    except UNREADABLE as error:
        text = str(error).replace("\x00", "") or type(error).__name__
        raise UpdateFailed(f"{repository.url} is not read as a git repository: {text[:500]}.") from error
    finally:
        bridge.stop()
        if isinstance(client, SshClient):
            client.hang_up()


def _client(doors: Doors, bridge: Bridge, repository: Repository, seconds: float) -> HttpClient | SshClient:
    if not is_ssh_url(repository.url):
        if repository.key and not repository.password:
            raise UpdateFailed("The project's credential is an SSH key, and its URL leads over https.")
        return HttpClient(doors.http, bridge, repository.url, (repository.username, repository.password), seconds)
    if not repository.key and not repository.password:
        raise UpdateFailed("The URL leads over ssh: the project needs a source control credential with an SSH key.")
    login = SshLogin(repository.username, repository.key, repository.passphrase, repository.password)
    return SshClient(doors.ssh, bridge, repository.url, login)


def _fetch(client: GitClient, bridge: Bridge, folder: Path, repository: Repository, known: str, say: Say) -> Fetched:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder, ignore_cleanup_errors=True) as made:
        path = Path(made) / "objects"
        path.mkdir()
        store = DiskObjectStore.init(str(path))
        try:
            wanted = Wanted(repository.reference, read_refspec(repository.refspec), known, bridge.expect_files)
            try:
                _get_pack(client, bridge, store, wanted, say, depth=1)
            except (GitProtocolError, HangupException, RemoteFault):
                bridge.go_on()
                if not wanted.unadvertised:
                    raise
                # Many servers give only what a branch or tag names: then the commit is looked for below all of them.
                say("The server gives no single commit; everything is fetched.")
                wanted.everything = True
                _get_pack(client, bridge, store, wanted, say, depth=None)
            if wanted.nothing_new:
                return Fetched(known, None)
            commit = _commit(store, wanted.found, repository.reference)
            revision = commit.id.decode("ascii")
            if revision == known:
                return Fetched(known, None)
            return Fetched(revision, pack_tree(store, commit.tree, bridge.size, say, bridge.go_on))
        finally:
            store.close()


def _get_pack(
    client: GitClient, bridge: Bridge, store: DiskObjectStore, wanted: Wanted, say: Say, depth: int | None
) -> None:
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as pack:
        walker = ObjectStoreGraphWalker([], lambda _: [])
        client.fetch_pack(b"", cast(Any, wanted), walker, pack.write, progress=_Progress(say), depth=depth)
        if not pack.tell():
            return
        pack.seek(0)
        check_pack(cast(IO[bytes], _Watched(pack, bridge)), bridge.size)
        pack.seek(0)
        into, commit, abort = store.add_pack()
        try:
            while chunk := pack.read(1024 * 1024):
                into.write(chunk)
        except BaseException:
            abort()
            raise
        commit()


class _Watched:
    """A file whose reader can be stopped."""

    def __init__(self, file: IO[bytes], bridge: Bridge) -> None:
        self.file = file
        self.bridge = bridge

    def read(self, size: int) -> bytes:
        self.bridge.go_on()
        return self.file.read(size)


class _Progress:
    """What the server says of its work: the first finished lines, not how they grow."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.rest = ""
        self.told = 0

    def __call__(self, piece: bytes) -> None:
        *lines, self.rest = (self.rest + piece.decode("utf-8", "replace")).split("\n")
        self.rest = self.rest.rpartition("\r")[2][-1000:]
        for line in lines:
            shown = "".join(char for char in line.rpartition("\r")[2] if char.isprintable()).strip()
            if shown and self.told < MAX_REMOTE_LINES:
                self.told += 1
                self.say(f"remote: {shown[:1000]}")


def _commit(store: DiskObjectStore, found: ObjectID | None, reference: str) -> Commit:
    """The commit behind a branch, a commit, or a tag with a text of its own."""
    if found is None or found not in store:
        raise UpdateFailed(f"The repository has no branch, tag or commit {reference!r}.")
    item = store[found]
    for _ in range(10):
        if not isinstance(item, Tag):
            break
        item = store[item.object[1]]
    if not isinstance(item, Commit):
        raise UpdateFailed(f"{reference!r} names no commit.")
    return item
