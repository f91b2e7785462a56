"""Values as fields of PostgreSQL's COPY text format; what a column cannot hold is refused, naming the object."""

import json
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from ipaddress import ip_address, ip_interface
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Integer, LargeBinary, String
from sqlalchemy.dialects.postgresql import INET, JSONB

from craton_inv.errors import UpdateFailed

Encoder = Callable[[Any, Mapping[str, Any]], str]
NULL = "\\N"  # the COPY field of a null
MAX_DEPTH = 64
MAX_INTEGER = 2**63
# An IPv4 address as PostgreSQL writes it: it needs no reading, which costs more than all the rest of a row.
_PLAIN_ADDRESS = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?:\.(?!\Z)|\Z)){4}").fullmatch
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_dump = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def object_text(collection: str, values: Mapping[str, Any]) -> str:
    """The object in messages: its collection and name, control characters made visible."""
    name = str(values.get("name") or next(iter(values.values()), ""))
    return f"{collection} {name[:100]!a}"


def escape(text: str) -> str:
    """A text as a COPY field."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if text.isprintable():
        return text
    return text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _valid(text: str, what: Callable[[], str]) -> str:
    if "\x00" in text:
        raise UpdateFailed(f"{what()} contains the character NUL.")
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError:
        raise UpdateFailed(f"{what()} contains half of a surrogate pair, which is not valid Unicode.") from None
    return escape(text)


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            part
            for item in level
            if isinstance(item, dict | list)
            for part in (item.values() if isinstance(item, dict) else item)
        ]
    return any(isinstance(item, dict | list) for item in level)


def json_text(value: Any, what: Callable[[], str]) -> str:
    """A value as JSON in a COPY field. Raises UpdateFailed, `what` naming the object and the column."""
    try:
        text = _dump(value)
    except RecursionError:
        raise UpdateFailed(f"{what()} are nested deeper than {MAX_DEPTH} levels.") from None
    except (ValueError, TypeError) as error:
        raise UpdateFailed(f"{what()} cannot be written as JSON: {error}.") from None
    if text.count("{") + text.count("[") > MAX_DEPTH and _too_deep(value):
        raise UpdateFailed(f"{what()} are nested deeper than {MAX_DEPTH} levels.")
    if "\\u0000" in text and _ESCAPED_NUL.search(text):
        raise UpdateFailed(f"{what()} contain the character NUL.")
    return _valid(text, what)


def _json(column: Column[Any], collection: str) -> Encoder:
    def encode(value: Any, values: Mapping[str, Any]) -> str:
        return json_text(value, lambda: f"{object_text(collection, values)}: {column.name}")

    return encode


def _text(column: Column[Any], collection: str, identity: bool) -> Encoder:
    length = column.type.length if isinstance(column.type, String) else None

    longest = length if length is not None else sys.maxsize

    def encode(value: Any, values: Mapping[str, Any]) -> str:
        # What is printable has no control characters, no NUL and no half of a surrogate pair.
        if type(value) is str and value.isprintable() and "\\" not in value and len(value) <= longest:
            return value
        text = value if isinstance(value, str) else str(value)

        def what() -> str:
            return f"{object_text(collection, values)}: {column.name}"

        if identity and not text.isprintable() and _CONTROL.search(text):
            raise UpdateFailed(f"{what()} contains a control character.")
        if length is not None and len(text) > length:
            raise UpdateFailed(f"{what()} has {len(text)} characters; at most {length} are allowed.")
        return _valid(text, what)

    return encode


def _boolean(value: Any, values: Mapping[str, Any]) -> str:
    return "t" if value else "f"


def _binary(value: Any, values: Mapping[str, Any]) -> str:
    return "\\\\x" + bytes(value).hex()


def _integer(column: Column[Any], collection: str) -> Encoder:
    def encode(value: Any, values: Mapping[str, Any]) -> str:
        if type(value) is int and -MAX_INTEGER <= value < MAX_INTEGER:
            return str(value)
        try:
            number = int(value)
        except (OverflowError, TypeError, ValueError):
            raise UpdateFailed(f"{object_text(collection, values)}: {column.name} is not a number.") from None
        if not -MAX_INTEGER <= number < MAX_INTEGER:
            raise UpdateFailed(f"{object_text(collection, values)}: {column.name} is out of range.")
        return str(number)

    return encode


def _address(column: Column[Any], collection: str) -> Encoder:
    def encode(value: Any, values: Mapping[str, Any]) -> str:
        if type(value) is str and _PLAIN_ADDRESS(value):
            return value
        try:
            return str(ip_interface(value) if "/" in str(value) else ip_address(value))
        except ValueError:
            shown = f"{str(value)[:100]!a}"
            raise UpdateFailed(f"{object_text(collection, values)}: {column.name} {shown} is no IP address.") from None

    return encode


def _time(column: Column[Any], collection: str) -> Encoder:
    def encode(value: Any, values: Mapping[str, Any]) -> str:
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except (TypeError, ValueError):
            shown = f"{str(value)[:100]!a}"
            raise UpdateFailed(
                f"{object_text(collection, values)}: {column.name} {shown} is no time, as in 2026-01-31T12:00:00Z."
            ) from None
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).isoformat()

    return encode


def null_text(column: Column[Any]) -> str:
    """The COPY field of a value that is not there: the column's default where it cannot be null, for saved is that."""
    default = getattr(column.server_default, "arg", None)
    return escape(default) if not column.nullable and isinstance(default, str) else NULL


def encoder_for(column: Column[Any], collection: str, identity: bool) -> Encoder:
    """How values of a column are written. `identity`: part of a manager_ref, where control characters are refused."""
    if isinstance(column.type, JSONB):
        return _json(column, collection)
    if isinstance(column.type, Boolean):
        return _boolean
    if isinstance(column.type, LargeBinary):
        return _binary
    if isinstance(column.type, INET):
        return _address(column, collection)
    if isinstance(column.type, DateTime):
        return _time(column, collection)
    if isinstance(column.type, Integer):
        return _integer(column, collection)
    return _text(column, collection, identity)
