"""Strict JSON: what the standard parser would take, overflow on or quietly merge is refused with its place."""

import json
import math
import re
from typing import Any

from craton_inv.ansible.json_guard import pointer, text_fault
from craton_inv.errors import BadRequest

MAX_DIGITS = 308
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_STRING = re.compile(rb'"[^"]*"?')
_NO_BRACKETS = bytes(set(range(256)) - set(b'[]{}"'))
# Escapes that can make a NUL or half a surrogate pair; UTF-8 itself cannot hold the latter, nor strict JSON a bare NUL.
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
# Without these no number is too large, and the parser may make numbers without asking us: four times as fast.
_LARGE = re.compile(rb"[0-9][eE]\+?[0-9]{3}|[0-9]{200}")


class _Fault:
    """Stands in a parsed document where something is wrong, until its place is known."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


def read_json_text(body: bytes, *, depth: int) -> Any:
    """The value of `body`. Raises BadRequest unless it is JSON that every later step can read and store.

    `depth`: levels of nesting.
    """
    check_depth(body, depth)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"JSON parse error - byte {error.start} is not UTF-8.", code="json.encoding") from error
    faults: list[_Fault] = []

    def fault(reason: str) -> _Fault:
        faults.append(_Fault(reason))
        return faults[-1]

    def constant(name: str) -> _Fault:
        return fault(f"{name} is no JSON value")

    def integer(digits: str) -> Any:
        return int(digits) if len(digits) <= MAX_DIGITS else fault(f"an integer of more than {MAX_DIGITS} digits")

    def real(digits: str) -> Any:
        number = float(digits)
        return number if math.isfinite(number) else fault(f"{digits[:40]} is larger than any number")

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) == len(pairs):
            return made
        made.clear()
        for key, value in pairs:
            made[key] = fault("this key comes twice in its object") if key in made else value
        return made

    large = _LARGE.search(body) is not None
    try:
        document = json.loads(
            text,
            parse_constant=constant,
            parse_int=integer if large else None,
            parse_float=real if large else None,
            object_pairs_hook=members,
        )
    except json.JSONDecodeError as error:
        raise BadRequest(
            f"JSON parse error - {error.msg}: line {error.lineno} column {error.colno}.", code="json.syntax"
        ) from error
    if faults or _SUSPECT.search(body):
        _refuse_first_fault(document)
    return document


def check_depth(body: bytes, limit: int) -> None:
    """Raise BadRequest for nesting beyond `limit`, without recursion and before anything is built."""
    if body.count(b"{") + body.count(b"[") <= limit or not _deeper(body, limit):
        return
    depth = 0
    for token in _TOKEN.finditer(body):
        first = token[0][:1]
        if first in (b"{", b"["):
            depth += 1
            if depth > limit:
                raise BadRequest(
                    f"JSON parse error - nested deeper than {limit} levels at byte {token.start()}.", code="json.depth"
                )
        elif first in (b"}", b"]"):
            depth -= 1


def _deeper(body: bytes, limit: int) -> bool:
    """Whether the nesting goes beyond `limit`: told by the brackets alone, once strings and all else are gone."""
    plain = _ESCAPED.sub(b"", body) if b"\\" in body else body
    depth = 0
    for bracket in _STRING.sub(b"", plain.translate(None, _NO_BRACKETS)):
        depth += 1 if bracket in b"[{" else -1
        if depth > limit:
            return True
    return False


def _refuse_first_fault(document: Any) -> None:
    stack: list[tuple[Any, tuple[str | int, ...]]] = [(document, ())]
    while stack:
        value, path = stack.pop()
        if isinstance(value, _Fault):
            raise BadRequest(f"JSON parse error - at {pointer(path)}: {value.reason}.", code="json.value")
        if isinstance(value, str):
            _refuse_text(value, path)
        elif isinstance(value, list):
            stack.extend((item, (*path, index)) for index, item in enumerate(value))
        elif isinstance(value, dict):
            for key, item in value.items():
                _refuse_text(key, path)
                stack.append((item, (*path, key)))


def _refuse_text(text: str, path: tuple[str | int, ...]) -> None:
    reason = text_fault(text)
    if reason:
        raise BadRequest(f"JSON parse error - at {pointer(path)}: the text {reason}.", code="json.text")
