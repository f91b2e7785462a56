"""What a filter means, told without a database: its tree, the values as understood, and the operators of its SQL.

Nothing here lists operators or types a second time: a term is compiled by the code that runs it, and what is told is
read from the outcome. The lookup of a term is asked once more of a recorder that stands for the field, which tells what
the lookup wants of it; operators are spelled by the dialect from the expression itself.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, Literal, NamedTuple

from sqlalchemy import true

from craton_inv.filters import values
from craton_inv.filters.columns import ColumnField
from craton_inv.filters.compiler import CompiledTerm, asked_of, compile_term, lookup_of
from craton_inv.filters.facts import JsonField
from craton_inv.filters.nodes import And, InList, Leaf, Node, Not, Or, SameRow, Value, leaves
from craton_inv.filters.operands import Condition, Operand
from craton_inv.filters.paths import Model
from craton_inv.filters.spelling import spelled

Verb = Literal["equals", "compare", "like", "matches", "one_of", "null"]


class Meant(NamedTuple):
    """A value as the field takes it: its type in plain words and the value as JSON has it."""

    type: str
    value: Any


@dataclass(frozen=True, kw_only=True)
class _Recorder(Operand):
    """Stands for a field and takes down what a lookup asks of it."""

    stands_for: Operand
    asked: list[tuple[Verb, tuple[Value, ...]]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """That of the field."""
        return self.stands_for.kind

    def equals(self, value: Value) -> Condition:
        """Taken down."""
        return self._note("equals", value)

    def compare(self, operator: str, value: Value) -> Condition:
        """Taken down."""
        return self._note("compare", value)

    def like(self, value: Value, *, before: bool = False, after: bool = False, any_case: bool = False) -> Condition:
        """Taken down."""
        return self._note("like", value)

    def matches(self, pattern: Value, *, any_case: bool = False) -> Condition:
        """Taken down."""
        return self._note("matches", pattern)

    def one_of(self, choices: Sequence[Value]) -> Condition:
        """Taken down."""
        return self._note("one_of", *choices)

    def null(self, value: Value) -> Condition:
        """Taken down."""
        return self._note("null", value)

    def _note(self, verb: Verb, *given: Value) -> Condition:
        self.asked.append((verb, given))
        return true()


@dataclass(frozen=True)
class ExplainedTerm:
    """One term with all that its compiled form tells. `verb` and `asked`: what its lookup asks of the field."""

    compiled: CompiledTerm
    verb: Verb
    asked: tuple[Value, ...]

    @property
    def leaf(self) -> Leaf:
        """The term as parsed."""
        return self.compiled.leaf

    @property
    def field(self) -> Operand:
        """What it is compared with."""
        return self.compiled.target.field

    @property
    def operator(self) -> str:
        """The operator as written; `in` for lists."""
        return "in" if isinstance(self.leaf, InList) else self.leaf.op

    @property
    def lookup(self) -> str:
        """The lookup it comes down to."""
        return lookup_of(self.compiled.target, self.leaf).name

    @cached_property
    def operators(self) -> tuple[str, ...]:
        """The operators and functions of its SQL, outermost first: one sub-query a relation, then what compares."""
        found, condition = [], self.compiled.own
        for hop in reversed(self.compiled.target.hops):
            condition = hop.condition(condition)
            found.append(next(spelled(condition)))
        return (*reversed(found), *spelled(self.compiled.own))

    @property
    def meant(self) -> list[Meant]:
        """Its values as the field takes them."""
        if self.verb == "null":
            return [Meant("boolean", self._read(values.BOOLEAN, self.asked[0]))]
        if self.verb == "matches":
            return [Meant("regular expression", self.asked[0].text)]
        if self.verb == "like":
            return [_null if values.is_null(value) else Meant("text", value.text) for value in self.asked]
        return [self._meant(value) for value in self.asked]

    def _meant(self, value: Value) -> Meant:
        if isinstance(self.field, JsonField):
            return json_meaning(value, self.field)
        if values.is_null(value):
            return _null
        if not isinstance(self.field, ColumnField):
            return Meant("id", self._read(values.INTEGER, value))
        type_ = "network" if self.field.is_network(value) else self.field.kind
        return Meant(type_, self._read(self.field.type, value))

    def _read(self, kind: values.Kind, value: Value) -> Any:
        read = values.read(kind, value, self.field.place, self.field.now)
        if isinstance(read, datetime):
            return read.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return read if isinstance(read, str | int | float | bool) else _plain(read)


_null = Meant("null", None)
_JSON_TYPES = {str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}


def json_meaning(value: Value, field: JsonField) -> Meant:
    """The JSON scalar that a value means on facts and variables."""
    scalar = json.loads(values.json_text(value, field.place))
    return Meant(_JSON_TYPES[type(scalar)], scalar)


def explain_term(leaf: Leaf, model: Model, now: datetime) -> ExplainedTerm:
    """One term of a filter on `model`, explained. Raises what compiling it raises."""
    compiled = compile_term(leaf, model, now)
    found = compiled.target.field
    recorder = _Recorder(place=found.place, now=now, stands_for=found)
    asked_of(recorder, compiled.target, leaf)
    [(verb, asked)] = recorder.asked
    return ExplainedTerm(compiled, verb, asked)


def explain_terms(node: Node, model: Model, now: datetime) -> list[ExplainedTerm]:
    """The terms of a filter in the order written, each explained. Raises what compiling the filter raises."""
    return [explain_term(leaf, model, now) for leaf in leaves(node)]


def holds(node: Node, verdicts: Iterator[bool | None]) -> bool | None:
    """Whether a row matches, from whether it matches each term in turn; None where that is not known and matters.

    Exact, because `not x` is exactly the rows that `x` does not match: a filter knows no third truth value.
    """
    match node:
        case Not(child):
            inner = holds(child, verdicts)
            return None if inner is None else not inner
        case And(children) | SameRow(children):
            every = [holds(child, verdicts) for child in children]
            return False if False in every else None if None in every else True
        case Or(children):
            any_ = [holds(child, verdicts) for child in children]
            return True if True in any_ else None if None in any_ else False
        case _:
            return next(verdicts)


def _plain(read: Any) -> str:
    return read.isoformat() if isinstance(read, date) else str(read)
