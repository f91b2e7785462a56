"""The parsed filter: frozen nodes that the parser and the list parameters make and the compiler reads."""

import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

_PLAIN_PART = re.compile(r"[^\s()=<>!~'\"]+\Z")


@dataclass(frozen=True, slots=True)
class Origin:
    """The text that nodes come from, for messages. `kind` says whose words a refusal takes."""

    text: str
    kind: Literal["host_filter", "list"] = "host_filter"

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        before = self.text[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a path. `array`: it ended in []. `literal`: quoted inside the path, so a name and nothing else.

    Written in Craton's query form alone: `wild` is any member of an object, whatever its name; `steps` lead on into
    arrays, to the element of that number, or to any element (None).

    `top`: not a name but the document itself, which is an array: any element of it. First in a path, if at all.
    """

    name: str
    array: bool = False
    literal: bool = False
    wild: bool = False
    steps: tuple[int | None, ...] = ()
    top: bool = False


Path: TypeAlias = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A value as written, without its quotes. What it means is decided by the field it is compared with."""

    text: str
    quoted: bool = False
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Term:
    """`path op value`; `op` is one of = < <= > >= ~ (the negative ones are a Not around their positive)."""

    path: Path
    op: str
    value: Value
    at: int = field(default=0, compare=False)
    origin: Origin = field(default=Origin(""), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class InList:
    """`path in (value, …)`."""

    path: Path
    values: tuple[Value, ...]
    at: int = field(default=0, compare=False)
    origin: Origin = field(default=Origin(""), compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Exactly what `child` does not match."""

    child: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """All children; every term over a relation stands for itself."""

    children: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any child."""

    children: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class SameRow:
    """All terms; those over one relation hold on the same related row (AWX's plain list parameters)."""

    children: tuple[Term, ...]


Leaf: TypeAlias = Term | InList
Node: TypeAlias = Leaf | Not | And | Or | SameRow


def leaves(node: Node) -> list[Leaf]:
    """The terms of a tree, in the order written."""
    match node:
        case Not(child):
            return leaves(child)
        case And(children) | Or(children) | SameRow(children):
            return [leaf for child in children for leaf in leaves(child)]
        case _:
            return [node]


def path_text(path: Path) -> str:
    """A path as it can be written in a filter."""
    whole = "__".join(part.name + _elements(part) for part in path)
    if not any(part.literal for part in path):
        return whole if _PLAIN_PART.match(whole) and whole.lower() != "not" else _quote(whole)
    parts = [(_quote(part.name) if part.literal else part.name) + _elements(part) for part in path]
    return "__".join(parts)


def _elements(part: Part) -> str:
    return "[]" * part.array + "".join("[*]" if step is None else f"[{step}]" for step in part.steps)


def value_text(value: Value) -> str:
    """A value as it can be written in a filter."""
    return _quote(value.text) if value.quoted else value.text


def to_text(node: Node) -> str:
    """The filter that parses to this node. SameRow has no form of its own and is written as its terms."""
    match node:
        case Term(path, op, value):
            return f"{path_text(path)} {op} {value_text(value)}"
        case InList(path, values):
            return f"{path_text(path)} in ({', '.join(map(value_text, values))})"
        case Not(child):
            return f"not {_nested(child)}"
        case And(children) | SameRow(children):
            return " and ".join(map(_nested, children))
        case Or(children):
            return " or ".join(map(_nested, children))


def _nested(node: Node) -> str:
    return to_text(node) if isinstance(node, Term | InList | Not) else f"({to_text(node)})"


def _quote(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
