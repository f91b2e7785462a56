"""What every field can be asked, whatever it is: the words in which lookups are written."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, NoReturn, TypeAlias

from sqlalchemy import BinaryExpression, ColumnElement, ScalarSelect, Select, Tuple, select, true
from sqlalchemy.sql.operators import in_op

from craton_inv.filters import errors
from craton_inv.filters.errors import Place
from craton_inv.filters.nodes import Value

Condition: TypeAlias = ColumnElement[bool]


class Subquery(NamedTuple):
    """`column IN (rows)`."""

    column: ColumnElement[Any]
    rows: Select[Any]


def subquery(condition: Condition) -> Subquery | None:
    """The sub-query that a condition is, if it is one over a single column."""
    if not isinstance(condition, BinaryExpression) or condition.operator is not in_op:
        return None
    rows = condition.right.element if isinstance(condition.right, ScalarSelect) else None
    if not isinstance(rows, Select) or isinstance(condition.left, Tuple):
        return None
    return Subquery(condition.left, rows)


def complement(condition: Condition) -> Condition:
    """Exactly the rows that `condition` does not match. NOT would lose those for which it is null.

    Of a sub-query: that it has no row for this one. PostgreSQL makes an anti-join of that, and looks up a few rows
    where other conditions leave few; anything else would have it find all rows of the sub-query first.
    """
    found = subquery(condition)
    if found is None:
        return condition.is_not(true())
    rows = found.rows.subquery()
    of_this = select(rows).where(rows.c[0] == found.column).correlate_except(rows)
    return ~of_this.exists()


@dataclass(frozen=True, kw_only=True)
class Operand(ABC):
    """A field that a value is compared with. `kind` is what `lookups` decides by; `now` is the moment of the search.

    A subclass overrides what its kind can do; the rest refuses.
    """

    place: Place
    now: datetime

    @property
    @abstractmethod
    def kind(self) -> str:
        """text, integer, …, json, relation or rows."""

    def equals(self, value: Value) -> Condition:
        """The same value; a bare null is IS NULL on columns and an explicit null in JSON."""
        self._refuse("equality")

    def compare(self, operator: str, value: Value) -> Condition:
        """`operator` is < <= > or >=."""
        self._refuse("an order")

    def like(self, value: Value, *, before: bool = False, after: bool = False, any_case: bool = False) -> Condition:
        """The text as such, with anything `before` or `after` it."""
        self._refuse("parts of a text")

    def matches(self, pattern: Value, *, any_case: bool = False) -> Condition:
        """A regular expression of PostgreSQL, unanchored."""
        self._refuse("regular expressions")

    def one_of(self, choices: Sequence[Value]) -> Condition:
        """Any of the values."""
        self._refuse("lists")

    def null(self, value: Value) -> Condition:
        """`value` is a boolean: whether the field is null (JSON: absent or null; relations: no related row)."""
        self._refuse("null")

    def _refuse(self, what: str) -> NoReturn:
        raise errors.misuse(self.place, f"{errors.shown(self.place.name)} knows no {what}")
