"""Variables as text: JSON first, then YAML, read behind one guard into one JSON object.

Both readers refuse the same things: what is no mapping, duplicate keys, NaN and infinities, huge integers, NUL and lone
surrogates, nesting deeper than 64. YAML adds: aliases that expand to more than 100 000 nodes, every tag but the plain
ones, `!vault` and `!unsafe`. Dates stay the text they were written as. Source: AWX `parse_yaml_or_json`.
"""

import json
from typing import Any

import yaml

from craton_inv.ansible.json_guard import check_json
from craton_inv.ansible.yaml_nodes import build, guard_events
from craton_inv.errors import InvalidField

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Refused(Exception):
    """Well-formed JSON that is not allowed: there is no point in trying YAML."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _Refused(f"The key {twice[:80]!r} appears twice in one object.")
    return built


def _no_constant(name: str) -> Any:
    raise _Refused(f"{name} is not a number of JSON.")


def load_json(text: str, field: str) -> Any:
    """Strict JSON. Raises ValueError for what is not JSON at all, InvalidField for what is but may not be."""
    try:
        value = json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_constant)
    except _Refused as refused:
        raise InvalidField(field, str(refused)) from None
    except RecursionError:
        raise InvalidField(field, "Nested deeper than 64 levels.") from None
    except ValueError as error:
        if isinstance(error, json.JSONDecodeError):
            raise
        raise InvalidField(field, "An integer has more than 308 digits.") from None
    check_json(value, field)
    return value


def load_yaml(text: str, field: str) -> Any:
    """One YAML document as a JSON value. Raises yaml.YAMLError for bad syntax, InvalidField for what is not allowed."""
    guard_events(yaml.parse(text, Loader=Loader), field)
    node = yaml.compose(text, Loader=Loader)
    if node is None:
        return None
    value = build(node, field)
    check_json(value, field)
    return value


def _require_mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"Input type `{type(value).__name__}` is not a dictionary")
    return value


def parse_variables(text: str, field: str = "variables") -> dict[str, Any]:
    """The variables written in `text`: an object of JSON or a mapping of YAML; nothing, `""` and `---` mean none.

    `!vault` values become {"__ansible_vault": text}, `!unsafe` ones {"__ansible_unsafe": text}, as in Ansible's JSON.
    Raises InvalidField naming `field`, with AWX's sentence when the text is neither.
    """
    if not text.strip() or text == '""':
        return {}
    try:
        return _require_mapping(load_json(text, field))
    except (ValueError, TypeError) as error:
        json_error = error
    try:
        value = load_yaml(text, field)
        return {} if value is None else _require_mapping(value)
    except (yaml.YAMLError, TypeError, UnicodeError) as yaml_error:
        raise InvalidField(
            field, f"Cannot parse as JSON (error: {json_error}) or YAML (error: {yaml_error})."
        ) from yaml_error
