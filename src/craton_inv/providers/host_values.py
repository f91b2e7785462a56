"""What a host's variables say about the host itself: whether it is enabled, and which machine it is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from craton_inv.providers.base import SourceDefinition

_MISSING = object()
LONGEST_ID = 1024  # characters that an instance id may have


@dataclass(frozen=True)
class HostRules:
    """How hosts are read from variables.

    `enabled_var`, `enabled_value`, `instance_id`: paths (and the value that enables), "" to leave it alone. `left_out`:
    variables that are no host's own. `empty_groups`: groups without hosts, children and variables are kept.
    """

    enabled_var: str = ""
    enabled_value: str = ""
    instance_id: str = ""
    left_out: tuple[str, ...] = ()
    empty_groups: bool = True


def rules_of(definition: SourceDefinition, defaults: HostRules | None = None) -> HostRules:
    """What a source says about reading hosts over what its kind says by default (AWX: a blank `enabled_var` only)."""
    defaults = defaults or HostRules()
    if not definition.enabled_var:
        return defaults
    return replace(defaults, enabled_var=definition.enabled_var, enabled_value=definition.enabled_value)


def look_up(variables: Mapping[str, Any], paths: str) -> Any:
    """The value of the first path that leads somewhere, else _MISSING; commas separate fallbacks, dots descend."""
    for path in paths.split(","):
        value: Any = variables
        for part in path.strip().split("."):
            value = value.get(part, _MISSING) if isinstance(value, Mapping) else _MISSING
        if value is not _MISSING:
            return value
    return _MISSING


def enabled_of(variables: Mapping[str, Any], enabled_var: str, enabled_value: str) -> bool | None:
    """Whether a host is enabled; None when its variables do not say. Source: AWX `_get_enabled`.

    With `enabled_value` the texts are compared without case; without one any true value enables.
    """
    if not enabled_var:
        return None
    value = look_up(variables, enabled_var)
    if value is _MISSING:
        return None
    if not enabled_value:
        return bool(value)
    return str(value).casefold() == enabled_value.casefold()


def instance_id_of(variables: Mapping[str, Any], instance_id: str) -> str:
    """What a provider calls the machine; "" when the variables do not say. Source: AWX `_get_instance_id`.

    Of several paths the first with a true value counts. An id that is no text or number, or too long, is none.
    """
    for path in instance_id.split(","):
        value = look_up(variables, path)
        if isinstance(value, str | int) and value and not isinstance(value, bool):
            text = str(value)
            return text if len(text) <= LONGEST_ID else ""
    return ""
