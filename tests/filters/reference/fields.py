"""Lookups: what each says of a cell, a JSON value or a row."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from tests.filters.reference import values
from tests.filters.reference.documents import ordered, same
from tests.filters.reference.grammar import Refused, Written
from tests.filters.reference.rows import Cell, Json
from tests.filters.reference.schema import Type

Test = Callable[[Any], bool]

ORDERS: dict[str, Callable[[bool, bool], bool]] = {
    "gt": lambda less, equal: not less and not equal,
    "gte": lambda less, equal: not less,
    "lt": lambda less, equal: less,
    "lte": lambda less, equal: less or equal,
}
PARTS = tuple(case + part for part in ("contains", "startswith", "endswith", "regex") for case in ("", "i"))
LOOKUPS = ("exact", "iexact", "in", "isnull", *PARTS, *ORDERS)
OPERATORS = {"=": "exact", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "~": "regex"}


def folded(text: str) -> str:
    """The text in one case, character by character as PostgreSQL does it."""
    return "".join(char.lower() for char in text)


def text_test(lookup: str, wanted: str) -> Callable[[str], bool]:
    """What a lookup for parts of a text says of a text."""
    if lookup in ("regex", "iregex"):
        if len(wanted) > 128:
            raise Refused("a regular expression too long")
        pattern = _pattern(wanted, re.IGNORECASE if lookup[0] == "i" else re.NOFLAG)
        return lambda text: pattern.search(text) is not None
    if lookup[0] == "i":
        test = text_test(lookup[1:], folded(wanted))
        return lambda text: test(folded(text))
    tests: dict[str, Callable[[str], bool]] = {
        "exact": lambda text: text == wanted,
        "contains": lambda text: wanted in text,
        "startswith": lambda text: text.startswith(wanted),
        "endswith": lambda text: text.endswith(wanted),
    }
    return tests[lookup]


def _pattern(written: str, case: re.RegexFlag) -> re.Pattern[str]:
    """Python's form of a PostgreSQL expression of the common subset: a dot takes newlines, $ is the very end."""
    pieces = re.findall(r"\\.|\[\^?\]?[^\]]*\]?|.", written, re.DOTALL)
    if any(re.fullmatch(r"\\[1-9]", piece) for piece in pieces):
        raise Refused("a back-reference")
    try:
        return re.compile("".join(r"\Z" if piece == "$" else piece for piece in pieces), re.DOTALL | case)
    except re.error:
        raise Refused("no regular expression") from None


def shown(cell: Any) -> str:
    """A cell as the text that lookups for parts of a text see."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        part = f".{cell.microsecond:06}".rstrip("0") if cell.microsecond else ""
        return cell.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") + part + "+00"
    return str(cell)


def cell_test(kind: Type, lookup: str, value: Written, now: datetime) -> Test:
    """What a lookup says of a cell of this type, which may be None."""
    if lookup == "isnull":
        absent = values.boolean(value)
        return lambda cell: (cell is None) is absent
    if lookup == "in":
        if not value.text:
            raise Refused("an empty list")
        texts = values.text(value).split(",")
        if kind is not Type.TEXT:
            texts = [text.strip() for text in texts]
        pieces = [Written(text, quoted=True) for text in texts]
        return one_of(lambda piece: cell_test(kind, "exact", piece, now), pieces)
    if lookup == "iexact" and kind is not Type.TEXT:
        raise Refused("iexact is for texts")
    if values.is_null(value):
        if lookup in ("exact", "iexact"):
            return lambda cell: cell is None
        raise Refused("null is no value to compare with")
    if lookup == "exact":
        return _equal(kind, values.typed(kind, value, now))
    if lookup in ORDERS:
        wanted, holds = _key(values.typed(kind, value, now)), ORDERS[lookup]
        return lambda cell: cell is not None and holds(_key(cell) < wanted, _key(cell) == wanted)
    parts = text_test(lookup, values.text(value))
    return lambda cell: cell is not None and parts(shown(cell))


def _equal(kind: Type, wanted: Cell | values.Network) -> Test:
    if isinstance(wanted, IPv4Network | IPv6Network):
        return lambda cell: cell is not None and cell in wanted
    return lambda cell: cell is not None and cell == wanted


def _key(cell: Any) -> Any:
    """What orders a value: addresses by family and number, a network just before its first address."""
    if isinstance(cell, IPv4Address | IPv6Address):
        return cell.version, int(cell), cell.max_prefixlen
    if isinstance(cell, IPv4Network | IPv6Network):
        return cell.version, int(cell.network_address), cell.prefixlen
    return cell


def json_test(lookup: str, value: Written) -> Callable[[list[Json]], bool]:
    """What a lookup says of the values that a path has found."""
    if lookup == "isnull":
        absent = values.boolean(value)
        return lambda found: all(item is None for item in found) is absent
    if lookup == "in":
        if not value.text:
            raise Refused("an empty list")
        pieces = [Written(piece, quoted=True) for piece in values.text(value).split(",")]
        return one_of(lambda piece: json_test("exact", piece), pieces)
    wanted = values.in_json(value)
    if lookup == "exact":
        return lambda found: any(same(item, wanted) for item in found)
    if wanted is None:
        raise Refused("null is no value to compare with")
    if lookup in ORDERS:
        if isinstance(wanted, bool):
            raise Refused("a boolean has no order in JSON")
        holds = ORDERS[lookup]
        return lambda found: any(ordered(item, wanted, holds) for item in found)
    parts = text_test(lookup, values.text(value))
    return lambda found: any(isinstance(item, str) and parts(item) for item in found)


def one_of(made: Callable[[Written], Test], pieces: "list[Written] | tuple[Written, ...]") -> Test:
    """Any of several tests."""
    tests = [made(piece) for piece in pieces]
    return lambda cell: any(test(cell) for test in tests)
