"""What a URL to the outside may be: https, a host, read the way resolvers read it, and no credentials."""

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address
from urllib.parse import quote, urlsplit

from craton_inv.errors import BlockedAddress
from craton_inv.http_out.networks import Allowed, parse_address

PORTS = {"https": 443, "http": 80}
MAX_URL = 2048
# Names that only lead inside, whatever a resolver makes of them.
INSIDE = frozenset({"localhost", "metadata", "metadata.google.internal", "instance-data", "ip6-localhost"})
INSIDE_DOMAINS = (".localhost", ".localdomain", ".internal")
_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)\Z")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
_KEPT = "/%:@!$&'()*+,;=~-._"


@dataclass(frozen=True)
class Url:
    """A URL that was read. `host`: lower case ASCII without a final dot, or an address in its usual spelling."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        """What credentials are bound to."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """Host and port as the header Host writes them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def read_url(text: str) -> Url:
    """Read a URL. Raises BlockedAddress, whose sentence never repeats what stands before an @."""
    if len(text) > MAX_URL:
        raise BlockedAddress(f"The URL has more than {MAX_URL} characters.")
    if any(ord(char) <= 32 or ord(char) == 127 or char == "\\" for char in text):
        raise BlockedAddress("The URL contains blanks, control characters or backslashes.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise BlockedAddress("The URL has no readable host and port.") from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        shown = scheme if scheme.isascii() and scheme.isalnum() else "none"
        raise BlockedAddress(f"Only https URLs are followed; the scheme of this one is {shown}.")
    if "@" in parts.netloc:
        raise BlockedAddress("The URL holds credentials; they belong into a credential, not into a URL.")
    if port == 0 or not parts.hostname:
        raise BlockedAddress("The URL has no readable host and port.")
    path = quote(parts.path or "/", safe=_KEPT)
    query = f"?{quote(parts.query, safe=_KEPT + '?/')}" if parts.query else ""
    return Url(scheme, read_host(parts.hostname), port or PORTS[scheme], path + query)


def read_host(written: str) -> str:
    """One spelling for a host: `0x7f.1` and `127.0.0.1.` are 127.0.0.1, `BÜCHER.example.` is xn--bcher-kva.example."""
    if ":" in written:
        address = parse_address(written)
        if address is None or "%" in written:
            raise BlockedAddress("The host of the URL is no address.")
        return str(address)
    try:
        host = written.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise BlockedAddress("The host of the URL is no host name.") from None
    host = host[:-1] if host.endswith(".") else host
    labels = host.split(".")
    if _NUMBER.match(labels[-1]):
        # Resolvers take one to four numbers, decimal, octal or hexadecimal, for an address.
        try:
            return str(IPv4Address(socket.inet_aton(host)))
        except OSError:
            raise BlockedAddress("The host of the URL is no address.") from None
    if len(host) > 253 or not all(_LABEL.match(label) for label in labels):
        raise BlockedAddress("The host of the URL is no host name.")
    return host


def check_url(text: str, allow: str) -> Url:
    """Read a URL and refuse what needs no resolver to be refused. `allow`: as the setting http_out_allow.

    Raises BlockedAddress.
    """
    url, allowed = read_url(text), Allowed.read(allow)
    check_host(url.host, allowed)
    address = parse_address(url.host)
    if address is not None:
        require_scheme(url, allowed.covers(url.host, address))
    elif url.host not in allowed.hosts and not allowed.networks:
        require_scheme(url, False)
    return url


def check_host(host: str, allowed: Allowed) -> None:
    """Raise BlockedAddress for a host that leads inside, as far as that can be told without a resolver."""
    address = parse_address(host)
    if address is not None:
        if not allowed.may_connect(host, address):
            raise blocked(host)
    elif host not in allowed.hosts and (host in INSIDE or host.endswith(INSIDE_DOMAINS)):
        raise blocked(host)


def require_scheme(url: Url, allowed: bool) -> None:
    """Plain http is for hosts that the operator allows. Raises BlockedAddress."""
    if url.scheme == "http" and not allowed:
        raise BlockedAddress(
            f"Only https URLs are followed; {url.host} may be reached over http only when CRATON_INV_HTTP_OUT_ALLOW "
            "names it."
        )


def blocked(host: str) -> BlockedAddress:
    """The refusal of a host that leads inside."""
    return BlockedAddress(
        f"{host} is, or leads to, an address that is not public. CRATON_INV_HTTP_OUT_ALLOW can name hosts and "
        "networks that may be reached all the same."
    )
