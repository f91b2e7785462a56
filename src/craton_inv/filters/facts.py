"""JSON paths as operands: equality by containment, which the GIN index serves; everything else by jsonpath.

A jsonpath and a JSON document are texts made here from JSON-quoted parts and sent as bound parameters, then cast.
Strict mode inside nested exists() keeps each step from unwrapping arrays that the path did not mark with [], and turns
a missing key or another type into "no" for that element alone: nothing raises, and no cast of a value is ever made.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, JSONPATH
from sqlalchemy.orm import aliased

from craton_inv.filters import errors, values
from craton_inv.filters.columns import pattern_text, plain_text
from craton_inv.filters.nodes import Path, Value
from craton_inv.filters.operands import Condition, Operand, complement
from craton_inv.filters.paths import JsonRoot, Model


def document(path: Path, scalar: str) -> str:
    """The JSON document that holds `scalar` at `path`: a__b[] and 3 give {"a":{"b":[3]}}."""
    head, tail = [], []
    for part in path:
        head.append("{" + json.dumps(part.name, ensure_ascii=False) + ":" + "[" * part.array)
        tail.append("]" * part.array + "}")
    return "".join(head) + scalar + "".join(reversed(tail))


def jsonpath(path: Path, leaf: str) -> str:
    """A jsonpath that finds something when an item at `path` satisfies the predicate `leaf` on @."""
    predicate = leaf
    for part in reversed(path):
        step = json.dumps(part.name, ensure_ascii=False) + ("[*]" if part.array else "")
        predicate = "exists(@." + step + " ? (" + predicate + "))"
    return "strict $ ? (" + predicate + ")"


def literal_pattern(text: str) -> str:
    """A regular expression that matches `text` and nothing else."""
    return re.sub(r"([!-/:-@\[-^`{-~])", r"\\\1", text)


@dataclass(frozen=True, kw_only=True)
class JsonField(Operand):
    """A path into the JSON document of a model."""

    root: JsonRoot
    model: Model
    path: Path

    @property
    def kind(self) -> str:
        """A JSON document."""
        return "json"

    def equals(self, value: Value) -> Condition:
        """The document contains the value at the path (8 equals 8.0)."""
        return self._owned(self._contains(value))

    def compare(self, operator: str, value: Value) -> Condition:
        """Numbers with numbers, strings with strings; another type is no match."""
        if values.is_null(value) or (not value.quoted and value.text in ("true", "false")):
            raise errors.bad_value(
                self.place, value, f"“{value.text}” cannot be compared by order.", "a number or a text to compare with"
            )
        variables = '{"v":' + values.json_text(value, self.place) + "}"
        return self._exists("@ " + operator + " $v", variables)

    def like(self, value: Value, *, before: bool = False, after: bool = False, any_case: bool = False) -> Condition:
        """Strings only, through a regular expression that takes the text literally."""
        pattern = literal_pattern(plain_text(value, self.place))
        return self._regex(("" if before else "^") + pattern + ("" if after else "$"), any_case)

    def matches(self, pattern: Value, *, any_case: bool = False) -> Condition:
        """Strings only; like_regex with the dot matching line ends too, as `~` does on columns."""
        return self._regex(pattern_text(pattern, self.place), any_case)

    def one_of(self, choices: Sequence[Value]) -> Condition:
        """Equal to any: the index answers each, also hundreds of them, which as an OR would be a scan."""
        if len(choices) == 1:
            return self.equals(choices[0])
        documents = [document(self.path, values.json_text(choice, self.place)) for choice in choices]
        wanted = func.unnest(cast(literal(documents, ARRAY(Text)), ARRAY(JSONB)), type_=JSONB).column_valued("wanted")
        key, column = self.root.table_key, self.root.column
        if key is None:
            other = aliased(self.model)
            key, column = other.id, getattr(other, column.key)
        return self.model.id.in_(select(key).where(column.contains(wanted)).correlate(None))  # type: ignore[no-any-return]

    def null(self, value: Value) -> Condition:
        """Absent or null, against there and not null."""
        wanted = values.read(values.BOOLEAN, value, self.place, self.now)
        there = self._exists('@.type() != "null"', "{}")
        return complement(there) if wanted else there

    def _regex(self, pattern: str, any_case: bool) -> Condition:
        flags = "is" if any_case else "s"
        quoted = json.dumps(pattern, ensure_ascii=False)
        return self._exists("@ like_regex " + quoted + ' flag "' + flags + '"', "{}")

    def _exists(self, leaf: str, variables: str) -> Condition:
        path: Any = cast(literal(jsonpath(self.path, leaf), Text), JSONPATH)
        bound = cast(literal(variables, Text), JSONB)
        return self._owned(func.jsonb_path_exists(self.root.column, path, bound, True))

    def _contains(self, value: Value) -> Condition:
        scalar = values.json_text(value, self.place)
        contained: Condition = self.root.column.contains(cast(literal(document(self.path, scalar), Text), JSONB))
        return contained

    def _owned(self, condition: Condition) -> Condition:
        """The condition on the model's own rows; a document in another table is found by its key first."""
        if self.root.table_key is None:
            return condition
        return self.root.hop(self.model).condition(condition)
