"""Lists of /v2: one page of rows, presented, in its envelope; refusals of filters under the key AWX uses there."""

from collections.abc import Sequence
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends
from pydantic import BaseModel
from sqlalchemy import ColumnElement

from craton_inv.api.query import PageWindow, page_window
from craton_inv.filters.nodes import Node
from craton_inv.repositories.base import Order, Repository

WindowDep = Annotated[PageWindow, Depends(page_window)]
Listed = TypeVar("Listed", bound=BaseModel)


class Presenter(Protocol):
    """Shows the rows of a page."""

    async def many(self, rows: Any) -> Any:
        """The answers about rows, in their order."""


async def listed(
    window: PageWindow,
    repository: Repository[Any],
    presenter: Presenter,
    envelope: type[Listed],
    *where: ColumnElement[bool],
    searched: Sequence[Node] = (),
    stored: Node | None = None,
    key: str = "detail",
    order: Order = (),
) -> Listed:
    """The page of a list that the request asks for. `searched`, `stored`: what the searches in `where` were made from.

    `key`: under which a refused filter is told. `order`: of the rows when the request asks for none.

    Routes that return it set `response_model_exclude_unset`, so that `?count_disabled` leaves the results alone.
    """
    found = await window.rows(repository, *where, searched=searched, stored=stored, key=key, order=order)
    return envelope(**window.frame(found), results=await presenter.many(found.items))
