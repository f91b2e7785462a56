"""Fetches one commit of a git repository over HTTP, through the door to the outside; no git program is run.

dulwich speaks the protocol in a thread of its own; each of its requests is handed to the event loop, where the door
checks, limits and sends it.
"""

import asyncio
import base64
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from concurrent.futures import Future as ThreadFuture
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from dulwich.client import AbstractHttpGitClient
from dulwich.errors import GitProtocolError, HangupException, NotGitRepository
from dulwich.object_store import DiskObjectStore, ObjectStoreGraphWalker
from dulwich.objects import Commit, ObjectID, Tag
from dulwich.refs import Ref, check_ref_format

from craton_inv.errors import InvalidField, RemoteFault, TransientError, UpdateFailed
from craton_inv.http_out import HttpOut, Limits
from craton_inv.http_out.door import Answer
from craton_inv.providers.scm.pack_guard import check_pack
from craton_inv.providers.scm.tree import PackedTree, pack_tree

IN_MEMORY = 4 * 1024 * 1024
HEX = frozenset("0123456789abcdef")
Say = Callable[[str], None]


@dataclass(frozen=True)
class Repository:
    """What to fetch from. `reference`: branch, tag, full commit or `refs/…`; "" for what HEAD names."""

    url: str
    reference: str = ""
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Fetched:
    """A commit. `tree` is None when it is the one that was known already."""

    revision: str
    tree: PackedTree | None


def check_reference(reference: str, name: str = "scm_branch") -> None:
    """Raise InvalidField for what can be neither a branch nor a tag nor a commit."""
    if reference and (reference.startswith("-") or not check_ref_format(Ref(f"refs/heads/{reference}".encode()))):
        raise InvalidField(name, f"{reference[:80]!r} can be neither a branch nor a tag nor a commit.")


def is_commit(reference: str) -> bool:
    """Whether a reference is the full id of a commit."""
    return len(reference) == 40 and HEX.issuperset(reference)


async def fetch(door: HttpOut, repository: Repository, known: str, *, size: int, seconds: float, say: Say) -> Fetched:
    """The commit that a reference stands for now, with its files unless it is `known`.

    `size`: bytes of one answer, and of all files together. Raises BlockedAddress, RemoteFault, TransientError, and
    UpdateFailed for what is no repository, has no such reference, or is too large.
    """
    check_reference(repository.reference)
    client = _Client(door, repository, Limits(seconds=seconds, size=size), asyncio.get_running_loop())
    try:
        return await asyncio.to_thread(_fetch, client, repository, known, size, say)
    except (GitProtocolError, HangupException, AssertionError, ValueError, KeyError, TypeError) as error:
        text = str(error).replace("\x00", "") or type(error).__name__
        raise UpdateFailed(f"{repository.url} is not read as a git repository: {text[:500]}.") from error
    except NotGitRepository as error:
        raise UpdateFailed(f"{repository.url} is no git repository.") from error
    finally:
        client.stop()


def _fetch(client: "_Client", repository: Repository, known: str, size: int, say: Say) -> Fetched:
    with tempfile.TemporaryDirectory(prefix="craton-inv-git-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "objects"
        path.mkdir()
        store = DiskObjectStore.init(str(path))
        try:
            wanted = _Wanted(repository.reference, known)
            try:
                _get_pack(client, store, wanted, size, depth=1)
            except (GitProtocolError, RemoteFault):
                if not wanted.unadvertised:
                    raise
                # Many servers give only what a branch or tag names: then the commit is looked for below all of them.
                say("The server gives no single commit; everything is fetched.")
                wanted.everything = True
                _get_pack(client, store, wanted, size, depth=None)
            if wanted.nothing_new:
                return Fetched(known, None)
            commit = _commit(store, wanted.found, repository.reference)
            revision = commit.id.decode("ascii")
            if revision == known:
                return Fetched(known, None)
            return Fetched(revision, pack_tree(store, commit.tree, size, say))
        finally:
            store.close()


def _get_pack(client: "_Client", store: DiskObjectStore, wanted: "_Wanted", size: int, depth: int | None) -> None:
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as pack:
        walker = ObjectStoreGraphWalker([], lambda _: [])
        client.fetch_pack("", wanted, walker, pack.write, depth=depth)
        if not pack.tell():
            return
        pack.seek(0)
        check_pack(pack, size)
        pack.seek(0)
        into, commit, abort = store.add_pack()
        try:
            while chunk := pack.read(1024 * 1024):
                into.write(chunk)
        except BaseException:
            abort()
            raise
        commit()


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


class _Wanted:
    """Tells dulwich what to ask for, once it knows what the server has."""

    def __init__(self, reference: str, known: str) -> None:
        self.reference = reference
        self.known = known
        self.found: ObjectID | None = None
        self.unadvertised = False
        self.everything = False
        self.nothing_new = False

    def __call__(self, refs: Mapping[Any, ObjectID], depth: int | None = None) -> list[ObjectID]:
        name = self.reference.encode()
        for candidate in (b"refs/heads/" + name, b"refs/tags/" + name, name) if name else (b"HEAD",):
            if candidate in refs:
                self.found = refs[candidate]
                break
        else:
            if not is_commit(self.reference):
                return []
            self.found = ObjectID(name)
            self.unadvertised = self.found not in refs.values()
        if self.found == self.known.encode():
            self.nothing_new = True
            return []
        if self.everything:
            return sorted({sha for ref, sha in refs.items() if ref.startswith((b"refs/heads/", b"refs/tags/"))})
        return [self.found]


@dataclass
class _Response:
    """What dulwich looks at of an answer."""

    content_type: str | None
    redirect_location: str
    file: IO[bytes]

    def close(self) -> None:
        self.file.close()


class _Client(AbstractHttpGitClient):
    """dulwich's client on our door. Only the smart protocol: files of a plain web server are not asked for."""

    def __init__(self, door: HttpOut, repository: Repository, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        # We have nothing that a thin pack could build upon; but some servers talk to nobody who cannot read one.
        super().__init__(repository.url, dumb=False, thin_packs=True, quiet=True)
        self.door = door
        self.limits = limits
        self.loop = loop
        self.origin = _origin(repository.url)
        self.authorization = ""
        if repository.username or repository.password:
            pair = f"{repository.username}:{repository.password}".encode()
            self.authorization = f"Basic {base64.b64encode(pair).decode()}"
        self.stopped = False
        self._asking: ThreadFuture[Answer] | None = None

    def stop(self) -> None:
        """Let go of a request that is under way: nobody waits for it any more."""
        self.stopped = True
        if self._asking is not None:
            self._asking.cancel()

    def _http_request(
        self,
        url: str,
        headers: dict[str, str] | None = None,
        data: bytes | Iterator[bytes] | None = None,
        raise_for_status: bool = True,
    ) -> Any:
        sent = {name: text for name, text in (headers or {}).items() if name.lower() != "content-length"}
        if self.authorization and _origin(url) == self.origin:
            sent["Authorization"] = self.authorization
        body = data if data is None or isinstance(data, bytes) else b"".join(data)
        file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - dulwich closes it
        try:
            answer = self._ask("GET" if body is None else "POST", url, sent, body, file)
        except BaseException:
            file.close()
            raise
        kind = answer.headers.get("content-type")
        if answer.status != 200 or not (kind or "").startswith("application/x-git-"):
            file.close()
            raise _refusal(answer, url)
        file.seek(0)
        return _Response(kind, answer.url if answer.url != url else "", file), file.read

    def _ask(self, method: str, url: str, headers: dict[str, str], body: bytes | None, file: IO[bytes]) -> Answer:
        if self.stopped:
            raise HangupException()
        work = self.door.request(method, url, headers=headers, body=body, limits=self.limits, sink=file)
        self._asking = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            return self._asking.result()
        except CancelledError as error:
            raise HangupException() from error


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3]).lower()


def _refusal(answer: Answer, url: str) -> Exception:
    where = url.partition("?")[0]
    if answer.status in (401, 403):
        return RemoteFault(f"{where} answers {answer.status}: the project needs a credential, or another one.")
    if answer.status in (429, 502, 503, 504):
        return TransientError(f"{where} answers {answer.status}.")
    if answer.status in (200, 404):
        return NotGitRepository()
    return RemoteFault(f"{where} answers {answer.status}.")
