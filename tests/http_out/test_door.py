"""What a request does: pinned addresses, few redirects, limits of time and size, nobody's proxies."""

import asyncio
import gzip
import io
import traceback
import zlib
from collections.abc import Callable

import pytest

from craton_inv.errors import BlockedAddress, RemoteFault, TransientError
from craton_inv.http_out import HttpOut, Limits
from tests.http_out.conftest import PUBLIC, Network, Request, Resolver, Server, answer

Door = Callable[..., HttpOut]
LOOPBACK = "127.0.0.1"


async def test_an_answer_has_status_headers_and_content(door: Door, server: Server) -> None:
    server.reply = answer(b'{"a": 1}', Content_Type="application/json", ETag='"7"')
    got = await door(LOOPBACK).get(f"{server.url}/x?y=1", headers={"X-Token": "t"})
    assert (got.status, got.content, got.headers["content-type"]) == (200, b'{"a": 1}', "application/json")
    assert got.validators == {"If-None-Match": '"7"'}
    assert (server.requests[0].target, server.requests[0].headers["x-token"]) == ("/x?y=1", "t")


async def test_s04_the_checked_address_is_connected_to_and_not_asked_for_again(
    door: Door, server: Server, network: Network, resolver: Resolver
) -> None:
    resolver.hosts["rebind.example.org"] = [[PUBLIC], [LOOPBACK]]
    network.routes[PUBLIC] = server.port
    with pytest.raises((RemoteFault, TransientError)):  # the server on the other end speaks no TLS
        await door().get("https://rebind.example.org/")
    assert network.attempts == [(PUBLIC, 443)]
    assert resolver.asked == ["rebind.example.org"]


async def test_s04_the_host_keeps_its_name_in_the_request(
    door: Door, server: Server, network: Network, resolver: Resolver
) -> None:
    resolver.hosts["awx.internal"] = [["10.9.8.7"]]
    network.routes["10.9.8.7"] = server.port
    await door("awx.internal").get("http://awx.internal:8043/")
    assert network.attempts == [("10.9.8.7", 8043)]
    assert server.requests[0].headers["host"] == "awx.internal:8043"


async def test_the_next_address_is_tried_when_the_first_does_not_answer(
    door: Door, server: Server, network: Network, resolver: Resolver
) -> None:
    resolver.hosts["awx.internal"] = [["10.9.8.6", "10.9.8.7"]]
    network.routes["10.9.8.7"] = server.port
    assert (await door("awx.internal").get("http://awx.internal/")).content == b"hello"


async def test_s05_a_redirect_to_an_inner_address_is_refused(
    door: Door, server: Server, network: Network, resolver: Resolver
) -> None:
    resolver.hosts["awx.internal"] = [["10.9.8.7"]]
    network.routes["10.9.8.7"] = server.port
    server.reply = answer(status="302 Found", Location="http://10.0.0.5/")
    with pytest.raises(BlockedAddress):
        await door("awx.internal").get("http://awx.internal/")
    assert network.attempts == [("10.9.8.7", 80)]


async def test_s05_a_redirect_to_another_scheme_is_refused(door: Door, server: Server) -> None:
    server.reply = answer(status="302 Found", Location="file:///etc/passwd")
    with pytest.raises(BlockedAddress):
        await door(LOOPBACK).get(server.url)


async def test_s05_a_redirect_to_what_is_no_url_is_refused(door: Door, server: Server) -> None:
    server.reply = answer(status="302 Found", Location="http://[")
    with pytest.raises(RemoteFault, match="no URL"):
        await door(LOOPBACK).get(server.url)


@pytest.mark.parametrize("token", ["sesame-4711 ", "sesame\n-4711"])
async def test_s28_a_header_that_cannot_be_sent_is_not_repeated(door: Door, server: Server, token: str) -> None:
    with pytest.raises(RemoteFault, match="a header of the request") as refused:
        await door(LOOPBACK).get(server.url, headers={"Authorization": f"Bearer {token}"})
    told = "".join(traceback.format_exception(refused.value))
    assert "4711" not in told
    assert not server.requests


async def test_s05_twenty_redirects_are_not_followed(door: Door, server: Server) -> None:
    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        number = int(request.target.strip("/") or 0)
        await answer(status="302 Found", Location=f"/{number + 1}")(request, writer)

    server.reply = reply
    with pytest.raises(RemoteFault, match="more than 3 times"):
        await door(LOOPBACK).get(server.url)
    assert [request.target for request in server.requests] == ["/", "/1", "/2", "/3"]


async def test_s05_credentials_do_not_follow_to_another_host(
    door: Door, server: Server, network: Network, resolver: Resolver
) -> None:
    resolver.hosts |= {"one.internal": [["10.9.8.7"]], "two.internal": [["10.9.8.8"]]}
    network.routes |= {"10.9.8.7": server.port, "10.9.8.8": server.port}

    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        led = answer(status="302 Found", Location="http://two.internal/")
        await (led if request.headers["host"] == "one.internal" else answer(b"there"))(request, writer)

    server.reply = reply
    sent = {"Authorization": "Bearer t", "X-Token": "t", "Cookie": "t=1", "If-None-Match": '"7"'}
    got = await door("one.internal, two.internal").get("http://one.internal/", headers=sent)
    assert (got.content, got.url) == (b"there", "http://two.internal/")
    first, second = (request.headers for request in server.requests)
    assert first["authorization"] == "Bearer t"
    assert not {"authorization", "x-token", "cookie"} & second.keys()
    assert second["if-none-match"] == '"7"'


async def test_s05_credentials_stay_with_the_same_origin(door: Door, server: Server) -> None:
    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        led = answer(status="301 Moved", Location="/there")
        await (led if request.target == "/" else answer(b"there"))(request, writer)

    server.reply = reply
    await door(LOOPBACK).get(server.url, headers={"Authorization": "Bearer t"})
    assert server.requests[1].headers["authorization"] == "Bearer t"


async def test_s05_what_is_posted_is_not_posted_elsewhere(door: Door, server: Server) -> None:
    server.reply = answer(status="307 Temporary Redirect", Location="https://www.example.org/")
    with pytest.raises(RemoteFault, match="posted elsewhere"):
        await door(LOOPBACK).request("POST", server.url, body=b"secret")


async def test_s06_an_endless_body_is_stopped_at_its_limit(door: Door, server: Server) -> None:
    written = 0

    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while written < 10**10:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()
            written += 65536

    server.reply = reply
    with pytest.raises(RemoteFault, match="larger than 5242880 bytes"):
        await door(LOOPBACK).get(server.url)
    assert written < 64 * 1024 * 1024


async def test_s06_a_gzip_bomb_is_stopped_while_it_unfolds(door: Door, server: Server) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(100)) + packer.flush()
    server.reply = answer(bomb, Content_Encoding="gzip")
    into = io.BytesIO()
    with pytest.raises(RemoteFault, match="larger than 1048576 bytes"):
        await door(LOOPBACK).request("GET", server.url, limits=Limits(size=1024 * 1024), sink=into)
    assert len(into.getvalue()) <= 1024 * 1024


async def test_s06_a_body_of_a_byte_at_a_time_is_given_up(door: Door, server: Server) -> None:
    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    server.reply = reply
    with pytest.raises(RemoteFault, match=r"more than 0.2 seconds"):
        await door(LOOPBACK).get(server.url, limits=Limits(seconds=0.2))


def test_s06_limits_hold_unless_others_are_given() -> None:
    assert Limits() == Limits(seconds=20.0, size=5 * 1024 * 1024, redirects=3)


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 3_000_000])
async def test_a_gzip_body_comes_out_whole(door: Door, server: Server, size: int) -> None:
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    server.reply = answer(gzip.compress(body), Content_Encoding="gzip")
    assert (await door(LOOPBACK).get(server.url)).content == body


@pytest.mark.parametrize(
    ("body", "encoding", "told"),
    [
        (gzip.compress(b"hello" * 1000)[:-12], "gzip", "breaks off"),
        (b"hello", "gzip", "is not"),
        (b"hello", "br", "not asked for"),
    ],
    ids=["half", "plain", "another"],
)
async def test_a_body_that_cannot_be_unpacked_is_refused(
    door: Door, server: Server, body: bytes, encoding: str, told: str
) -> None:
    server.reply = answer(body, Content_Encoding=encoding)
    with pytest.raises(RemoteFault, match=told):
        await door(LOOPBACK).get(server.url)


async def test_half_an_answer_is_a_fault_that_passes(door: Door, server: Server) -> None:
    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")

    server.reply = reply
    with pytest.raises(TransientError, match="broke off"):
        await door(LOOPBACK).get(server.url)


async def test_a_refused_connection_is_a_fault_that_passes(door: Door) -> None:
    listening = await asyncio.start_server(lambda reader, writer: None, LOOPBACK, 0)
    port = listening.sockets[0].getsockname()[1]
    listening.close()
    await listening.wait_closed()
    with pytest.raises(TransientError, match="could not be reached"):
        await door(LOOPBACK).get(f"http://127.0.0.1:{port}/")


async def test_proxies_of_the_environment_are_ignored(
    door: Door, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    assert (await door(LOOPBACK).get(server.url)).content == b"hello"


async def test_a_name_without_an_answer_is_a_fault_that_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*args: object, **options: object) -> list[object]:
        raise OSError("no such host")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nothing)
    with pytest.raises(TransientError, match="was not found"):
        await HttpOut().get("https://nowhere.example.org/")
