"""Columns, relations by id, and the search fields of a model, as operands of the lookups."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, false, func, literal, or_, true
from sqlalchemy.dialects.postgresql import INET

from craton_inv.filters import errors, values
from craton_inv.filters.errors import Place
from craton_inv.filters.nodes import Value
from craton_inv.filters.operands import Condition, Operand, complement
from craton_inv.filters.paths import Hop
from craton_inv.filters.values import Kind

MAX_PATTERN = 128
_BACK_REFERENCE = re.compile(r"(?:\\\\)*\\[1-9]")

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def pattern_text(pattern: Value, place: Place) -> str:
    """A regular expression within the limits; whether it is one is for PostgreSQL to say. Raises InvalidFilter."""
    text = plain_text(pattern, place)
    if len(text) > MAX_PATTERN:
        raise errors.misuse(place, f"a regular expression of {len(text)} characters; at most {MAX_PATTERN} are taken")
    escaped = text.replace("\\\\", "")
    if _BACK_REFERENCE.search(escaped):
        raise errors.misuse(place, "back-references in regular expressions are not taken")
    return text


def plain_text(value: Value, place: Place) -> str:
    """The text of a value for lookups that look at text, where a bare null would mean nothing. Raises InvalidFilter."""
    if values.is_null(value):
        raise errors.bad_value(
            place, value, "Cannot use None as a query value.", 'a text; quote "null" to look for the word'
        )
    return values.clean(value, place)


def like_pattern(text: str, *, before: bool, after: bool) -> str:
    """A LIKE pattern that takes every character of `text` as itself."""
    escaped = re.sub(r"([\\%_])", r"\\\1", text)
    return "%" * before + escaped + "%" * after


@dataclass(frozen=True, kw_only=True)
class ColumnField(Operand):
    """A typed column."""

    expression: Any
    type: Kind

    @property
    def kind(self) -> str:
        """The kind of the column."""
        return self.type.name

    def bound(self, value: Value) -> Any:
        """The value as a bound parameter of the column's kind."""
        read = values.read(self.type, value, self.place, self.now)
        if self.type is values.ADDRESS:
            return cast(literal(read, Text), INET)
        return literal(read, self.type.sql_type)

    def equals(self, value: Value) -> Condition:
        """=; a network holds its addresses; null is IS NULL."""
        if values.is_null(value):
            return self.expression.is_(None)  # type: ignore[no-any-return]
        if self.is_network(value):
            return self.expression.bool_op("<<=")(self.bound(value))  # type: ignore[no-any-return]
        return self.expression == self.bound(value)  # type: ignore[no-any-return]

    def compare(self, operator: str, value: Value) -> Condition:
        """Order of the column's own type."""
        if values.is_null(value):
            raise errors.bad_value(self.place, value, "Cannot use None as a query value.", self.type.takes)
        return _COMPARE[operator](self.expression, self.bound(value))  # type: ignore[no-any-return]

    def like(self, value: Value, *, before: bool = False, after: bool = False, any_case: bool = False) -> Condition:
        """LIKE and ILIKE on the text, which a trigram index serves; iexact of null is IS NULL, as in Django."""
        if values.is_null(value) and not before and not after:
            return self.expression.is_(None)  # type: ignore[no-any-return]
        pattern = literal(like_pattern(plain_text(value, self.place), before=before, after=after), Text)
        return self.text.ilike(pattern) if any_case else self.text.like(pattern)  # type: ignore[no-any-return]

    def matches(self, pattern: Value, *, any_case: bool = False) -> Condition:
        """~ and ~*."""
        text = literal(pattern_text(pattern, self.place), Text)
        return self.text.regexp_match(text, flags="i" if any_case else None)  # type: ignore[no-any-return]

    def one_of(self, choices: Sequence[Value]) -> Condition:
        """IN, with IS NULL and networks apart."""
        apart = [value for value in choices if values.is_null(value) or self.is_network(value)]
        together = [self.bound(value) for value in choices if value not in apart]
        return or_(*map(self.equals, apart), *([self.expression.in_(together)] if together else ()))

    def null(self, value: Value) -> Condition:
        """IS NULL or IS NOT NULL."""
        wanted = values.read(values.BOOLEAN, value, self.place, self.now)
        return self.expression.is_(None) if wanted else self.expression.is_not(None)  # type: ignore[no-any-return]

    def is_network(self, value: Value) -> bool:
        """Whether a value stands for all addresses that lie in it."""
        return self.type is values.ADDRESS and "/" in value.text

    @property
    def text(self) -> Any:
        """The column as text."""
        if self.type is values.TEXT:
            return self.expression
        return func.host(self.expression) if self.type is values.ADDRESS else cast(self.expression, Text)


@dataclass(frozen=True, kw_only=True)
class RelationField(Operand):
    """A relation compared by the id of its rows (`groups=5`, `region=null`, `groups__isnull=true`)."""

    hop: Hop

    @property
    def kind(self) -> str:
        """A relation."""
        return "relation"

    @property
    def ids(self) -> ColumnField:
        """The far id: on the near row when it is there (many to one), else on the far row."""
        column = self.hop.local_key if self.hop.local_key is not None else self.hop.target.id
        return ColumnField(expression=column, type=values.INTEGER, place=self.place, now=self.now)

    def equals(self, value: Value) -> Condition:
        """Related to the row of this id; null: to none."""
        if self._none(value):
            return self._empty()
        return self._through(self.ids.equals(self._id(value)))

    def compare(self, operator: str, value: Value) -> Condition:
        """Ids in order, as Django allows."""
        return self._through(self.ids.compare(operator, value))

    def one_of(self, choices: Sequence[Value]) -> Condition:
        """Related to any of these ids."""
        ids = [self._id(value) for value in choices if not self._none(value)]
        found: list[Condition] = [self._empty()] if len(ids) < len(choices) else []
        if ids:
            found.append(self._through(self.ids.one_of(ids)))
        return or_(*found)

    def null(self, value: Value) -> Condition:
        """Whether there is no related row."""
        wanted = values.read(values.BOOLEAN, value, self.place, self.now)
        return self._empty() if wanted else self._related()

    def _none(self, value: Value) -> bool:
        if self.place.origin.kind == "list":
            return value.text.lower() in ("none", "null")
        return values.is_null(value)

    def _id(self, value: Value) -> Value:
        try:
            values.INTEGER.read(value.text, self.now)
        except values.Unfit:
            awx = f"Invalid {self.hop.name} id: {errors.shown(value.text)}"
            raise errors.bad_value(self.place, value, awx, "the id of a related row, or null") from None
        return value

    def _through(self, condition: Condition) -> Condition:
        return condition if self.hop.local_key is not None else self.hop.condition(condition)

    def _related(self) -> Condition:
        if self.hop.local_key is not None:
            return self.hop.local_key.is_not(None)  # type: ignore[no-any-return]
        return self.hop.condition(true())

    def _empty(self) -> Condition:
        if self.hop.local_key is not None:
            return self.hop.local_key.is_(None)  # type: ignore[no-any-return]
        return complement(self.hop.condition(true()))


@dataclass(frozen=True, kw_only=True)
class RowsField(Operand):
    """A model as what `search` looks at: its search columns."""

    columns: tuple[Any, ...]

    @property
    def kind(self) -> str:
        """Whole rows."""
        return "rows"

    def like(self, value: Value, *, before: bool = False, after: bool = False, any_case: bool = False) -> Condition:
        """Any of the columns."""
        fields = (
            ColumnField(expression=column, type=values.TEXT, place=self.place, now=self.now) for column in self.columns
        )
        return or_(false(), *(field.like(value, before=before, after=after, any_case=any_case) for field in fields))
