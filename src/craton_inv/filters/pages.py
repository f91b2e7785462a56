"""One page and the exact count of a search in one scan: the matching ids are found once, then counted and cut."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, UnaryExpression, func, select
from sqlalchemy.sql.operators import desc_op

from craton_inv.filters.paths import Model


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
        down = isinstance(clause, UnaryExpression) and clause.modifier is desc_op
        cut = cut.order_by(column.desc() if down else column.asc())
    return select(model, total.label("total")).where(model.id.in_(cut)).order_by(*clauses)


def _is_id(key: Any, model: Model) -> bool:
    return bool(key.compare(model.id.expression))
