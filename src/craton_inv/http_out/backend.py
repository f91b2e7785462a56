"""Connections to checked addresses alone: the host's name stays for TLS and the header, the address is pinned."""

from collections.abc import Iterable, Mapping
from typing import Any

import httpcore


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Connects to the addresses pinned for (host, port); a host without any is not connected to."""

    def __init__(self, pins: Mapping[tuple[str, int], list[str]], under: httpcore.AsyncNetworkBackend) -> None:
        self.pins = pins
        self.under = under

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address that takes one."""
        failure: Exception = httpcore.ConnectError(f"{host} was not checked")
        for address in self.pins.get((host, port), ()):
            try:
                return await self.under.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never: a socket file is no address."""
        raise httpcore.ConnectError("sockets are not connected to")

    async def sleep(self, seconds: float) -> None:
        """As the backend below."""
        await self.under.sleep(seconds)
