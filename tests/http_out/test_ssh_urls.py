"""Addresses over ssh as git reads them, and what none of them may be."""

import pytest

from craton_inv.errors import BlockedAddress
from craton_inv.http_out.ssh_url import SshUrl, check_ssh_url, is_ssh_url, read_ssh_url


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("git@git.example.org:org/repo.git", SshUrl("git.example.org", 22, "git", "org/repo.git")),
        ("git.example.org:repo", SshUrl("git.example.org", 22, "", "repo")),
        ("git@[2001:4860::8888]:repo", SshUrl("2001:4860::8888", 22, "git", "repo")),
        ("ssh://git@Git.Example.Org:2222/org/repo", SshUrl("git.example.org", 2222, "git", "/org/repo")),
        ("ssh://git.example.org/~ada/repo", SshUrl("git.example.org", 22, "", "~ada/repo")),
        ("SSH://git.example.org/a%2Db", SshUrl("git.example.org", 22, "", "/a-b")),
        ("git@git.example.org:it's", SshUrl("git.example.org", 22, "git", "it's")),
    ],
)
def test_an_address_is_read_as_git_reads_it(text: str, read: SshUrl) -> None:
    assert is_ssh_url(text)
    assert check_ssh_url(text, "") == read


@pytest.mark.parametrize(
    "text",
    [
        "ssh://-oProxyCommand=id/x",
        "-oProxyCommand=id:x",
        "ssh://git.example.org/",
        "git@git.example.org:-upload-pack=id",
        "ssh://git.example.org/~-x",
        "git.example.org:",
        "ext::sh -c id",
        "ext::sh",
        "ssh://git.example.org/a b",
        "ssh://git.example.org/a%20b",
        "ssh://git.example.org/a%0ab",
        "ssh://git.example.org/%ff",
        "git@git.example.org:a\\b",
        "ssh://git.example.org:0/x",
        "ssh://git.example.org:99999/x",
        "ssh://[::1/x",
        "-x@git.example.org:x",
        "a b@git.example.org:x",
        "git@" + "a" * 3000 + ":x",
        "https://git.example.org/x",
    ],
)
def test_s02_what_is_no_address_of_a_repository_is_refused(text: str) -> None:
    with pytest.raises(BlockedAddress):
        read_ssh_url(text)


@pytest.mark.parametrize("text", ["ssh://git:hunter2@git.example.org/x", "git:hunter2@git.example.org:x"])
def test_s07_a_password_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BlockedAddress) as caught:
        read_ssh_url(text)
    assert "hunter2" not in caught.value.message
    assert "password" in caught.value.message


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "127.1",
        "0x7f000001",
        "169.254.169.254",
        "10.0.0.1",
        "metadata.google.internal",
    ],
)
def test_s01_s03_a_host_that_leads_inside_is_refused_in_every_spelling(host: str) -> None:
    for text in (f"git@{host}:x", f"ssh://git@{host}:2222/x"):
        with pytest.raises(BlockedAddress, match="not public"):
            check_ssh_url(text, "")


def test_an_allowed_network_may_be_reached() -> None:
    assert check_ssh_url("git@10.0.0.1:x", "10.0.0.0/8").host == "10.0.0.1"
