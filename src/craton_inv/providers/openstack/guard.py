"""The way out of openstacksdk: connections to checked addresses alone, answers within limits of time and size."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urljoin

from craton_inv.errors import RemoteFault, TransientError
from craton_inv.http_out import HttpOut, check_url
from craton_inv.http_out.networks import Allowed
from craton_inv.http_out.resolver import checked_addresses
from craton_inv.http_out.url import Url
from craton_inv.providers.extras import OPENSTACK

CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 10, 60, 300  # the last for an answer that comes bit by bit
STEP = 64 * 1024


class GuardedAdapter:
    """A transport adapter of requests under the rules of `door`: each request, redirects too, is checked and pinned.

    The host's name stays for TLS and the header, the connection goes to an address that was checked. Redirects stay
    with the host, for token and password go along. Proxies are ignored. `size`: bytes of a decoded answer. It is used
    by one thread at a time, which runs no event loop.
    """

    def __init__(self, door: HttpOut, adapters: Any, size: int) -> None:
        self.door = door
        self.size = size
        self.lost = adapters.ConnectionError
        self.under = adapters.HTTPAdapter(max_retries=0)
        self.under.build_connection_pool_key_attributes = self._pinned
        self._at: tuple[Url, str] | None = None

    def send(self, request: Any, stream: bool = False, **options: Any) -> Any:
        """One exchange. Raises BlockedAddress before anything is sent, TransientError, RemoteFault."""
        url = check_url(request.url, self.door.allow)
        addresses = asyncio.run(checked_addresses(url, Allowed.read(self.door.allow), self.door.resolver))
        request.headers["Host"] = url.authority
        options |= {"timeout": (CONNECT_SECONDS, READ_SECONDS), "proxies": {}}
        response = self._first(url, addresses, request, options)
        location = response.headers.get("location")
        if location and response.is_redirect:
            self._check_redirect(url, urljoin(str(url), location))
        response._content = self._read(response, url)
        response._content_consumed = True
        return response

    def close(self) -> None:
        """Close the connections."""
        self.under.close()

    def _first(self, url: Url, addresses: Sequence[str], request: Any, options: dict[str, Any]) -> Any:
        """The answer of the first address that takes a connection."""
        for address in addresses:
            self._at = url, address
            try:
                return self.under.send(request, stream=True, **options)
            except self.lost as error:
                if address == addresses[-1] or not _not_connected(error):
                    raise
        raise TransientError(f"{url.host} has no address.")

    def _check_redirect(self, url: Url, location: str) -> None:
        """Raise where an answer leads to another host, or from https to http."""
        to = check_url(location, self.door.allow)
        if to.host != url.host or (url.scheme, to.scheme) == ("https", "http"):
            raise RemoteFault(f"{url.host} leads on to {to.scheme}://{to.host}; the token is not sent there.")

    def _read(self, response: Any, url: Url) -> bytes:
        content = bytearray()
        end = time.monotonic() + WHOLE_SECONDS
        for piece in _pieces(response, url):
            content += piece
            if len(content) > self.size:
                response.close()
                raise RemoteFault(f"An answer of {url.host} is larger than {self.size} bytes; it was not read further.")
            if time.monotonic() > end:
                response.close()
                raise RemoteFault(f"An answer of {url.host} took more than {WHOLE_SECONDS:g} seconds; it was given up.")
        response.raw.release_conn()
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


def _pieces(response: Any, url: Url) -> Iterator[bytes]:
    """What came so far, again and again: a slow answer gives small pieces."""
    faults = OPENSTACK.load("urllib3.exceptions")
    try:
        while piece := response.raw.read1(STEP, decode_content=True):
            yield piece
    except faults.HTTPError as error:
        raise TransientError(f"The answer of {url.host} broke off or cannot be read.") from error


def _not_connected(error: Exception) -> bool:
    """Whether nothing was sent: there was no connection."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, OPENSTACK.load("urllib3.exceptions").ConnectTimeoutError)
