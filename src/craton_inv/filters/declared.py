"""Declared paths: JSON paths that have indexes of their own, and the expressions that these indexes hold.

A process says with `declare` which paths these are. That changes what terms compile to, never what they mean: types
stay apart, since an expression is null for a value of another type, and nothing is cast. A database without the indexes
answers the same, by reading.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy import Text, cast, collate, func, literal
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from craton_inv.filters.operands import Condition

SHORT = 128
"""Characters of a text that are indexed for equality and order: an entry of a B-tree has 2.7 KB at most."""

Use = Literal["number", "text", "pattern"]
USES: tuple[Use, ...] = ("number", "text", "pattern")


class DeclaredPath(NamedTuple):
    """A path below a JSON column, the column by its table and name: `("host_facts", "facts", ("a", "b"))`."""

    table: str
    column: str
    keys: tuple[str, ...]


_DECLARED: set[DeclaredPath] = set()


def declare(paths: Iterable[DeclaredPath]) -> None:
    """From now on these paths, and no others, are taken to have indexes."""
    _DECLARED.clear()
    _DECLARED.update(paths)


def is_declared(column: Any, keys: tuple[str, ...]) -> bool:
    """Whether the path below a mapped JSON column is."""
    return bool(_DECLARED) and DeclaredPath(column.class_.__tablename__, column.key, keys) in _DECLARED


def expression(column: Any, keys: tuple[str, ...], use: Use) -> Any:
    """What the index for `use` holds; null where the path leads to no number, or to no text.

    number: the number as JSON. text: its first `SHORT` characters, in the order of code points, as jsonpath compares.
    pattern: the whole text, for regular expressions.
    """
    steps = "".join("." + json.dumps(key, ensure_ascii=False) for key in keys)
    kind = "number" if use == "number" else "string"
    path = cast(literal("strict $" + steps + ' ? (@.type() == "' + kind + '")', Text), JSONPATH)
    asked = (column, path, cast(literal("{}", Text), JSONB), True)
    if use == "number":
        return func.jsonb_path_query_first(*asked, type_=JSONB)
    text = func.jsonb_path_query_array(*asked, type_=JSONB)[0].astext
    return text if use == "pattern" else collate(func.left(text, SHORT), "C")


@dataclass(frozen=True, slots=True)
class Indexed:
    """A comparison that an index of a declared path answers. `operator`: = < <= > >= for numbers (`operand` as JSON
    text) and texts, ^ for the beginning of a text (`operand` a LIKE pattern), ~ and ~* for patterns."""

    keys: tuple[str, ...]
    use: Use
    operator: str
    operand: str

    def on(self, column: Any) -> Condition:
        """The condition on a column of documents."""
        value = expression(column, self.keys, self.use)
        operand: Any = literal(self.operand, Text)
        if self.use == "number":
            operand = cast(operand, JSONB)
        return _COMPARE[self.operator](value, operand)  # type: ignore[no-any-return]


_COMPARE: dict[str, Any] = {
    "=": lambda value, operand: value == operand,
    "<": lambda value, operand: value < operand,
    "<=": lambda value, operand: value <= operand,
    ">": lambda value, operand: value > operand,
    ">=": lambda value, operand: value >= operand,
    "^": lambda value, operand: value.like(operand),
    "~": lambda value, operand: value.regexp_match(operand),
    "~*": lambda value, operand: value.regexp_match(operand, flags="i"),
}
