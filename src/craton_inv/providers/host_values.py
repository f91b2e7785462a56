"""What a host's variables say about the host itself: whether it is enabled."""

from collections.abc import Mapping
from typing import Any

_MISSING = object()


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
