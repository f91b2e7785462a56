"""What a written value means: a reader per kind of column, and the JSON scalars of facts and variables."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Date, DateTime, Double, Integer, Numeric, String, Text, Uuid
from sqlalchemy.dialects.postgresql import CIDR, INET
from sqlalchemy.types import TypeDecorator, TypeEngine

from craton_inv.filters import errors
from craton_inv.filters.errors import Place
from craton_inv.filters.nodes import Value

_WHOLE = re.compile(r"[-+]?[0-9]+")
_NUMBER = re.compile(r"([-+]?)([0-9]+)(\.[0-9]+)?")
_RELATIVE = re.compile(r"now(?:\s*([-+])\s*([0-9]{1,9})([smhdw]))?", re.IGNORECASE)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_TRUE, _FALSE = ("true", "t", "1"), ("false", "f", "0")


class Unfit(ValueError):
    """A text that is no value of its kind; the message is AWX's sentence."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of field. `read` turns a text into the Python value to bind as `sql_type`, or raises Unfit."""

    name: str
    takes: str
    sql_type: TypeEngine[Any]
    read: Callable[[str, datetime], Any]


def _text(text: str, _now: datetime) -> str:
    return text


def _integer(text: str, _now: datetime) -> int:
    if _WHOLE.fullmatch(text) and len(text) <= 20 and -(2**63) <= int(text) < 2**63:
        return int(text)
    raise Unfit(f"“{errors.shown(text)}” value must be an integer.")


def _number(text: str, _now: datetime) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Unfit(f"“{errors.shown(text)}” value must be a float.")
    return number


def _boolean(text: str, _now: datetime) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise Unfit(f'Unable to convert "{errors.shown(text)}" to boolean.')


def _moment(text: str, now: datetime) -> datetime:
    """ISO 8601, UTC when no zone is given, or relative to now."""
    try:
        if relative := _RELATIVE.fullmatch(text):
            sign, amount, unit = relative.groups()
            if sign is None:
                return now
            step = timedelta(**{_UNITS[unit.lower()]: int(amount)})
            return now + step if sign == "+" else now - step
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unfit(
            f"“{errors.shown(text)}” value has an invalid format."
            " It must be in YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ] format."
        ) from None


def _naive_moment(text: str, now: datetime) -> datetime:
    return _moment(text, now).replace(tzinfo=None)


def _day(text: str, now: datetime) -> date:
    try:
        return _moment(text, now).date()
    except Unfit:
        raise Unfit(
            f"“{errors.shown(text)}” value has an invalid date format. It must be in YYYY-MM-DD format."
        ) from None


def _address(text: str, _now: datetime) -> str:
    """An address or a network in canonical form. Scopes (%eth0) are refused: PostgreSQL has none."""
    try:
        if "%" in text:
            raise ValueError(text)
        return str(ip_network(text, strict=False) if "/" in text else ip_address(text))
    except ValueError:
        raise Unfit(f"“{errors.shown(text)}” is not an IPv4 or IPv6 address.") from None


def _uuid(text: str, _now: datetime) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Unfit(f"“{errors.shown(text)}” is not a valid UUID.") from None


TEXT = Kind("text", "a text", Text(), _text)
INTEGER = Kind("integer", "a whole number of at most 64 bits", BigInteger(), _integer)
NUMBER = Kind("number", "a number", Double(), _number)
BOOLEAN = Kind("boolean", "true, false, 1, 0, t or f", Boolean(), _boolean)
TIMESTAMP = Kind("timestamp", "an ISO 8601 date or time, or now-7d (s m h d w)", DateTime(timezone=True), _moment)
NAIVE_TIMESTAMP = Kind("timestamp", TIMESTAMP.takes, DateTime(), _naive_moment)
DATE = Kind("date", "an ISO 8601 date, or now-7d (d w)", Date(), _day)
ADDRESS = Kind("address", "an IPv4 or IPv6 address, or a network such as 10.0.0.0/8", INET(), _address)
UUIDS = Kind("uuid", "a UUID", Uuid(), _uuid)


def kind_of(column: Any) -> Kind | None:
    """The kind of a column, by its type; None for types that cannot be compared (JSON, arrays, bytes)."""
    kind: Any = column.type
    while isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    if isinstance(kind, DateTime):
        return TIMESTAMP if kind.timezone else NAIVE_TIMESTAMP
    for types, found in _KINDS:
        if isinstance(kind, types):
            return found
    return None


_KINDS: tuple[tuple[tuple[type[TypeEngine[Any]], ...], Kind], ...] = (
    ((Boolean,), BOOLEAN),
    ((Integer,), INTEGER),
    ((Numeric,), NUMBER),
    ((Date,), DATE),
    ((INET, CIDR), ADDRESS),
    ((Uuid,), UUIDS),
    ((String,), TEXT),
)


def is_null(value: Value) -> bool:
    """A bare null: IS NULL on columns, an explicit null in JSON."""
    return not value.quoted and value.text == "null"


def clean(value: Value, place: Place) -> str:
    """The text of `value`, once sure that PostgreSQL can hold it."""
    text = value.text
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise errors.bad_value(
            place, value, f"“{errors.shown(text)}” value is invalid.", "text without NUL or lone surrogates"
        )
    return text


def read(kind: Kind, value: Value, place: Place, now: datetime) -> Any:
    """The Python value of `value` for a field of `kind`. Raises InvalidFilter naming field, value and what it takes."""
    text = clean(value, place)
    try:
        return kind.read(text, now)
    except Unfit as unfit:
        raise errors.bad_value(place, value, str(unfit), kind.takes) from None


def json_text(value: Value, place: Place) -> str:
    """The JSON scalar that a value means on facts and variables: number, boolean, null or string.

    Numbers are what AWX's two expressions take, kept digit by digit; quoted values are strings.
    """
    text = clean(value, place)
    if not value.quoted:
        if text in ("true", "false", "null"):
            return text
        if number := _NUMBER.fullmatch(text):
            sign, whole, fraction = number.groups()
            return ("-" if sign == "-" else "") + (whole.lstrip("0") or "0") + (fraction or "")
    return json.dumps(text, ensure_ascii=False)
