"""The port is looked at before anything starts, and who holds it is named."""

import os
import socket
from collections.abc import Iterator

import pytest

from craton_inv.cli.ports import base_url, claim
from craton_inv.errors import SetupError


@pytest.fixture
def taken() -> Iterator[int]:
    """A port this process listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_names_its_holder(taken: int) -> None:
    with pytest.raises(SetupError) as refusal:
        claim("127.0.0.1", taken)
    assert f"Port {taken} on 127.0.0.1 is taken by process {os.getpid()} (" in refusal.value.message
    assert "--port" in refusal.value.message


def test_a_free_port_is_given_as_it_is(taken: int) -> None:
    free = claim("127.0.0.1", 0)
    assert free not in (0, taken)
    assert claim("127.0.0.1", free) == free


@pytest.mark.parametrize("host", ["no such host", "256.1.1.1", "", "\0", "host..name", "x" * 300])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(SetupError, match="--host"):
        claim(host, 0)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(SetupError, match=r"Cannot listen on 192\.0\.2\.1"):
        claim("192.0.2.1", 0)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_out_of_range_is_refused(port: int) -> None:
    with pytest.raises(SetupError, match="between 0 and 65535"):
        claim("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("localhost", "http://localhost:80"),
    ],
)
def test_the_url_is_one_this_machine_can_reach(host: str, url: str) -> None:
    assert base_url(host, 80) == url
