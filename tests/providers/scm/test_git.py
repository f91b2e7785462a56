"""A commit fetched over HTTP: branches, tags, commits; what changed and what did not; what is refused."""

import base64
import io
import stat
import tarfile
from pathlib import Path

import pytest

from craton_inv.errors import BlockedAddress, InvalidField, RemoteFault, TransientError, UpdateFailed
from craton_inv.http_out import HttpOut
from craton_inv.http_out.ssh import SshOut
from craton_inv.providers.scm.git import Doors, Fetched, Repository, fetch
from craton_inv.providers.scm.references import check_reference
from craton_inv.providers.scm.tree import unpack_tree
from craton_inv.providers.scm.urls import check_git_url
from craton_inv.settings import Settings
from tests.providers.scm.conftest import LINK, PROGRAM, SUBMODULE, GitServer

LIMIT = 10_000_000


def doors(folder: Path, allow: str = "127.0.0.1") -> Doors:
    return Doors(HttpOut(allow), SshOut(allow), folder)


async def get(git: GitServer, reference: str = "", known: str = "", *, size: int = LIMIT, **more: str) -> Fetched:
    repository = Repository(git.url, reference, **more)
    return await fetch(doors(git.folder), repository, known, size=size, seconds=20, say=git.requests.append)


def texts(fetched: Fetched) -> dict[str, bytes]:
    """The files of a tree."""
    assert fetched.tree is not None
    with tarfile.open(fileobj=io.BytesIO(fetched.tree.content)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive if member.isreg()}  # type: ignore[union-attr]


async def test_the_branch_that_head_names_is_fetched(git: GitServer) -> None:
    first = git.commit({"hosts.ini": "one\n", "group_vars/all.yml": "a: 1\n"})
    fetched = await get(git)
    assert fetched.revision == first
    assert texts(fetched) == {"hosts.ini": b"one\n", "group_vars/all.yml": b"a: 1\n"}
    assert fetched.tree is not None
    assert fetched.tree.files == ["group_vars/all.yml", "hosts.ini"]


async def test_a_branch_a_tag_and_a_commit_are_fetched_by_name(git: GitServer) -> None:
    first = git.commit({"hosts.ini": "one\n"})
    second = git.commit({"hosts.ini": "two\n"})
    other = git.commit({"hosts.ini": "other\n"}, branch="feature/x")
    git.tag("v1", first)
    for reference, commit in (("main", second), ("feature/x", other), ("v1", first), (second, second)):
        fetched = await get(git, reference)
        assert (reference, fetched.revision) == (reference, commit)
    assert texts(await get(git, "v1")) == {"hosts.ini": b"one\n"}


async def test_a_commit_that_no_branch_names_any_more_is_found_below_them(git: GitServer) -> None:
    first = git.commit({"hosts.ini": "one\n"})
    git.commit({"hosts.ini": "two\n"})
    assert texts(await get(git, first)) == {"hosts.ini": b"one\n"}


async def test_a_known_commit_is_not_fetched_again(git: GitServer) -> None:
    first = git.commit({"hosts.ini": "one\n"})
    assert (await get(git, known=first)).tree is None
    assert not any("POST" in request and "upload-pack" in request for request in git.requests[2:])


async def test_a_moved_branch_gives_another_revision(git: GitServer) -> None:
    first = git.commit({"hosts.ini": "one\n"})
    second = git.commit({"hosts.ini": "two\n"})
    fetched = await get(git, known=first)
    assert (fetched.revision, texts(fetched)) == (second, {"hosts.ini": b"two\n"})


async def test_the_same_files_are_packed_into_the_same_bytes(git: GitServer) -> None:
    git.commit({"a": "1", "b/c": "2"})
    one, two = await get(git), await get(git)
    assert one.tree is not None
    assert two.tree is not None
    assert one.tree.content[10:] == two.tree.content[10:]


@pytest.mark.parametrize("reference", ["nowhere", "0" * 40])
async def test_a_reference_that_is_not_there_is_told(git: GitServer, reference: str) -> None:
    git.commit({"hosts.ini": "one\n"})
    with pytest.raises(UpdateFailed, match=f"no branch, tag or commit '{reference}'"):
        await get(git, reference)


async def test_an_empty_repository_is_told(git: GitServer) -> None:
    with pytest.raises(UpdateFailed, match="no branch, tag or commit"):
        await get(git)


async def test_what_is_no_repository_is_told(git: GitServer) -> None:
    with pytest.raises(UpdateFailed, match="is no git repository"):
        await fetch(doors(git.folder), Repository(f"{git.url}x"), "", size=LIMIT, seconds=20, say=print)


async def test_a_repository_out_of_reach_is_a_fault_that_passes(tmp_path: Path) -> None:
    with pytest.raises(TransientError):
        await fetch(doors(tmp_path), Repository("http://127.0.0.1:1/x"), "", size=LIMIT, seconds=20, say=print)


async def test_s01_an_inner_address_is_never_asked(git: GitServer) -> None:
    git.commit({"hosts.ini": "one\n"})
    with pytest.raises(BlockedAddress):
        await fetch(doors(git.folder, ""), Repository(git.url), "", size=LIMIT, seconds=20, say=print)
    assert git.requests == []


async def test_credentials_are_sent_to_the_repository(git: GitServer) -> None:
    git.commit({"hosts.ini": "one\n"})
    git.login = "Basic " + base64.b64encode(b"ada:secret").decode()
    assert (await get(git, username="ada", password="secret")).tree is not None
    with pytest.raises(RemoteFault, match="needs a credential") as caught:
        await get(git, username="ada", password="wrong-secret")
    assert "wrong-secret" not in str(caught.value)
    assert "secret" not in repr(Repository(git.url, "", "ada", "secret"))


async def test_a_file_larger_than_the_limit_stops_the_fetch_before_it_is_unpacked(git: GitServer) -> None:
    git.commit({"zeros": "0" * 5_000_000})
    with pytest.raises(UpdateFailed, match="a file of 5000000 bytes; at most 1000000"):
        await get(git, size=1_000_000)


async def test_a_tree_larger_than_the_limit_is_refused(git: GitServer) -> None:
    git.commit({f"f{number}": "0" * 400_000 for number in range(4)})
    with pytest.raises(UpdateFailed, match=r"more than 100000 files or 1000000 bytes"):
        await get(git, size=1_000_000)


async def test_submodules_are_left_out_with_a_word(git: GitServer) -> None:
    git.commit({"hosts.ini": "one\n", "roles/web": (SUBMODULE, "1" * 40)})
    assert texts(await get(git)) == {"hosts.ini": b"one\n"}
    assert "roles/web is a submodule; it is left out." in git.requests


@pytest.mark.parametrize("name", ["..", ".git", ".GIT", "a\\b"])
async def test_a_path_that_leads_elsewhere_is_refused(git: GitServer, name: str) -> None:
    git.commit({f"{name}/x": "one\n"})
    with pytest.raises(UpdateFailed, match="no path of a file"):
        await get(git)


async def test_s10_links_out_of_the_tree_are_left_out(git: GitServer, tmp_path: Path) -> None:
    git.commit(
        {
            "a/b/file": "x",
            "run.sh": (PROGRAM, b"#!/bin/sh\n"),
            "inside": (LINK, b"a/b/file"),
            "absolute": (LINK, b"/etc/passwd"),
            "above": (LINK, b"../../x"),
            "a/up": (LINK, b".."),
            "round": (LINK, b"a/up/../../x"),
        }
    )
    fetched = await get(git)
    assert fetched.tree is not None
    said: list[str] = []
    folder = tmp_path / "out" / "tree"
    unpack_tree(fetched.tree.content, folder, said.append)
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) == [
        "a",
        "a/b",
        "a/b/file",
        "a/up",
        "inside",
        "run.sh",
    ]
    assert {line.split(" ")[0] for line in said} == {"absolute", "above", "round"}
    assert stat.S_IMODE((folder / "run.sh").stat().st_mode) == 0o755


async def test_a_tree_appears_whole_and_once(git: GitServer, tmp_path: Path) -> None:
    git.commit({"hosts.ini": "one\n"})
    fetched = await get(git)
    assert fetched.tree is not None
    folder = tmp_path / "out" / "tree"
    for _ in range(2):
        unpack_tree(fetched.tree.content, folder, print)
    assert [path.name for path in folder.parent.iterdir()] == ["tree"]


def crafted(*members: tarfile.TarInfo) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for member in members:
            archive.addfile(member)
    return packed.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, leads_to: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, leads_to
    return made


@pytest.mark.parametrize(
    "members",
    [
        [member("/etc/x")],
        [member("../x")],
        [member("a", tarfile.LNKTYPE, "/etc/passwd")],
        [member("a", tarfile.CHRTYPE)],
        [member("a", tarfile.FIFOTYPE)],
        [member("a", tarfile.SYMTYPE, "/tmp"), member("a/b/c", tarfile.SYMTYPE, "x")],
    ],
    ids=["absolute", "above", "hard link", "device", "pipe", "below a link"],
)
def test_s10_an_archive_with_more_than_files_and_links_is_refused(
    members: list[tarfile.TarInfo], tmp_path: Path
) -> None:
    with pytest.raises(UpdateFailed):
        unpack_tree(crafted(*members), tmp_path / "out" / "tree", print)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ext::sh -c id",
        "ssh://-oProxyCommand=id/x",
        "ssh://git:pass@git.example.org/x.git",
        "git@127.0.0.1:x.git",
        "git://git.example.org/x.git",
        "gopher://git.example.org/x",
        "http://git.example.org/x.git",
        "https://user:pass@git.example.org/x.git",
        "https://127.1/x.git",
        "https://git.example.org/x.git?a=b",
        "/srv/git/x.git",
        "../x.git",
        "--upload-pack=id",
        "",
    ],
)
def test_s02_a_repository_is_named_by_an_https_or_ssh_url(url: str) -> None:
    with pytest.raises(InvalidField) as caught:
        check_git_url(url, Settings())
    assert list(caught.value.fields) == ["scm_url"]
    assert "pass@" not in caught.value.message
    assert caught.value.code == "blocked_address"


@pytest.mark.parametrize("reference", ["-x", "a..b", "a b", "a~1", "a^", "a:b", "a.lock", "/a", "a/", "@{1}", "a\x00"])
def test_a_reference_that_git_would_read_otherwise_is_refused(reference: str) -> None:
    with pytest.raises(InvalidField):
        check_reference(reference)
