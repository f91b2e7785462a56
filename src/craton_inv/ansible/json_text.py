"""JSON with parts that are JSON text already: they are copied, not parsed and written again."""

import json
from typing import Any

dumps = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


class JsonText(str):
    """JSON text that stands for its value in a document. Source: PostgreSQL's JSONB output, or `dumps`."""

    __slots__ = ()

    def parsed(self) -> Any:
        """The value it stands for."""
        return json.loads(self)


def encode(document: Any) -> bytes:
    """The document as UTF-8; JsonText inside it goes in as it is."""
    return _text(document).encode()


def _text(value: Any) -> str:
    if type(value) is JsonText:
        return value
    if isinstance(value, dict):
        return "{" + ", ".join([f"{dumps(key)}: {_text(item)}" for key, item in value.items()]) + "}"
    return dumps(value)


def plain(document: Any) -> Any:
    """The document with every JsonText parsed: for readers that want the values."""
    if type(document) is JsonText:
        return document.parsed()
    if isinstance(document, dict):
        return {key: plain(item) for key, item in document.items()}
    return document
