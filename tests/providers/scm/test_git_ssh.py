"""A commit fetched over ssh with a deploy key: the host's key is known, the address checked, the key shows nowhere."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_address
from pathlib import Path

import asyncssh
import pytest

from craton_inv.errors import BlockedAddress, RemoteFault, TransientError, UpdateFailed
from craton_inv.http_out import HttpOut
from craton_inv.http_out.networks import Address
from craton_inv.http_out.ssh import SshOut
from craton_inv.providers.scm.git import Doors, Fetched, Repository, fetch
from tests.providers.scm.conftest import GitServer, threads_at_work, until
from tests.providers.scm.ssh_server import PASSPHRASE, SshServer, serving

LIMIT = 10_000_000


@pytest.fixture
async def ssh(git: GitServer, tmp_path: Path) -> AsyncIterator[SshServer]:
    async with serving(git, tmp_path) as server:
        yield server


async def get(
    ssh: SshServer, reference: str = "", *, door: SshOut | None = None, url: str = "", **more: str
) -> Fetched:
    if not {"key", "password"} & more.keys():
        more["key"] = ssh.key
    door = door or SshOut("127.0.0.1", ssh.known_hosts)
    doors = Doors(HttpOut(), door, ssh.git.folder)
    repository = Repository(url or ssh.url, reference, **more)
    return await fetch(doors, repository, more.pop("known", ""), size=LIMIT, seconds=20, say=ssh.git.requests.append)


async def test_a_commit_is_fetched_with_a_deploy_key(ssh: SshServer) -> None:
    commit = ssh.git.commit({"hosts.ini": "one\n"})
    fetched = await get(ssh)
    assert fetched.revision == commit
    assert fetched.tree is not None
    assert fetched.tree.files == ["hosts.ini"]
    assert ssh.commands == ["git-upload-pack '/org/shop.git'"]


async def test_a_key_with_a_passphrase_is_opened(ssh: SshServer) -> None:
    commit = ssh.git.commit({"hosts.ini": "one\n"})
    assert (await get(ssh, key=ssh.locked_key, passphrase=PASSPHRASE)).revision == commit


async def test_a_key_that_its_passphrase_does_not_open_is_told_without_a_word_of_it(ssh: SshServer) -> None:
    with pytest.raises(UpdateFailed, match="cannot be opened with its passphrase") as caught:
        await get(ssh, key=ssh.locked_key, passphrase="wrong-canary")
    assert "wrong-canary" not in str(caught.value)
    assert ssh.commands == []


@pytest.mark.parametrize(
    ("prefix", "username", "user"), [("", "", "git"), ("", "ada", "ada"), ("deploy@", "ada", "deploy")]
)
async def test_the_user_is_that_of_the_url_else_of_the_credential_else_git(
    ssh: SshServer, prefix: str, username: str, user: str
) -> None:
    ssh.git.commit({"hosts.ini": "one\n"})
    await get(ssh, url=ssh.url.replace("ssh://", f"ssh://{prefix}"), username=username)
    assert ssh.users == [user]


async def test_branches_tags_and_older_commits_are_fetched_by_name(ssh: SshServer) -> None:
    first = ssh.git.commit({"hosts.ini": "one\n"})
    second = ssh.git.commit({"hosts.ini": "two\n"})
    ssh.git.tag("v1", first)
    for reference, commit in (("main", second), ("v1", first), (first, first)):
        assert (await get(ssh, reference)).revision == commit


async def test_a_host_that_is_not_known_is_refused_with_its_fingerprint(ssh: SshServer, tmp_path: Path) -> None:
    ssh.git.commit({"hosts.ini": "one\n"})
    with pytest.raises(RemoteFault) as caught:
        await get(ssh, door=SshOut("127.0.0.1", tmp_path / "nowhere"))
    assert f"is not known: ssh-ed25519 {ssh.host_key.get_fingerprint()}" in caught.value.message
    assert f"ssh-keyscan -p {ssh.port} 127.0.0.1" in caught.value.message
    assert (ssh.users, ssh.commands) == ([], [])


async def test_a_host_that_shows_another_key_is_refused_before_anything_is_sent(ssh: SshServer) -> None:
    other = ssh.knowing(asyncssh.generate_private_key("ssh-ed25519"))
    with pytest.raises(RemoteFault, match="another host key than the one that is known"):
        await get(ssh, door=SshOut("127.0.0.1", other))
    assert ssh.users == []


async def test_a_revoked_host_key_is_refused(ssh: SshServer) -> None:
    with pytest.raises(RemoteFault, match="revoked"):
        await get(ssh, door=SshOut("127.0.0.1", ssh.knowing(ssh.host_key, revoked=True)))
    assert ssh.users == []


async def test_a_file_of_host_keys_that_cannot_be_read_is_told(ssh: SshServer) -> None:
    ssh.known_hosts.write_text("nonsense\n")
    with pytest.raises(UpdateFailed, match="CRATON_INV_SSH_KNOWN_HOSTS names, has a line that is none"):
        await get(ssh, door=SshOut("127.0.0.1", ssh.folder / "known_hosts"))


async def test_a_key_that_the_server_does_not_take_is_told(ssh: SshServer) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    with pytest.raises(
        RemoteFault, match="does not let git in: the project needs a credential with an SSH key"
    ) as caught:
        await get(ssh, key=stranger)
    assert stranger.splitlines()[1] not in str(caught.value)


async def test_without_a_key_nothing_is_asked(ssh: SshServer) -> None:
    with pytest.raises(UpdateFailed, match="needs a source control credential with an SSH key"):
        await get(ssh, key="")


async def test_the_key_shows_in_no_text(ssh: SshServer) -> None:
    repository = Repository(ssh.url, key=ssh.key, passphrase=PASSPHRASE)
    assert "PRIVATE KEY" not in repr(repository)
    assert PASSPHRASE not in repr(repository)


async def test_what_the_server_says_when_it_refuses_is_told(ssh: SshServer) -> None:
    ssh.said = b"ERROR: Repository not found.\n"
    with pytest.raises(UpdateFailed, match="Repository not found"):
        await get(ssh)


async def test_s01_an_inner_address_is_never_connected_to(ssh: SshServer) -> None:
    with pytest.raises(BlockedAddress):
        await get(ssh, door=SshOut("", ssh.known_hosts))
    assert ssh.users == []


async def test_s04_the_checked_address_is_the_one_that_is_connected_to(ssh: SshServer) -> None:
    asked: list[str] = []

    async def resolver(host: str) -> Sequence[Address]:
        asked.append(host)
        return [ip_address("127.0.0.1" if len(asked) == 1 else "127.0.0.2")]

    commit = ssh.git.commit({"hosts.ini": "one\n"})
    known = ssh.folder / "named"
    known.write_text(f"[git.example.org]:{ssh.port} {ssh.host_key.export_public_key().decode()}")
    door = SshOut("git.example.org", known, resolver=resolver)
    fetched = await get(ssh, door=door, url=f"ssh://git.example.org:{ssh.port}/org/shop.git")
    assert (fetched.revision, asked) == (commit, ["git.example.org"])


async def test_s03_one_inner_address_among_many_refuses_the_host(ssh: SshServer) -> None:
    async def resolver(host: str) -> Sequence[Address]:
        return [ip_address("8.8.8.8"), ip_address("127.0.0.1")]

    with pytest.raises(BlockedAddress, match="not public"):
        await get(ssh, door=SshOut("", ssh.known_hosts, resolver=resolver), url="git@git.example.org:x")


async def test_a_server_out_of_reach_is_a_fault_that_passes(ssh: SshServer) -> None:
    with pytest.raises(TransientError, match="could not be reached"):
        await get(ssh, url="ssh://127.0.0.1:1/x")


async def test_what_speaks_no_ssh_is_a_fault_that_passes(ssh: SshServer) -> None:
    with pytest.raises(TransientError, match="spoke no ssh"):
        await get(ssh, url=f"ssh://127.0.0.1:{ssh.git.port}/x")


async def test_an_answer_beyond_the_limit_is_not_read_further(ssh: SshServer) -> None:
    for number in range(200):
        ssh.git.commit({"hosts.ini": "x"}, branch=f"branch-{number}")
    doors = Doors(HttpOut(), SshOut("127.0.0.1", ssh.known_hosts), ssh.git.folder)
    with pytest.raises(RemoteFault, match="larger than 1000 bytes"):
        await fetch(doors, Repository(ssh.url, key=ssh.key), "", size=1000, seconds=20, say=print)


async def test_a_server_that_never_answers_is_let_go_of_with_its_thread(ssh: SshServer) -> None:
    ssh.silent = True
    fetching = asyncio.create_task(get(ssh))
    await until(lambda: bool(ssh.commands))
    await until(lambda: threads_at_work() == 1)
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    await until(lambda: threads_at_work() == 0 and not list(ssh.git.folder.iterdir()))
