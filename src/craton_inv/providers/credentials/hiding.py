"""Blackens secrets in what a run says: as they are, and as other texts quote them."""

import json
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "**********"
SHORTEST = 4  # characters; a shorter secret would blacken words of any text

Hide = Callable[[str], str]


def hiding(secrets: Iterable[str]) -> Hide:
    """A function that blackens these secrets, and each line of those with several, in a text."""
    parts = {part for secret in secrets for part in (secret, *secret.splitlines())}
    shapes = {shape for part in parts if len(part.strip()) >= SHORTEST for shape in _shapes(part)}
    ordered = sorted(shapes, key=lambda shape: (-len(shape), shape))

    def hide(text: str) -> str:
        for shape in ordered:
            text = text.replace(shape, HIDDEN)
        return text

    return hide


def hide_nothing(text: str) -> str:
    """For what has no secrets."""
    return text


def hide_within(hide: Hide, value: Any) -> Any:
    """`value` with the texts in it blackened; names of keys, and what is no JSON, stay."""
    if isinstance(value, str):
        return hide(value)
    if isinstance(value, dict):
        return {key: hide_within(hide, inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [hide_within(hide, inner) for inner in value]
    return value


def _shapes(secret: str) -> set[str]:
    """A secret as texts write it: bare, in a URL, in JSON, in Python."""
    return {
        secret,
        secret.strip(),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
    }
