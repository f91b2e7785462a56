"""What a JSON value must fulfil before it is stored: PostgreSQL's JSONB can hold it, and no later step chokes on it."""

import math
import re
from typing import Any

from craton_inv.errors import InvalidField

MAX_DEPTH = 64
MAX_INTEGER_BITS = 1024  # about 308 digits, the reach of a double; JSONB holds more, most readers do not
_SURROGATE = re.compile("[\ud800-\udfff]")


def pointer(path: tuple[str | int, ...]) -> str:
    """A path as JSON pointer (RFC 6901): "/a/0"; the whole value is "/"."""
    return "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in path)


def text_fault(text: str) -> str:
    """Why PostgreSQL would refuse `text`; "" when it would not."""
    if "\x00" in text:
        return "contains the character NUL, which cannot be stored"
    if not text.isascii() and _SURROGATE.search(text):
        return "contains half of a surrogate pair, which is not valid Unicode"
    return ""


def number_fault(number: float) -> str:
    """Why a number is no JSON, or too large; "" when it is fine."""
    if isinstance(number, float):
        return "" if math.isfinite(number) else "is not a finite number (NaN, Infinity, or too large)"
    return "" if number.bit_length() <= MAX_INTEGER_BITS else "is an integer of more than 308 digits"


def _fault(value: Any) -> str:
    if isinstance(value, str):
        return text_fault(value)
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        return number_fault(value)
    return "" if isinstance(value, dict | list) else f"is a {type(value).__name__}, which JSON cannot hold"


def check_json(value: Any, field: str = "variables") -> None:
    """Raise InvalidField unless `value` fits JSONB: at most 64 deep, finite numbers, valid text, text keys."""
    stack: list[tuple[Any, tuple[str | int, ...]]] = [(value, ())]
    while stack:
        item, path = stack.pop()
        fault = _fault(item)
        if fault:
            raise InvalidField(field, f"The value at {pointer(path)} {fault}.")
        if not isinstance(item, dict | list):
            continue
        if len(path) >= MAX_DEPTH:
            raise InvalidField(field, f"Nested deeper than {MAX_DEPTH} levels at {pointer(path[:4])}.")
        if isinstance(item, list):
            stack.extend((part, (*path, index)) for index, part in enumerate(item))
            continue
        for key, part in item.items():
            fault = text_fault(key) if isinstance(key, str) else "is not text"
            if fault:
                raise InvalidField(field, f"A key at {pointer(path)} {fault}.")
            stack.append((part, (*path, key)))
