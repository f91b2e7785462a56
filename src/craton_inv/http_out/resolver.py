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
    """The addresses to connect to for a URL. Raises BlockedAddress, TransientError."""
    addresses = await addresses_of(url.host, allowed, resolver)
    require_scheme(url, all(allowed.covers(url.host, address) for address in addresses))
    return [str(address) for address in addresses]


async def addresses_of(host: str, allowed: Allowed, resolver: Resolver) -> list[Address]:
    """The addresses of a host, each of which may be connected to: one that may not be refuses the host.

    Raises BlockedAddress, TransientError.
    """
    written = parse_address(host)
    addresses = [written] if written is not None else list(await resolver(host))
    if not addresses:
        raise TransientError(f"The host {host} has no address.")
    if not all(allowed.may_connect(host, address) for address in addresses):
        raise blocked(host)
    return addresses
