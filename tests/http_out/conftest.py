"""A small HTTP server on loopback, a resolver that says what it is told, a network that keeps what is asked of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import httpcore
import pytest

from craton_inv.http_out import HttpOut
from craton_inv.http_out.networks import Address

PUBLIC = "93.184.215.14"


@dataclass
class Resolver:
    """Knows the names in `hosts`: each list of addresses is given once, the last one for ever."""

    hosts: dict[str, list[list[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str) -> Sequence[Address]:
        self.asked.append(host)
        answers = self.hosts[host]
        texts = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ip_address(text) for text in texts]


class Network(httpcore.AsyncNetworkBackend):
    """Keeps every address that was to be connected to; leads those of `routes` to a port of loopback."""

    def __init__(self) -> None:
        self.attempts: list[tuple[str, int]] = []
        self.routes: dict[str, int] = {}
        self.real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.attempts.append((host, port))
        if host in self.routes:
            return await self.real.connect_tcp("127.0.0.1", self.routes[host], timeout)
        if host in ("127.0.0.1", "::1"):
            return await self.real.connect_tcp(host, port, timeout)
        raise httpcore.ConnectError(f"{host} is out of reach")


@dataclass
class Request:
    """What the server got."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Reply = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """Answers as `reply` does; keeps the requests."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    reply: Reply | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            request = Request(*first.split(" ")[:2], headers, body)
            self.requests.append(request)
            assert self.reply is not None
            await self.reply(request, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the caller has heard enough
        finally:
            writer.close()


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> Reply:
    """A reply that says the same to all."""

    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {text}" for name, text in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)

    return reply


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server on a free port of loopback."""
    made = Server(reply=answer(b"hello"))
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    await listening.wait_closed()


@pytest.fixture
def resolver() -> Resolver:
    """Knows no name yet."""
    return Resolver()


@pytest.fixture
def network() -> Network:
    """Nothing asked yet."""
    return Network()


@pytest.fixture
def door(resolver: Resolver, network: Network) -> Callable[[str], HttpOut]:
    """A door that allows what it is told to."""
    return lambda allow="": HttpOut(allow, resolver=resolver, network=network)
