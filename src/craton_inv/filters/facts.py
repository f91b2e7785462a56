"""JSON paths as operands: equality by containment, which the GIN index serves; everything else by jsonpath.

A jsonpath and a JSON document are texts made here from JSON-quoted parts and sent as bound parameters, then cast.
Strict mode inside nested exists() keeps each step from unwrapping arrays that the path did not mark with [], and turns
a missing key or another type into "no" for that element alone: nothing raises, and no cast of a value is ever made.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import true

from craton_inv.filters import errors, values
from craton_inv.filters.columns import like_pattern, pattern_text, plain_text
from craton_inv.filters.declared import SHORT, Indexed, Use, is_declared
from craton_inv.filters.documents import Test, holding
from craton_inv.filters.nodes import Part, Path, Value
from craton_inv.filters.operands import Condition, Operand
from craton_inv.filters.paths import JsonRoot, Model
from craton_inv.filters.trees import No, One, Tree


def document(path: Path, scalar: str) -> str:
    """The JSON document that holds `scalar` at `path`: a__b[] and 3 give {"a":{"b":[3]}}."""
    head, tail = [], []
    for part in path:
        if part.top:
            head.append("[")
            tail.append("]")
            continue
        head.append("{" + json.dumps(part.name, ensure_ascii=False) + ":" + "[" * part.array)
        tail.append("]" * part.array + "}")
    return "".join(head) + scalar + "".join(reversed(tail))


def jsonpath(path: Path, leaf: str) -> str:
    """A jsonpath that finds something when an item at `path` satisfies the predicate `leaf` on @."""
    predicate = leaf
    for part in reversed(path):
        for step in reversed(_steps(part)):
            predicate = "exists(@" + step + " ? (" + predicate + "))"
    return "strict $ ? (" + predicate + ")"


def _steps(part: Part) -> list[str]:
    """The accessors of a part, each to stand in an exists() of its own.

    Strict mode gives up a whole list of items for one of another type: after several items the next step stands alone.
    """
    if part.top:
        return ["[*]"]
    step = ".*" if part.wild else "." + json.dumps(part.name, ensure_ascii=False)
    elements = ["[*]" if place is None else "[" + str(place) + "]" for place in part.steps]
    if part.array and not part.wild:
        return [step + "[*]"]
    return [step, *(["[*]"] if part.array else elements)]


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
        if any(part.wild or part.steps for part in self.path):  # which no document to be contained can say
            variables = '{"v":' + values.json_text(value, self.place) + "}"
            return self.answer(One(Test(path=jsonpath(self.path, "@ == $v"), variables=variables)))
        return self.one_of([value])

    def compare(self, operator: str, value: Value) -> Condition:
        """Numbers with numbers, strings with strings; another type is no match."""
        if values.is_null(value) or (not value.quoted and value.text in ("true", "false")):
            raise errors.bad_value(
                self.place, value, f"“{value.text}” cannot be compared by order.", "a number or a text to compare with"
            )
        scalar = values.json_text(value, self.place)
        path = jsonpath(self.path, "@ " + operator + " $v")
        indexed = self._compared(operator, value, scalar)
        return self.answer(One(Test(path=path, variables='{"v":' + scalar + "}", indexed=indexed)))

    def like(self, value: Value, *, before: bool = False, after: bool = False, any_case: bool = False) -> Condition:
        """Strings only, through a regular expression that takes the text literally."""
        text = plain_text(value, self.place)
        indexed = None
        if after and not before and not any_case and len(text) <= SHORT:
            indexed = self._indexed("text", "^", like_pattern(text, before=False, after=True))
        pattern = ("" if before else "^") + literal_pattern(text) + ("" if after else "$")
        return self._regex(pattern, any_case, indexed)

    def matches(self, pattern: Value, *, any_case: bool = False) -> Condition:
        """Strings only; like_regex with the dot matching line ends too, as `~` does on columns."""
        return self._regex(pattern_text(pattern, self.place), any_case)

    def one_of(self, choices: Sequence[Value]) -> Condition:
        """Equal to any."""
        scalars = list(dict.fromkeys(values.json_text(choice, self.place) for choice in choices))
        documents = tuple(document(self.path, scalar) for scalar in scalars)
        indexed = self._compared("=", choices[0], scalars[0]) if len(scalars) == 1 else None
        return self.answer(One(Test(documents=documents, indexed=indexed)))

    def null(self, value: Value) -> Condition:
        """Absent or null, against there and not null."""
        wanted = values.read(values.BOOLEAN, value, self.place, self.now)
        there = One(Test(path=jsonpath(self.path, '@.type() != "null"')))
        return self.answer(No(there) if wanted else there)

    def answer(self, asked: Tree[Test]) -> Condition:
        """What is asked of the document, as a condition on the model's own rows."""
        return holding(self.root, self.model, asked)

    def _regex(self, pattern: str, any_case: bool, indexed: Indexed | None = None) -> Condition:
        flags = "is" if any_case else "s"
        quoted = json.dumps(pattern, ensure_ascii=False)
        path = jsonpath(self.path, "@ like_regex " + quoted + ' flag "' + flags + '"')
        indexed = indexed or self._indexed("pattern", "~*" if any_case else "~", pattern)
        return self.answer(One(Test(path=path, indexed=indexed)))

    def _compared(self, operator: str, value: Value, scalar: str) -> Indexed | None:
        """A comparison with a number, or with a text that is indexed as a whole."""
        if scalar in ("true", "false", "null"):
            return None
        if not scalar.startswith('"'):
            return self._indexed("number", operator, scalar)
        return self._indexed("text", operator, value.text) if len(value.text) < SHORT else None

    def _indexed(self, use: Use, operator: str, operand: str) -> Indexed | None:
        """The comparison as an index answers it, on a declared path."""
        keys = tuple(part.name for part in self.path)
        plain = not any(part.array or part.wild or part.steps for part in self.path)
        return Indexed(keys, use, operator, operand) if plain and is_declared(self.root.column, keys) else None


@dataclass(frozen=True, kw_only=True)
class UnansweredField(JsonField):
    """The same path; what is asked of it is kept in `asked`, to be answered together with other terms."""

    asked: list[Tree[Test]] = field(default_factory=list)

    @classmethod
    def of(cls, path: JsonField) -> Self:
        """The same path as another field."""
        return cls(place=path.place, now=path.now, root=path.root, model=path.model, path=path.path)

    def answer(self, asked: Tree[Test]) -> Condition:
        """Kept."""
        self.asked.append(asked)
        return true()
