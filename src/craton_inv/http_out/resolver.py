"""From a host to the addresses it stands for, asked once: whoever connects uses exactly what was checked."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Protocol

from craton_inv.errors import TransientError
from craton_inv.http_out.networks import Address, Allowed, parse_address
from craton_inv.http_out.url import Url, blocked, require_scheme


class Resolver(Protocol):
    """Asks for the addresses of a host name."""

    async def __call__(self, host: str) -> Sequence[Address]:
        """All of them, in the order to be tried. Raises TransientError when there is no answer."""


async def system_resolver(host: str) -> list[Address]:
    """What the machine's own resolver says."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TransientError(f"The host {host} was not found.") from error
    addresses = [parse_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    return [address for address in dict.fromkeys(addresses) if address is not None]


async def checked_addresses(url: Url, allowed: Allowed, resolver: Resolver) -> list[str]:
    """The addresses to connect to for a URL. One address that may not be reached refuses the host.

    Raises BlockedAddress, TransientError.
    """
    written = parse_address(url.host)
    addresses = [written] if written is not None else list(await resolver(url.host))
    if not addresses:
        raise TransientError(f"The host {url.host} has no address.")
    if not all(allowed.may_connect(url.host, address) for address in addresses):
        raise blocked(url.host)
    require_scheme(url, all(allowed.covers(url.host, address) for address in addresses))
    return [str(address) for address in addresses]
