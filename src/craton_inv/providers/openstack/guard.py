"""The way out of openstacksdk: connections to checked addresses alone, answers within limits of time and size."""

import asyncio
from typing import Any
from urllib.parse import urljoin

from craton_inv.errors import RemoteFault
from craton_inv.http_out import HttpOut, check_url
from craton_inv.http_out.networks import Allowed
from craton_inv.http_out.resolver import checked_addresses
from craton_inv.http_out.url import Url

CONNECT_SECONDS, READ_SECONDS = 10, 60
STEP = 64 * 1024


class GuardedAdapter:
    """A transport adapter of requests under the rules of `door`: each request, redirects too, is checked and pinned.

    The host's name stays for TLS and the header, the connection goes to the address that was checked. Proxies are
    ignored. `size`: bytes of a decoded answer. It is used by one thread at a time, which runs no event loop.
    """

    def __init__(self, door: HttpOut, adapters: Any, size: int) -> None:
        self.door = door
        self.size = size
        self.under = adapters.HTTPAdapter(max_retries=0)
        self.under.build_connection_pool_key_attributes = self._pinned
        self._at: tuple[Url, str] | None = None

    def send(self, request: Any, stream: bool = False, **options: Any) -> Any:
        """One exchange. Raises BlockedAddress before anything is sent, TransientError, RemoteFault."""
        url = check_url(request.url, self.door.allow)
        address = asyncio.run(checked_addresses(url, Allowed.read(self.door.allow), self.door.resolver))[0]
        self._at = url, address
        request.headers["Host"] = url.authority
        options |= {"timeout": (CONNECT_SECONDS, READ_SECONDS), "proxies": {}}
        response = self.under.send(request, stream=True, **options)
        location = response.headers.get("location")
        if location and response.is_redirect:
            check_url(urljoin(str(url), location), self.door.allow)
        response._content = self._read(response, url)
        response._content_consumed = True
        return response

    def close(self) -> None:
        """Close the connections."""
        self.under.close()

    def _read(self, response: Any, url: Url) -> bytes:
        content = bytearray()
        for piece in response.iter_content(STEP):
            content += piece
            if len(content) > self.size:
                response.close()
                raise RemoteFault(f"An answer of {url.host} is larger than {self.size} bytes; it was not read further.")
        return bytes(content)

    def _pinned(self, request: Any, verify: Any, cert: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Where requests connects to: the checked address, and whose certificate it expects there."""
        if self._at is None:
            raise RemoteFault("The request was not checked.")
        url, address = self._at
        where: dict[str, Any] = {"scheme": url.scheme, "host": address, "port": url.port}
        if url.scheme != "https":
            return where, {}
        options: dict[str, Any] = {
            "cert_reqs": "CERT_REQUIRED" if verify else "CERT_NONE",
            "server_hostname": url.host,
            "assert_hostname": url.host if verify else False,
        }
        return where, options
