"""A git repository of the test, served over HTTP on loopback by dulwich's own server."""

import asyncio
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from dulwich.objects import Blob, Commit, Tag, Tree
from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import HTTPGitApplication

from craton_inv.providers.scm.git import fetch

AUTHOR = b"Ada <ada@example.org>"
FILE, PROGRAM, LINK, SUBMODULE = 0o100644, 0o100755, 0o120000, 0o160000


class Quiet(WSGIRequestHandler):
    """Keeps the log of requests to itself."""

    def log_message(self, format: str, *args: Any) -> None:
        return


@dataclass
class GitServer:
    """A repository that tests commit to. `requests` counts what was asked of the server; `login` demands one.

    `folder`: where whoever fetches keeps what it works on. `while_serving`: called with each request, in its thread.
    """

    repo: Repo
    folder: Path
    port: int = 0
    requests: list[str] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    login: str = ""
    while_serving: Callable[[str], None] = lambda request: None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/shop.git"

    def commit(self, files: Mapping[str, Any], branch: str = "main") -> str:
        """Commit these files, and no others, to a branch: path -> text, or (mode, bytes or id)."""
        store = self.repo.object_store
        tree = self._tree({tuple(path.split("/")): _entry(content) for path, content in files.items()})
        commit = Commit()
        commit.tree = tree
        ref = f"refs/heads/{branch}".encode()
        commit.parents = [self.repo.refs[ref]] if ref in self.repo.refs else []
        commit.author = commit.committer = AUTHOR
        commit.author_time = commit.commit_time = int(time.time())
        commit.author_timezone = commit.commit_timezone = 0
        commit.message = b"a change"
        store.add_object(commit)
        self.repo.refs[ref] = commit.id
        return commit.id.decode()

    def tag(self, name: str, commit: str) -> None:
        """An annotated tag."""
        tag = Tag()
        tag.name, tag.message, tag.tagger = name.encode(), b"a tag", AUTHOR
        tag.tag_time, tag.tag_timezone = int(time.time()), 0
        tag.object = (Commit, commit.encode())
        self.repo.object_store.add_object(tag)
        self.repo.refs[f"refs/tags/{name}".encode()] = tag.id

    def _tree(self, files: Mapping[tuple[str, ...], tuple[int, bytes | str]]) -> bytes:
        tree = Tree()
        folders: dict[str, dict[tuple[str, ...], tuple[int, bytes | str]]] = {}
        for path, (mode, content) in files.items():
            if len(path) > 1:
                folders.setdefault(path[0], {})[path[1:]] = (mode, content)
            elif isinstance(content, str):
                tree.add(path[0].encode(), mode, content.encode())
            else:
                blob = Blob.from_string(content)
                self.repo.object_store.add_object(blob)
                tree.add(path[0].encode(), mode, blob.id)
        for name, below in folders.items():
            tree.add(name.encode(), stat.S_IFDIR, self._tree(below))
        self.repo.object_store.add_object(tree)
        return tree.id


def threads_at_work() -> int:
    """How many threads read a repository at this moment."""
    return sum(_reads(frame) for frame in sys._current_frames().values())


def _reads(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == fetch.__code__.co_filename and frame.f_code.co_name == "_fetch":
            return True
        frame = frame.f_back
    return False


async def until(true: Callable[[], bool]) -> None:
    """Wait at most a minute."""
    for _ in range(6000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited in vain")


def _entry(content: Any) -> tuple[int, bytes | str]:
    if isinstance(content, tuple):
        mode, value = content
        return mode, value
    return FILE, content.encode()


@pytest.fixture
def git(tmp_path: Path) -> Iterator[GitServer]:
    """An empty repository, served."""
    path = tmp_path / "served" / "shop.git"
    path.mkdir(parents=True)
    repo = Repo.init_bare(path, default_branch=b"main")
    made = GitServer(repo, tmp_path / "projects")
    application = HTTPGitApplication(DictBackend({"/shop.git": repo}))

    def counted(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        made.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        made.authorizations.append(environ.get("HTTP_AUTHORIZATION"))
        made.while_serving(made.requests[-1])
        if made.login and environ.get("HTTP_AUTHORIZATION") != made.login:
            start_response("401 Unauthorized", [("Content-Length", "0")])
            return [b""]
        return application(environ, start_response)

    with make_server("127.0.0.1", 0, counted, server_class=WSGIServer, handler_class=Quiet) as server:
        made.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        server.shutdown()
        thread.join()
    repo.close()
