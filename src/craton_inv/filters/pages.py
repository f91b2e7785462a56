"""How the page of a search, and its exact count, are best asked for: by the shape of its conditions."""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any

from sqlalchemy import (
    CTE,
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
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import CollectionAggregate, Grouping
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


def by_id(model: Model, order: Sequence[Any]) -> bool:
    """Whether an order is that of the ids, up or down."""
    return len(order) <= 1 and all(_is_id(_key(clause), model) for clause in order)


def each_alone(where: Iterable[ColumnElement[bool]]) -> bool:
    """Whether one row can cheaply be asked for all conditions.

    Not for documents, which are read as a whole, nor for common tables, which every row would make anew.
    """
    parts = (part for condition in where for part in visitors.iterate(condition))
    return not any(
        isinstance(part, CTE) or (isinstance(part, Column) and isinstance(part.type, JSONB)) for part in parts
    )


def probe(model: Model, where: Sequence[ColumnElement[bool]], order: Sequence[Any], *, rows: int) -> Select[Any]:
    """A select of (id, whether it matches) for the first `rows` in `order` that meet what is plain in `where`.

    It tells what no statistics tell of a search over relations: whether matches are frequent where a page would begin.
    For an order by id, and conditions that are `each_alone`.
    """
    plain = [kind_of_search([condition]) is Search.PLAIN for condition in where]
    first = select(model.id).where(*(condition for condition, is_plain in zip(where, plain, strict=True) if is_plain))
    first_ids = first.order_by(*(order or [model.id.asc()])).limit(rows).subquery()
    others = [_asked_alone(condition, model) for condition, is_plain in zip(where, plain, strict=True) if not is_plain]
    # A sub-query for each row: anything that can become a join may find all rows of a relation first.
    same = select(true()).select_from(model).where(model.id == first_ids.c.id, *others).correlate(first_ids).limit(1)
    return select(first_ids.c.id, same.scalar_subquery().is_not(None))


def _asked_alone(condition: Any, model: Model) -> Any:
    """A union that was found as an array, as the sub-query that it is: of one row, an index answers it."""
    match condition:
        case BinaryExpression(left=left, right=CollectionAggregate() as array) if _is_id(left, model):
            found = next((part for part in visitors.iterate(array) if isinstance(part, ScalarSelect)), None)
            return condition if found is None else model.id.in_(found.element)
        case _:
            return condition


def found_page(
    model: Model, where: Sequence[ColumnElement[bool]], order: Sequence[Any], *, offset: int, limit: int
) -> Select[Any]:
    """A select of the rows of a page, of which all ids are found first, as by `counted_page`."""
    page, _ = _found(model, where, order, offset, limit)
    return page


def counted_page(
    model: Model, where: Sequence[ColumnElement[bool]], order: Sequence[Any], *, offset: int, limit: int
) -> Select[Any]:
    """A select of (row, count of all that match); no row at all when `offset` lies past the end.

    Finding the ids first, materialized with what they are ordered by, keeps the planner from walking the primary key
    under ORDER BY id LIMIT in the hope of meeting rare matches soon, spares the second scan that a count of its own
    would make, and fetches no row outside the page. `order`: clauses ending in the id, or empty for the id alone.
    """
    page, matching = _found(model, where, order, offset, limit)
    return page.add_columns(select(func.count()).select_from(matching).scalar_subquery().label("total"))


def _found(
    model: Model, where: Sequence[ColumnElement[bool]], order: Sequence[Any], offset: int, limit: int
) -> tuple[Select[Any], CTE]:
    clauses = order or [model.id.asc()]
    keys = [_key(clause) for clause in clauses]
    # The id is there already.
    names = ["id" if _is_id(key, model) else "order_" + str(number) for number, key in enumerate(keys)]
    labelled = [key.label(name) for name, key in zip(names, keys, strict=True) if name != "id"]
    matching = select(model.id.label("id"), *labelled).where(*where).cte()
    matching = matching.prefix_with("MATERIALIZED", dialect="postgresql")
    cut = select(matching.c.id).offset(offset).limit(limit)
    for clause, name in zip(clauses, names, strict=True):
        column = matching.c[name]
        down = isinstance(clause, UnaryExpression) and clause.modifier is operators.desc_op
        cut = cut.order_by(column.desc() if down else column.asc())
    return select(model).where(model.id.in_(cut)).order_by(*clauses), matching


def _key(clause: Any) -> Any:
    return clause.element if isinstance(clause, UnaryExpression) else clause


def _is_id(key: Any, model: Model) -> bool:
    return bool(key.compare(model.id.expression))
