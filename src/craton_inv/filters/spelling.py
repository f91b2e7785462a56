"""The operators of a condition in PostgreSQL's words, read from the expression itself and spelled by its dialect."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import BinaryExpression, ColumnElement, Exists, Select, Subquery, UnaryExpression, null, true
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.sql.elements import BooleanClauseList, Grouping, Null
from sqlalchemy.sql.expression import ScalarSelect, SelectBase
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import inv, is_not
from sqlalchemy.sql.selectable import SelectStatementGrouping
from sqlalchemy.sql.visitors import iterate

from craton_inv.filters.operands import Condition

SUB_QUERY = "(sub-query)"
_DIALECT = PGDialect()  # type: ignore[no-untyped-call]


def positive(condition: Condition) -> tuple[Condition, bool]:
    """A condition without the `IS NOT true` around it, and whether one was there: a planner sees more in it so."""
    if isinstance(condition, BinaryExpression) and condition.operator is is_not and condition.right.compare(true()):
        inner, turned = positive(_bare(condition.left))
        return inner, not turned
    return condition, False


def spelled(condition: Any) -> Iterator[str]:
    """The operators and functions that decide in a condition, outermost first, in the words of PostgreSQL."""
    condition = _bare(condition)
    if isinstance(condition, BooleanClauseList):
        yield from dict.fromkeys(word for clause in condition.clauses for word in spelled(clause))
    elif isinstance(condition, BinaryExpression):
        inner, turned = positive(condition)
        if turned:
            yield "NOT"
            yield from spelled(inner)
            return
        rows = _bare(condition.right)
        word = _operator(condition)
        if isinstance(rows, SelectBase | SelectStatementGrouping | ScalarSelect):
            yield f"{word} {SUB_QUERY}"
            yield from _inside(rows)
        else:
            yield f"{word} NULL" if isinstance(rows, Null) else word
    elif isinstance(condition, Exists):
        yield f"EXISTS {SUB_QUERY}"
        yield from _inside(condition)
    elif isinstance(condition, UnaryExpression):
        if condition.operator is inv:
            yield "NOT"
        yield from spelled(condition.element)
    elif isinstance(condition, FunctionElement):
        yield condition.name


def _inside(rows: Any) -> Iterator[str]:
    """What decides within a sub-query: in the innermost FROM that has a condition, past what ties it to the outside."""
    nested = [each.element for each in iterate(rows) if isinstance(each, Subquery)]
    for select in (each for each in iterate(nested[0] if nested else rows) if isinstance(each, Select)):
        if select.whereclause is not None:
            yield from spelled(select.whereclause)
            return


def _bare(clause: Any) -> ColumnElement[Any]:
    while isinstance(clause, Grouping):
        clause = clause.element
    return clause  # type: ignore[no-any-return]


def _operator(condition: BinaryExpression[Any]) -> str:
    """The operator as the dialect writes it, between two operands that are nothing but NULL."""
    bare: BinaryExpression[Any] = BinaryExpression(null(), null(), condition.operator, modifiers=condition.modifiers)
    return str(bare.compile(dialect=_DIALECT)).split("NULL")[1].strip()
