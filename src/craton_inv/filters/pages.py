"""One page and the exact count of a search in one scan: the matching ids are found once, then counted and cut."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from craton_inv.filters.paths import Model


def counted_page(
    model: Model, where: Sequence[ColumnElement[bool]], order: Sequence[Any], *, offset: int, limit: int
) -> Select[Any]:
    """A select of (row, count of all that match); no row at all when `offset` lies past the end.

    Finding the ids first, materialized, keeps the planner from walking the primary key under ORDER BY id LIMIT in the
    hope of meeting rare matches soon, and spares the second scan that a count of its own would make.
    `order`: empty for the id alone.
    """
    matching = select(model.id).where(*where).cte().prefix_with("MATERIALIZED", dialect="postgresql")
    total = select(func.count()).select_from(matching).scalar_subquery()
    page = select(model, total.label("total"))
    found = select(matching.c.id)
    if len(order) <= 1:
        clause = order[0] if order else model.id.asc()
        for by_id, cut in ((model.id.asc(), matching.c.id.asc()), (model.id.desc(), matching.c.id.desc())):
            if clause.compare(by_id):
                # The cut is made among the ids, so that only the rows of the page are fetched.
                ids = found.order_by(cut).offset(offset).limit(limit)
                return page.where(model.id.in_(ids)).order_by(by_id)
    return page.where(model.id.in_(found)).order_by(*order).offset(offset).limit(limit)
