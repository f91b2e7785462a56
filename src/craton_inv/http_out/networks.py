"""Which addresses the service may connect to: public ones, and those that its operator allows."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from craton_inv.errors import SetupError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PUBLIC_V6 = IPv6Network("2000::/3")
# Public by their number, but no host of the open net: what clouds answer inside, relays, documentation.
REFUSED = tuple(
    ip_network(text)
    for text in (
        "100.64.0.0/10",
        "168.63.129.16/32",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
    )
)
# Where clouds tell a machine its secrets: a host name in the list of what is allowed does not reach it, a network does.
NEVER_BY_NAME = (ip_network("169.254.0.0/16"), ip_network("fe80::/10"), ip_network("fd00:ec2::254/128"))
NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


def plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 one disguises: v4-mapped, v4-compatible, NAT64; else the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if any(address in network for network in NAT64) or (int(address) >> 32 == 0 and int(address) > 1):
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether an address is a host of the open net."""
    if address.version == 6 and address not in PUBLIC_V6:
        return False
    if address.is_multicast or address.is_reserved or address.is_unspecified or not address.is_global:
        return False
    return not any(address.version == network.version and address in network for network in REFUSED)


@dataclass(frozen=True)
class Allowed:
    """What the operator allows: `hosts` by name, `networks` by address; http and private addresses are fine there."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def read(cls, text: str) -> "Allowed":
        """From `awx.example.org, 10.1.0.0/16, ::1`. Raises SetupError naming what is neither."""
        return _read(text)

    def covers(self, host: str, address: Address) -> bool:
        """Whether `address`, which `host` stands for, was allowed by network or by name."""
        if any(address.version == network.version and address in network for network in self.networks):
            return True
        named = host in self.hosts
        return named and not any(address.version == network.version and address in network for network in NEVER_BY_NAME)

    def may_connect(self, host: str, written: Address) -> bool:
        """Whether `written`, one of the addresses of `host`, may be connected to."""
        address = plain(written)
        if self.covers(host, address):
            return True
        # A disguise is never needed to reach a public host.
        return address == written and is_public(address)


@lru_cache(maxsize=16)
def _read(text: str) -> Allowed:
    hosts: set[str] = set()
    networks: list[Network] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            networks.append(ip_network(part))
            continue
        except ValueError:
            if "/" in part or part.replace(".", "").isdecimal():
                raise SetupError(f"CRATON_INV_HTTP_OUT_ALLOW names {part!r}, which is no network.") from None
        if not part.isascii() or any(mark in part for mark in " :@?#[]*"):
            raise SetupError(f"CRATON_INV_HTTP_OUT_ALLOW names {part!r}, which is neither a host name nor a network.")
        hosts.add(part.lower().rstrip("."))
    return Allowed(frozenset(hosts), tuple(networks))


def parse_address(text: str) -> Address | None:
    """The address that `text` writes in the usual way, else None."""
    try:
        return ip_address(text)
    except ValueError:
        return None
