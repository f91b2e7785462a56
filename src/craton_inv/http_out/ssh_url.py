"""What an address over ssh may be: `ssh://user@host:port/path` or `user@host:path`, read as git does, no password."""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from craton_inv.errors import BlockedAddress
from craton_inv.http_out.networks import Allowed
from craton_inv.http_out.url import MAX_URL, check_host, read_host

PORT = 22
_SHORT = re.compile(r"(?:(?P<user>[^@/:]*)@)?(?P<host>\[[^\]/]+\]|[^@/:\[\]]+):(?P<path>.*)", re.DOTALL)
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}\Z")


@dataclass(frozen=True)
class SshUrl:
    """An address that was read. `user`: "" when it names none. `path`: as the server's program gets it."""

    host: str
    port: int
    user: str
    path: str


def is_ssh_url(text: str) -> bool:
    """Whether git would speak ssh: a URL of that scheme, or a host, a colon and a path."""
    return text.lower().startswith("ssh://") or ("://" not in text and _SHORT.match(text) is not None)


def read_ssh_url(text: str) -> SshUrl:
    """Read an address. Raises BlockedAddress, whose sentence repeats nothing but the host."""
    if len(text) > MAX_URL:
        raise BlockedAddress(f"The URL has more than {MAX_URL} characters.")
    user, host, port, path = _parts(text)
    if ":" in user:
        raise BlockedAddress("The URL holds a password; it belongs into a credential, not into a URL.")
    if user and not _USER.match(user):
        raise BlockedAddress("The URL names a user that is none.")
    if any(ord(char) <= 32 or ord(char) == 127 or char == "\\" for char in path):
        raise BlockedAddress("The URL contains blanks, control characters or backslashes.")
    # A path with a dash at its start would be an option of the server's program; `ext::` names a program.
    if not path.strip("/") or path.startswith(("-", ":", "~-")):
        raise BlockedAddress("The URL names no repository.")
    return SshUrl(read_host(host), port, user, path)


def _parts(text: str) -> tuple[str, str, int, str]:
    if text.lower().startswith("ssh://"):
        if any(ord(char) <= 32 or ord(char) == 127 for char in text):
            raise BlockedAddress("The URL contains blanks, control characters or backslashes.")
        try:
            parts = urlsplit(text)
            port, path = parts.port, unquote(parts.path, errors="strict")
        except ValueError:
            raise BlockedAddress("The URL has no readable host and port.") from None
        if port == 0 or not parts.hostname:
            raise BlockedAddress("The URL has no readable host and port.")
        user = parts.netloc.rpartition("@")[0]
        # `/~name/x` is below the home of a user.
        return user, parts.hostname, port or PORT, path[1:] if path.startswith("/~") else path
    found = _SHORT.match(text)
    if found is None or "://" in text:
        raise BlockedAddress("The URL is no address over ssh.")
    user = found["user"] or ""
    if not user and "@" in found["path"]:
        raise BlockedAddress("The URL holds a password; it belongs into a credential, not into a URL.")
    return user, found["host"].strip("[]"), PORT, found["path"]


def check_ssh_url(text: str, allow: str) -> SshUrl:
    """Read an address and refuse what needs no resolver to be refused. `allow`: as the setting http_out_allow.

    Raises BlockedAddress.
    """
    url = read_ssh_url(text)
    check_host(url.host, Allowed.read(allow))
    return url
