"""Facts and variables: what a path finds in a document, and when what it finds matches."""

import json
from collections.abc import Callable
from decimal import Decimal

from tests.filters.reference.grammar import Segment
from tests.filters.reference.rows import Json


def found(document: Json, path: tuple[Segment, ...]) -> list[Json]:
    """All values at the end of a path: one at most, unless an array lies on the way."""
    values = [document]
    for segment in path:
        values = [value[segment.name] for value in values if isinstance(value, dict) and segment.name in value]
        if segment.array:
            values = [item for value in values if isinstance(value, list) for item in value]
    return values


def written(document: Json) -> str:
    """A document as PostgreSQL writes it: keys by length, then by their bytes; numbers without an exponent."""
    if isinstance(document, dict):
        keys = sorted(document, key=lambda key: (len(key.encode()), key.encode()))
        return "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)}: {written(document[key])}" for key in keys) + "}"
    if isinstance(document, list):
        return "[" + ", ".join(map(written, document)) + "]"
    if isinstance(document, Decimal):
        return format(document, "f")
    return json.dumps(document, ensure_ascii=False)


def same(one: Json, other: Json) -> bool:
    """Equality of JSON scalars: the same type, numbers by value."""
    if isinstance(one, dict | list) or isinstance(other, dict | list):
        return False
    return type(one) is type(other) and one == other


def ordered(one: Json, other: Json, holds: Callable[[bool, bool], bool]) -> bool:
    """A comparison by order, true only between two numbers or two texts. `holds` gets (less, equal)."""
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return holds(one < other, one == other)
    if isinstance(one, str) and isinstance(other, str):
        return holds(one < other, one == other)
    return False
