"""What a written value means on a typed field and in JSON."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from tests.filters.reference.grammar import Refused, Written
from tests.filters.reference.rows import Cell, Json
from tests.filters.reference.schema import Type

NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

Network = IPv4Network | IPv6Network


def text(value: Written) -> str:
    """A text that the database can hold."""
    if "\0" in value.text or any("\ud800" <= char <= "\udfff" for char in value.text):
        raise Refused("no text of the database")
    return value.text


def in_json(value: Written) -> Json:
    """The JSON scalar that a value means in facts and variables."""
    written = text(value)
    if value.quoted:
        return written
    if written in ("true", "false"):
        return written == "true"
    if written == "null":
        return None
    return Decimal(written) if NUMBER.fullmatch(written) else written


def is_null(value: Written) -> bool:
    """A bare null."""
    return value.text == "null" and not value.quoted


def boolean(value: Written) -> bool:
    """true, 1, t or false, 0, f in any case."""
    word = value.text.lower()
    if word in ("true", "1", "t"):
        return True
    if word in ("false", "0", "f"):
        return False
    raise Refused("no boolean")


def integer(value: Written) -> int:
    """A whole number of 64 bits."""
    if re.fullmatch(r"[-+]?[0-9]+", value.text) and -(2**63) <= int(value.text) < 2**63:
        return int(value.text)
    raise Refused("no whole number")


def time(value: Written, now: datetime) -> datetime:
    """An ISO 8601 date or timestamp, UTC without a zone, or a time relative to now."""
    relative = re.fullmatch(r"now(?:\s*([-+])\s*([0-9]+)([smhdw]))?", value.text.lower())
    try:
        if relative:
            sign, amount, unit = relative.groups()
            shift = timedelta(**{_UNITS[unit]: int(amount)}) if sign else timedelta()
            return now - shift if sign == "-" else now + shift
        found = datetime.fromisoformat(value.text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused("no time") from None


def address(value: Written) -> IPv4Address | IPv6Address:
    """An address without a zone."""
    try:
        return ip_address(value.text.replace("%", " "))
    except ValueError:
        raise Refused("no address") from None


def network(value: Written) -> Network:
    """A network; an address is a network of one."""
    try:
        return ip_network(value.text.replace("%", " "), strict=False)
    except ValueError:
        raise Refused("no network") from None


def typed(kind: Type, value: Written, now: datetime) -> Cell | Network:
    """The value that a field of this type is compared with by `=`."""
    match kind:
        case Type.TEXT:
            return text(value)
        case Type.INTEGER:
            return integer(value)
        case Type.BOOLEAN:
            return boolean(value)
        case Type.TIME:
            return time(value, now)
        case Type.ADDRESS:
            return network(value)
