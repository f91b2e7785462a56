"""How the page of a search, and its exact count, are best asked for: by the shape of its conditions."""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from sqlalchemy import (
    BinaryExpression,
    BooleanClauseList,
    Column,
    ColumnElement,
    CompoundSelect,
    ScalarSelect,
    Select,
    UnaryExpression,
    func,
    select,
)
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.selectable import SelectBase

from craton_inv.filters.paths import Model


class Search(Enum):
    """What the planner, and we, can tell of a search before it runs."""

    PLAIN = "columns of the rows themselves, of which the planner has statistics: it chooses well"
    LINKED = "rows that refer to certain rows: cheap to count, but the planner knows their mean number alone"
    NARROW = "an index finds the rows, but nobody knows how many they are"
    BROAD = "every row is to be looked at; what excludes, or compares in documents, mostly matches many"


def kind_of_search(where: Iterable[ColumnElement[bool]]) -> Search:
    """The kind of the search for rows that meet all conditions."""
    conditions = list(where)
    if all(map(_on_columns, conditions)):
        links = any(isinstance(part, SelectBase) for condition in conditions for part in visitors.iterate(condition))
        return Search.LINKED if links else Search.PLAIN
    return Search.NARROW if any(map(_narrows, conditions)) else Search.BROAD


def _on_columns(condition: Any) -> bool:
    """Whether a condition looks at columns of the row alone, or at what these refer to."""
    match condition:
        case Grouping():
            return _on_columns(condition.element)
        case BooleanClauseList():
            return all(map(_on_columns, condition.clauses))
        case BinaryExpression(right=ScalarSelect(element=Select(whereclause=inner)), left=Column(primary_key=False)):
            return inner is None or _on_columns(inner)
        case BinaryExpression(left=Column(primary_key=True), right=right):
            return not any(isinstance(part, SelectBase) for part in visitors.iterate(right))
        case BinaryExpression(right=ScalarSelect()):
            return False
        case BinaryExpression(operator=operators.custom_op(opstring="@>")):
            return False
        case BinaryExpression(operator=operator) if operator is operators.is_not:
            return _on_columns(condition.left)
        case _:
            return not isinstance(condition, FunctionElement | UnaryExpression)


def _narrows(condition: Any) -> bool:
    """Whether an index can find the rows of a condition."""
    match condition:
        case Grouping():
            return _narrows(condition.element)
        case BooleanClauseList():
            joined = all if condition.operator is operators.or_ else any
            return joined(map(_narrows, condition.clauses))
        case BinaryExpression(right=ScalarSelect(element=rows)):
            return _found_by_index(rows)
        case BinaryExpression():
            return condition.operator is not operators.is_not
        case _:
            return False


def _found_by_index(rows: Any) -> bool:
    if isinstance(rows, CompoundSelect):
        return all(map(_found_by_index, rows.selects))
    return not isinstance(rows, Select) or rows.whereclause is None or _narrows(rows.whereclause)


def counted_page(
    model: Model, where: Sequence[ColumnElement[bool]], order: Sequence[Any], *, offset: int, limit: int
) -> Select[Any]:
    """A select of (row, count of all that match); no row at all when `offset` lies past the end.

    Finding the ids first, materialized with what they are ordered by, keeps the planner from walking the primary key
    under ORDER BY id LIMIT in the hope of meeting rare matches soon, spares the second scan that a count of its own
    would make, and fetches no row outside the page. `order`: clauses ending in the id, or empty for the id alone.
    """
    clauses = order or [model.id.asc()]
    keys = [clause.element if isinstance(clause, UnaryExpression) else clause for clause in clauses]
    # The id is there already.
    names = ["id" if _is_id(key, model) else "order_" + str(number) for number, key in enumerate(keys)]
    labelled = [key.label(name) for name, key in zip(names, keys, strict=True) if name != "id"]
    matching = select(model.id.label("id"), *labelled).where(*where).cte()
    matching = matching.prefix_with("MATERIALIZED", dialect="postgresql")
    total = select(func.count()).select_from(matching).scalar_subquery()
    cut = select(matching.c.id).offset(offset).limit(limit)
    for clause, name in zip(clauses, names, strict=True):
        column = matching.c[name]
        down = isinstance(clause, UnaryExpression) and clause.modifier is operators.desc_op
        cut = cut.order_by(column.desc() if down else column.asc())
    return select(model, total.label("total")).where(model.id.in_(cut)).order_by(*clauses)


def _is_id(key: Any, model: Model) -> bool:
    return bool(key.compare(model.id.expression))
