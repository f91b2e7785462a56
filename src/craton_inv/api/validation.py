"""Pydantic's complaints in AWX's words, by field; both dialects say them alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError

from craton_inv.errors import CratonInvError, InvalidFields, UnsupportedMediaType

_TEXTS = {
    "missing": "This field is required.",
    "string_type": "Not a valid string.",
    "int_type": "A valid integer is required.",
    "int_parsing": "A valid integer is required.",
    "int_from_float": "A valid integer is required.",
    "int_parsing_size": "This integer is too large.",
    "bool_type": "Must be a valid boolean.",
    "bool_parsing": "Must be a valid boolean.",
    "dict_type": "Expected an object.",
    "model_attributes_type": "Expected an object.",
    "model_type": "Expected an object.",
    "list_type": "Expected a list.",
    "extra_forbidden": "Unknown field.",
    "string_too_short": "This field may not be blank.",
}
_SHOWN = 100


def complaint(problem: Mapping[str, Any]) -> str:
    """One sentence for one of Pydantic's errors, with the value it is about."""
    kind, value = problem["type"], problem.get("input")
    if value is None and kind.endswith("_type"):
        return "This field may not be null."
    if kind == "string_too_long":
        return f"Ensure this field has no more than {problem['ctx']['max_length']} characters."
    text = _TEXTS.get(kind)
    if text is None:
        text = str(problem["msg"]).removeprefix("Value error, ")
        text = text if text.endswith((".", "!", "?")) else f"{text}."
    if kind in ("missing", "extra_forbidden", "string_too_short", "name") or isinstance(value, dict | list):
        return text
    shown = repr(value)
    return f"{text} (got {shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '…'})"


def field_of(location: Sequence[Any]) -> str:
    """("body", "hosts", 0, "name") → "hosts.0.name"; the body as a whole is "body"."""
    parts = [str(part) for part in location[1:]]
    return ".".join(parts) if parts else str(location[0] if location else "body")


def translate_validation(error: RequestValidationError, request: Request) -> CratonInvError:
    """Field errors; or 415 when there is a body in a type that the route does not read."""
    problems = error.errors()
    if any(tuple(problem["loc"]) == ("body",) for problem in problems) and _not_json(request):
        kind = request.headers.get("content-type") or "none"
        return UnsupportedMediaType(f'Unsupported media type "{kind}" in request; send application/json.')
    fields: dict[str, list[str]] = {}
    for problem in problems:
        fields.setdefault(field_of(problem["loc"]), []).append(complaint(problem))
    refused = InvalidFields(fields)
    if all(problem["loc"] and problem["loc"][0] == "path" for problem in problems):
        refused.code = "invalid_path"
    return refused


def _not_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    has_body = request.headers.get("content-length", "0") != "0" or "transfer-encoding" in request.headers
    return has_body and kind != "application/json" and not kind.endswith("+json")
