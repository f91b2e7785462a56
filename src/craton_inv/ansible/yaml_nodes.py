"""From YAML's events and nodes to JSON values: counts before anything is built, knows every tag it accepts by name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from craton_inv.ansible.json_guard import MAX_DEPTH, pointer
from craton_inv.errors import InvalidField

MAX_NODES = 100_000
MAX_NUMBER_LENGTH = 400
_YAML = "tag:yaml.org,2002:"
_MERGE = _YAML + "merge"
_PLAIN = {_YAML + name for name in ("str", "timestamp", "value")}
_VAULT = {"!vault", "!vault-encrypted"}
_UNSAFE = "!unsafe"
_convert = yaml.constructor.SafeConstructor()
_NUMBERS = {_YAML + "int": _convert.construct_yaml_int, _YAML + "float": _convert.construct_yaml_float}

Path = tuple[str | int, ...]


@dataclass
class Expansion:
    """What a text has grown to so far, aliases counted as what they stand for, and the nodes that are still open."""

    total: int = 0
    aliased: int = 0
    open_nodes: list[tuple[str | None, int]] = field(default_factory=list)  # anchor, nodes seen before it


def expand(events: Iterable[Any]) -> Iterator[tuple[Any, Expansion]]:
    """Each event with the growth up to it.

    Sizes add up without expanding anything: a closed anchor knows how many nodes it stands for, an alias adds them.
    """
    sizes: dict[str, int] = {}
    grown = Expansion()
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            size = sizes.get(event.anchor or "", 1)
            grown.total += size
            grown.aliased += size
        elif isinstance(event, yaml.ScalarEvent):
            grown.total += 1
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            grown.open_nodes.append((event.anchor, grown.total))
            grown.total += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = grown.open_nodes.pop()
            if anchor:
                sizes[anchor] = grown.total - before
        yield event, grown


def guard_events(events: Iterable[Any], field: str) -> None:
    """Raise InvalidField when the text nests too deep, expands to too many nodes, or holds itself."""
    for event, grown in expand(events):
        _refuse_circle(event, grown, field)
        if len(grown.open_nodes) > MAX_DEPTH:
            raise InvalidField(field, f"Nested deeper than {MAX_DEPTH} levels.")
        if grown.total > MAX_NODES:
            raise InvalidField(field, f"Expands to more than {MAX_NODES} values.")


def guard_aliases(events: Iterable[Any], field: str) -> None:
    """Raise InvalidField for an alias of what contains it, and when aliases stand for too many nodes.

    What is written out may be any size.
    """
    for event, grown in expand(events):
        _refuse_circle(event, grown, field)
        if grown.aliased > MAX_NODES:
            raise InvalidField(field, f"Its aliases expand to more than {MAX_NODES} values.")


def _refuse_circle(event: Any, grown: Expansion, field: str) -> None:
    if isinstance(event, yaml.AliasEvent) and any(anchor == event.anchor for anchor, _ in grown.open_nodes):
        raise InvalidField(field, f"The YAML alias *{event.anchor} refers to what contains it.")


def build(node: yaml.Node, field: str, path: Path = (), *, unsafe: bool = False) -> Any:
    """The JSON value of a composed node. Raises InvalidField with a pointer to what is not allowed."""
    unsafe = unsafe or node.tag == _UNSAFE
    if isinstance(node, yaml.MappingNode) and node.tag in (_YAML + "map", _UNSAFE):
        return _mapping(node, field, path, unsafe)
    if isinstance(node, yaml.SequenceNode) and node.tag in (_YAML + "seq", _UNSAFE):
        return [build(item, field, (*path, index), unsafe=unsafe) for index, item in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, field, path, unsafe)
    raise _refused_tag(node, field, path)


def _refused_tag(node: yaml.Node, field: str, path: Path) -> InvalidField:
    return InvalidField(
        field,
        f"could not determine a constructor for the tag {node.tag[:120]!r} at {pointer(path)}: it is not allowed.",
    )


def _scalar(node: yaml.ScalarNode, field: str, path: Path, unsafe: bool) -> Any:
    if node.tag in _VAULT:
        return {"__ansible_vault": node.value}
    if node.tag == _UNSAFE:
        return {"__ansible_unsafe": node.value}
    if node.tag in _PLAIN:
        return {"__ansible_unsafe": node.value} if unsafe else node.value
    if node.tag == _YAML + "null":
        return None
    try:
        if node.tag == _YAML + "bool":
            return _convert.construct_yaml_bool(node)
        if node.tag in _NUMBERS and len(node.value) <= MAX_NUMBER_LENGTH:
            return _NUMBERS[node.tag](node)
    except (ValueError, KeyError):
        raise InvalidField(field, f"The value at {pointer(path)} is not what its tag {node.tag} says.") from None
    if node.tag in _NUMBERS:
        raise InvalidField(field, f"The number at {pointer(path)} has more than {MAX_NUMBER_LENGTH} characters.")
    raise _refused_tag(node, field, path)


def _key(node: yaml.Node, field: str, path: Path) -> str:
    """A mapping's key as JSON writes it: text stays, true becomes "true", 1 becomes "1"."""
    value = build(node, field, path)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, str | int | float):
        return str(value)
    raise InvalidField(field, f"A key at {pointer(path)} is a {type(value).__name__}; keys must be text or numbers.")


def _mapping(node: yaml.MappingNode, field: str, path: Path, unsafe: bool) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if key_node.tag == _MERGE:
            merged = _merge(value_node, field, path, unsafe) | merged
            continue
        key = _key(key_node, field, path)
        if key in own:
            raise InvalidField(field, f"The key {key[:80]!r} appears twice at {pointer(path)}.")
        own[key] = build(value_node, field, (*path, key), unsafe=unsafe)
    return merged | own


def _merge(node: yaml.Node, field: str, path: Path, unsafe: bool) -> dict[str, Any]:
    """What `<<` brings: a mapping, or a list of mappings of which the earlier win."""
    merged: dict[str, Any] = {}
    for part in node.value if isinstance(node, yaml.SequenceNode) else [node]:
        if not isinstance(part, yaml.MappingNode):
            raise InvalidField(field, f"The merge key << at {pointer(path)} needs a mapping or a list of mappings.")
        merged = _mapping(part, field, path, unsafe) | merged
    return merged
