"""Variables on their way to Ansible: names it can take, what columns stand for, who wins, what is never a template."""

import re
from collections.abc import Mapping
from typing import Any

from craton_inv.ansible.json_text import JsonText, dumps
from craton_inv.ansible.view import HostRow

# Where keys go that Ansible cannot take as a variable name: extension attributes such as "asset.serial".
ATTRIBUTES = "craton_attributes"
NAME_PATTERN = "^[A-Za-z_][A-Za-z0-9_]*$"
# Names that Jinja reads as something else. Source: ansible-core 2.19, JINJA_KEYWORDS.
RESERVED = ("False", "None", "True", "false", "none", "not", "true")
UNSAFE = "__ansible_unsafe"
_NAME = re.compile(NAME_PATTERN)
_TEMPLATE = re.compile(r"\{[{%#]")


def is_variable_name(key: str) -> bool:
    """Whether Ansible takes `key` as the name of a variable."""
    return _NAME.fullmatch(key) is not None and key not in RESERVED


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Variables of several layers, lowest first: the later one replaces a key whole (Ansible's hash_behaviour)."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged.update(layer)
    return merged


def with_attributes(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The same variables with the keys that are no names moved below `craton_attributes`.

    A mapping that is stored under that key is kept and completed; any other value there gives way.
    """
    named = {key: value for key, value in variables.items() if is_variable_name(key)}
    others = {key: value for key, value in variables.items() if key not in named}
    if not others:
        return named
    stored = named.get(ATTRIBUTES)
    return {**named, ATTRIBUTES: {**(stored if isinstance(stored, dict) else {}), **others}}


def column_variables(host: HostRow) -> dict[str, Any]:
    """What a host's well-known columns say to Ansible; a variable of the same name wins over them."""
    return {} if host.ip_address is None else {"ansible_host": host.ip_address}


def host_variables(host: HostRow, extra: Mapping[str, Any] | None = None) -> JsonText:
    """The variables of a host as JSON: columns, then its own, then `extra`, the later ones winning.

    Copies the stored text unless a key in it must move or is set twice.
    """
    columns, extra = column_variables(host), extra or {}
    if not columns and not extra and host.plain:
        return JsonText(host.variables)
    additions = {**columns, **extra}
    if not host.plain or any(dumps(key) in host.variables for key in additions):
        own = JsonText(host.variables).parsed()
        return JsonText(dumps({**columns, **with_attributes(own), **extra}))
    inside = host.variables[1:-1]
    return JsonText("{" + inside + (", " if inside else "") + dumps(additions)[1:-1] + "}")


def as_unsafe(value: Any) -> Any:
    """The value with every text that holds a template marked, so that Ansible prints it instead of running it.

    For what comes from untrusted sources (facts, clouds, other services): `{{ lookup('pipe', ...) }}` in a variable of
    an inventory script runs on the controller otherwise. What people wrote by API or in inventory files is trusted,
    since real group variables are templates. What is marked stays so. Source: Ansible's JSON, `__ansible_unsafe`.
    """
    if isinstance(value, str):
        return {UNSAFE: value} if _TEMPLATE.search(value) else value
    if isinstance(value, Mapping):
        if len(value) == 1 and isinstance(value.get(UNSAFE), str):
            return value
        return {key: as_unsafe(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_unsafe(item) for item in value]
    return value


def holds_template(value: Any) -> bool:
    """Whether a text in the value holds a template."""
    if isinstance(value, str):
        return "{" in value and _TEMPLATE.search(value) is not None
    if isinstance(value, Mapping):
        return any(map(holds_template, value.values()))
    return isinstance(value, list) and any(map(holds_template, value))


def without_needless_marks(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables with `__ansible_unsafe` taken off texts that hold no template: marked or not, they mean the same.

    ansible-inventory marks every text that a plugin computes, and a marked text is found by no filter.
    """
    return {
        key: value if isinstance(value, str | int) else _without_needless_marks(value)
        for key, value in variables.items()
    }


def _without_needless_marks(value: Any) -> Any:
    if isinstance(value, dict):
        text = value.get(UNSAFE)
        if isinstance(text, str) and len(value) == 1:
            return value if _TEMPLATE.search(text) else text
        return {key: _without_needless_marks(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_needless_marks(item) for item in value]
    return value
