"""Requests to the outside: each hop checked, redirects few, time and size limited, errors in our own words."""

import asyncio
import io
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import IO
from urllib.parse import urljoin

import httpcore

from craton_inv import __version__
from craton_inv.errors import RemoteFault, TransientError
from craton_inv.http_out.backend import PinnedBackend
from craton_inv.http_out.decoding import Decoder
from craton_inv.http_out.networks import Allowed
from craton_inv.http_out.resolver import Resolver, checked_addresses, system_resolver
from craton_inv.http_out.url import Url, check_url
from craton_inv.settings import Settings

REDIRECTS = frozenset({301, 302, 303, 307, 308})
KEPT_METHOD = frozenset({307, 308})
# What is sent to another host as well: nothing here tells who asks.
HARMLESS = frozenset({"accept", "accept-encoding", "user-agent", "if-none-match", "if-modified-since"})
CONNECT_SECONDS = 10.0


@dataclass(frozen=True)
class Limits:
    """`seconds`: the whole exchange, redirects included. `size`: bytes of the decoded body. `redirects`: hops."""

    seconds: float = 20.0
    size: int = 5 * 1024 * 1024
    redirects: int = 3


@dataclass(frozen=True)
class Answer:
    """What came back. `url`: where the last hop led; `headers`: lower case names; `content`: empty with a sink."""

    status: int
    headers: Mapping[str, str]
    url: str
    content: bytes = field(default=b"", repr=False)

    @property
    def validators(self) -> dict[str, str]:
        """What to send along next time, to be told that nothing changed: headers of a conditional request."""
        pairs = (("etag", "If-None-Match"), ("last-modified", "If-Modified-Since"))
        return {condition: self.headers[name] for name, condition in pairs if self.headers.get(name)}


class HttpOut:
    """The door. `allow`: as the setting http_out_allow. `resolver` and `network` are the ways out, for tests."""

    def __init__(
        self,
        allow: str = "",
        *,
        resolver: Resolver = system_resolver,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self.allow = allow
        self.resolver = resolver
        self.network = network or httpcore.AnyIOBackend()

    @classmethod
    def of(cls, settings: Settings) -> "HttpOut":
        """The door as the operator set it."""
        return cls(settings.http_out_allow)

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        limits: Limits = Limits(),
        verify: bool = True,
    ) -> Answer:
        """GET. Raises as `request`."""
        return await self.request("GET", url, headers=headers, limits=limits, verify=verify)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limits: Limits = Limits(),
        verify: bool = True,
        sink: IO[bytes] | None = None,
    ) -> Answer:
        """One exchange, redirects followed. A body of the answer goes to `sink` if there is one, as it comes.

        Any status is an answer. Raises BlockedAddress before anything is sent; RemoteFault for answers that are too
        large, too slow or broken, and for a certificate that does not fit; TransientError for faults of the network.
        """
        try:
            async with asyncio.timeout(limits.seconds):
                return await self._follow(method, url, dict(headers or {}), body, limits, verify, sink)
        except TimeoutError as error:
            raise RemoteFault(f"The answer took more than {limits.seconds:g} seconds; it was given up.") from error

    async def _follow(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None,
        limits: Limits,
        verify: bool,
        sink: IO[bytes] | None,
    ) -> Answer:
        at = check_url(url, self.allow)
        for _ in range(limits.redirects + 1):
            answer = await self._exchange(method, at, headers, body, limits, verify, sink)
            location = answer.headers.get("location")
            if answer.status not in REDIRECTS or not location:
                return answer
            to = check_url(_joined(at, location), self.allow)
            if to.origin != at.origin:
                headers = {name: value for name, value in headers.items() if name.lower() in HARMLESS}
            if body is not None and (answer.status not in KEPT_METHOD or to.origin != at.origin):
                raise RemoteFault(f"{at.host} sends what was posted elsewhere; that is not followed.")
            at = to
        raise RemoteFault(f"The answer leads on more than {limits.redirects} times; it was not followed further.")

    async def _exchange(
        self,
        method: str,
        url: Url,
        headers: Mapping[str, str],
        body: bytes | None,
        limits: Limits,
        verify: bool,
        sink: IO[bytes] | None,
    ) -> Answer:
        addresses = await checked_addresses(url, Allowed.read(self.allow), self.resolver)
        sent = {
            "Host": url.authority,
            "User-Agent": f"craton-inv/{__version__}",
            "Accept-Encoding": "gzip",
            "Accept": "*/*",
            **headers,
        }
        backend = PinnedBackend({(url.host, url.port): addresses}, self.network)
        into = sink if sink is not None else io.BytesIO()
        try:
            async with (
                httpcore.AsyncConnectionPool(
                    ssl_context=tls(verify), network_backend=backend, max_connections=1, max_keepalive_connections=0
                ) as pool,
                pool.stream(
                    method,
                    httpcore.URL(
                        scheme=url.scheme.encode(), host=url.host.encode(), port=url.port, target=url.target.encode()
                    ),
                    headers=[(name.encode("ascii"), value.encode("utf-8")) for name, value in sent.items()],
                    content=body,
                    extensions={"timeout": {"connect": CONNECT_SECONDS}},
                ) as response,
            ):
                told = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in response.headers}
                if response.status not in REDIRECTS:
                    decoder = Decoder(told.get("content-encoding", ""), limits.size)
                    async for chunk in response.aiter_stream():
                        for piece in decoder.feed(chunk):
                            into.write(piece)
                    decoder.end()
        except (httpcore.NetworkError, httpcore.TimeoutException) as error:
            if isinstance(error.__cause__ or error.__context__, ssl.SSLError):
                raise RemoteFault(f"{url.host} could not be spoken to over TLS: {error}.") from error
            raise TransientError(f"{url.host} could not be reached, or broke off: {_told(error)}.") from error
        except httpcore.LocalProtocolError:
            # Its text, and that of what caused it, repeat the header: a token may stand in it.
            raise RemoteFault(
                f"{url.host} was not asked: a header of the request ends with a blank, or has more than one line."
            ) from None
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, ssl.SSLError) as error:
            raise TransientError(f"{url.host} broke off or spoke no HTTP: {_told(error)}.") from error
        content = into.getvalue() if isinstance(into, io.BytesIO) and sink is None else b""
        return Answer(response.status, told, str(url), content)


def _joined(at: Url, location: str) -> str:
    """Where a redirect leads. Raises RemoteFault for what is no address."""
    try:
        return urljoin(str(at), location)
    except ValueError:
        raise RemoteFault(f"{at.host} leads on to what is no URL; it was not followed.") from None


def _told(error: Exception) -> str:
    return str(error) or type(error).__name__


@lru_cache
def tls(verify: bool) -> ssl.SSLContext:
    """The machine's own trusted authorities; without `verify` any certificate will do."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
