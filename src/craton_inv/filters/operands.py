"""What every field can be asked, whatever it is: the words in which lookups are written."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, TypeAlias

from sqlalchemy import ColumnElement, true

from craton_inv.filters import errors
from craton_inv.filters.errors import Place
from craton_inv.filters.nodes import Value

Condition: TypeAlias = ColumnElement[bool]


def complement(condition: Condition) -> Condition:
    """Exactly the rows that `condition` does not match. NOT would lose those for which it is null."""
    return condition.is_not(true())


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
