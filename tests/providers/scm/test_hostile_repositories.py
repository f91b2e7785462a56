"""Repositories made to do harm: trees without end, names that no disk takes, answers that are no git."""

import asyncio
import random
import stat
from pathlib import Path
from typing import Any

import pytest
from dulwich.objects import Blob, Commit, Tree

from craton_inv.errors import RemoteFault, UpdateFailed
from craton_inv.http_out import HttpOut
from craton_inv.http_out.door import Answer
from craton_inv.http_out.ssh import SshOut
from craton_inv.providers.scm import tree as tree_module
from craton_inv.providers.scm.git import Doors, Fetched, Repository, fetch
from craton_inv.providers.scm.tree import unpack_tree
from tests.providers.scm.conftest import AUTHOR, LINK, SUBMODULE, GitServer

LIMIT = 10_000_000


async def get(git: GitServer) -> Fetched:
    doors = Doors(HttpOut("127.0.0.1"), SshOut(), git.folder)
    return await fetch(doors, Repository(git.url), "", size=LIMIT, seconds=20, say=git.requests.append)


def commit_tree(git: GitServer, tree: Tree) -> None:
    """Commit a tree as it is."""
    commit = Commit()
    git.repo.object_store.add_object(tree)
    commit.tree = tree.id
    commit.author = commit.committer = AUTHOR
    commit.author_time = commit.commit_time = commit.author_timezone = commit.commit_timezone = 0
    commit.message = b"harm"
    git.repo.object_store.add_object(commit)
    git.repo.refs[b"refs/heads/main"] = commit.id


@pytest.mark.parametrize("leaf", ["nothing", "submodules", "links"])
async def test_a_tree_that_names_itself_over_and_over_is_not_walked_to_its_end(
    git: GitServer, monkeypatch: pytest.MonkeyPatch, leaf: str
) -> None:
    monkeypatch.setattr(tree_module, "MAX_FILES", 1000)
    blob = Blob.from_string(b"/etc/passwd\0")
    git.repo.object_store.add_object(blob)
    tree = Tree()
    if leaf != "nothing":
        mode, sha = (SUBMODULE, b"1" * 40) if leaf == "submodules" else (LINK, blob.id)
        for name in range(10):
            tree.add(f"x{name}".encode(), mode, sha)
    for _ in range(12):
        git.repo.object_store.add_object(tree)
        above = Tree()
        for name in range(10):
            above.add(f"d{name}".encode(), stat.S_IFDIR, tree.id)
        tree = above
    commit_tree(git, tree)
    with pytest.raises(UpdateFailed, match="more than 1000 files"):
        await get(git)
    assert len(git.requests) < 200


@pytest.mark.parametrize("name", ["x" * 256, "ä" * 128, "/".join(["d" * 200] * 11)], ids=["long", "bytes", "path"])
async def test_a_name_that_no_disk_takes_is_told(git: GitServer, name: str) -> None:
    git.commit({name: "one\n"})
    with pytest.raises(UpdateFailed, match="which is no path of a file"):
        await get(git)


async def test_a_link_longer_than_any_path_is_left_out(git: GitServer) -> None:
    git.commit({"hosts.ini": "one\n", "far": (LINK, b"x/" * 5000)})
    fetched = await get(git)
    assert fetched.tree is not None
    assert fetched.tree.files == ["hosts.ini"]


async def test_many_entries_that_are_left_out_are_told_by_their_number(git: GitServer, tmp_path: Path) -> None:
    git.commit({f"link{number}": (LINK, b"/etc/passwd") for number in range(150)})
    fetched = await get(git)
    assert fetched.tree is not None
    said: list[str] = []
    unpack_tree(fetched.tree.content, tmp_path / "out" / "tree", said.append)
    assert (len(said), said[-1]) == (101, "50 more such entries are not told.")


async def test_pointers_of_git_lfs_are_told(git: GitServer) -> None:
    git.commit({"hosts.ini": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n"})
    await get(git)
    assert "hosts.ini is kept in Git LFS; only its pointer is here." in git.requests


class Recording(HttpOut):
    """Keeps what it was answered."""

    def __init__(self, allow: str) -> None:
        super().__init__(allow)
        self.answers: list[bytes] = []

    async def request(self, *args: Any, **more: Any) -> Answer:
        answer = await super().request(*args, **more)
        more["sink"].seek(0)
        self.answers.append(more["sink"].read())
        return answer


async def test_answers_that_were_tampered_with_are_told_in_our_own_words(git: GitServer) -> None:
    for number in range(3):
        git.commit({"hosts.ini": f"one {number}\n" * 50, "group_vars/all.yml": "a: 1\n"})
    door = Recording("127.0.0.1")
    await fetch(Doors(door, SshOut(), git.folder), Repository(git.url), "", size=LIMIT, seconds=20, say=print)
    chance = random.Random(7)
    outcomes = set()
    for _ in range(30):
        damaged = [bytearray(answer) for answer in door.answers]
        victim = chance.choice(damaged)
        for _ in range(chance.randint(1, 4)):
            victim[chance.randrange(len(victim))] = chance.randrange(256)
        if chance.random() < 0.3:
            del victim[chance.randrange(len(victim)) :]
        try:
            await replayed([bytes(answer) for answer in damaged], git.folder)
        except (UpdateFailed, RemoteFault) as told:
            outcomes.add(type(told))
    assert UpdateFailed in outcomes
    assert list(git.folder.iterdir()) == []


async def replayed(answers: list[bytes], folder: Path) -> Fetched:
    """Fetch from a server that gives these answers, whatever it is asked."""
    left = list(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        kind = b"advertisement" if asked.startswith(b"GET") else b"result"
        content = left.pop(0) if left else b""
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-%s\r\n" % kind)
        writer.write(b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(content) + content)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/x.git"
    doors = Doors(HttpOut("127.0.0.1"), SshOut(), folder)
    try:
        return await fetch(doors, Repository(url), "", size=LIMIT, seconds=5, say=lambda line: None)
    finally:
        server.close()
        await server.wait_closed()
