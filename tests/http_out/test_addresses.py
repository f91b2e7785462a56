"""Which URLs are refused before anything is sent: schemes, disguised addresses, names that lead inside."""

from collections.abc import Callable

import pytest

from craton_inv.errors import BlockedAddress, SetupError
from craton_inv.http_out import HttpOut, check_url
from craton_inv.http_out.networks import Allowed
from tests.http_out.conftest import PUBLIC, Network, Resolver

Door = Callable[..., HttpOut]


async def refused(door: HttpOut, url: str) -> BlockedAddress:
    """The refusal of a URL."""
    with pytest.raises(BlockedAddress) as caught:
        await door.get(url)
    assert (caught.value.status, caught.value.code) == (400, "blocked_address")
    return caught.value


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fd00:ec2::254]", "metadata.google.internal", "168.63.129.16", "100.100.100.200"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_s01_metadata_services_are_never_asked(door: Door, network: Network, scheme: str, host: str) -> None:
    await refused(door(), f"{scheme}://{host}/latest/meta-data/")
    assert network.attempts == []


async def test_s01_a_name_that_stands_for_the_metadata_service_is_refused_even_when_it_is_allowed(
    door: Door, network: Network, resolver: Resolver
) -> None:
    resolver.hosts["inside.example.org"] = [["169.254.169.254"]]
    await refused(door("inside.example.org"), "https://inside.example.org/")
    assert network.attempts == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ext::sh -c id",
        "ssh://-oProxyCommand=id/x",
        "git://git.example.org/x",
        "gopher://git.example.org/x",
        "ftp://git.example.org/x",
        "//git.example.org/x",
        "git.example.org/x",
        "javascript:alert(1)",
        "",
    ],
)
async def test_s02_schemes_other_than_https_are_refused(door: Door, network: Network, url: str) -> None:
    await refused(door("0.0.0.0/0"), url)
    assert network.attempts == []


async def test_s02_plain_http_is_refused_for_a_public_host(door: Door, network: Network, resolver: Resolver) -> None:
    resolver.hosts["www.example.org"] = [[PUBLIC]]
    error = await refused(door(), "http://www.example.org/")
    assert "Only https" in error.message
    assert network.attempts == []


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "127.0.0.1",
        "127.0.0.1.",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "１２７.0.0.1",
        "127。0。0。1",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "0.0.0.0",
        "0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.127.255.254",
        "169.254.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:10.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "[fc00::1]",
        "[fd12:3456::1]",
        "[ff02::1]",
        "[2001:db8::1]",
        "[100::1]",
        "[fe80::1%25eth0]",
        "1.2.3.4.5",
        "256.1.1.1",
        "0x",
        "08.1.1.1",
    ],
)
async def test_s03_addresses_in_every_disguise_are_refused(door: Door, network: Network, host: str) -> None:
    await refused(door(), f"https://{host}/")
    assert network.attempts == []


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], [PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC, "::1"], ["::ffff:10.0.0.1"]]
)
async def test_s03_one_inner_address_among_all_refuses_the_host(
    door: Door, network: Network, resolver: Resolver, addresses: list[str]
) -> None:
    resolver.hosts["www.example.org"] = [addresses]
    await refused(door(), "https://www.example.org./")
    assert network.attempts == []


@pytest.mark.parametrize("url", ["https://user:hunter2@www.example.org/", "https://hunter2@www.example.org/"])
async def test_s07_credentials_in_a_url_are_refused_and_not_repeated(door: Door, network: Network, url: str) -> None:
    error = await refused(door(), url)
    assert "hunter2" not in f"{error.message} {error!r}"
    assert network.attempts == []


@pytest.mark.parametrize(
    "url",
    [
        "https://www.example.org\\@10.0.0.1/",
        "https://www.example.org/ x",
        "https://www.example.org/\r\nX: y",
        "https://www.exam ple.org/",
        "https://www.example.org:0/",
        "https://www.example.org:99999/",
        "https://www.example.org:x/",
        "https:///x",
        "https://[::1/",
        "https://-x.example.org/",
        "https://x..example.org/",
        f"https://{'a' * 64}.example.org/",
        "https://www.example.org/" + "a" * 3000,
        "https://%31%32%37.0.0.1/",
    ],
)
def test_what_two_readers_could_read_differently_is_refused(url: str) -> None:
    with pytest.raises(BlockedAddress):
        check_url(url, "")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("https://WWW.Example.org.:443/a b".replace(" ", "%20"), "https://www.example.org/a%20b"),
        ("https://bücher.example/ä?q=ä#part", "https://xn--bcher-kva.example/%C3%A4?q=%C3%A4"),
        ("https://93.184.215.14:8443", "https://93.184.215.14:8443/"),
        ("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/x", "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/x"),
    ],
)
def test_a_public_url_is_read_into_one_spelling(written: str, read: str) -> None:
    assert str(check_url(written, "")) == read


@pytest.mark.parametrize(
    ("allow", "url"),
    [
        ("127.0.0.1", "http://127.1:8080/"),
        ("10.0.0.0/8, ::1", "https://10.2.3.4/"),
        ("10.0.0.0/8, ::1", "http://[::1]/"),
        ("10.0.0.0/8", "https://[::ffff:10.2.3.4]/"),
        ("awx.internal", "http://awx.internal/"),
    ],
)
def test_the_operator_may_allow_networks_and_hosts(allow: str, url: str) -> None:
    assert check_url(url, allow)


@pytest.mark.parametrize(
    ("allow", "host", "address"),
    [
        ("10.0.0.0/8", "10.0.0.1", "11.0.0.1"),
        ("awx.internal", "other.internal", "10.0.0.1"),
        ("awx.internal", "awx.internal", "169.254.169.254"),
    ],
)
def test_what_is_allowed_reaches_no_further(allow: str, host: str, address: str) -> None:
    from ipaddress import ip_address

    assert not Allowed.read(allow).covers(host, ip_address(address))


@pytest.mark.parametrize("allow", ["10.0.0.0/33", "10.0.0.300", "http://x", "a b", "*.example.org"])
def test_a_setting_that_cannot_be_read_is_named(allow: str) -> None:
    with pytest.raises(SetupError, match="CRATON_INV_HTTP_OUT_ALLOW"):
        Allowed.read(allow)
