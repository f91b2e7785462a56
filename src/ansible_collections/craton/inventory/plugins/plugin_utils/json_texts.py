"""Facts as JSON, a text per key: what can be compared with what was sent before, and sent."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def json_texts(facts: Mapping[str, Any], refuse: Callable[[str, str], None]) -> Iterator[tuple[str, str]]:
    """(key, JSON) of the facts that JSON can hold; `refuse` is told of each other one, and why."""
    for name, value in facts.items():
        try:
            text = json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False, sort_keys=True)
        except (TypeError, ValueError) as error:
            refuse(str(name), str(error))
            continue
        # The service stores neither NUL nor bytes that Ansible could not read as text.
        yield str(name), _whole(text)


def quoted(text: str) -> str:
    """A text as JSON."""
    return _whole(json.dumps(text, ensure_ascii=False))


def digest(text: str) -> bytes:
    """What tells texts apart, in a few bytes."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _whole(text: str) -> str:
    return _NUL.sub("\\1\\\\ufffd", text).encode(errors="replace").decode()


def _plain(value: Any) -> Any:
    """A value that JSON does not know. Raises TypeError for one that must not be stored, such as a vaulted secret."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    raise TypeError(f"a {type(value).__name__} has no form in JSON")
