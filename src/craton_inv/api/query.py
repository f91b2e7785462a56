"""The list parameters of /v2: page, page_size, order_by, search, and every other one a filter."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request
from sqlalchemy import ColumnElement, false

from craton_inv.api.context import context_of
from craton_inv.api.dialect import Listed, Presented
from craton_inv.api.role_levels import having_role
from craton_inv.api.searches import limit_filter_time, searching
from craton_inv.errors import Forbidden, InvalidFilter, NotFound
from craton_inv.filters import compile_where, list_node, order_by_clauses
from craton_inv.filters.nodes import Node
from craton_inv.repositories.base import Order, Repository, Rows

MAX_PAGE_SIZE = 200
MAX_OFFSET = 2**62
# What AWX calls the rows of a model in their `type`, where that is not the name of ours.
TYPES = {"tenant": "organization", "token": "o_auth2_access_token"}


class PageWindow:
    """One page by number (AWX). `page_size` above 200 is capped silently and the links carry 200.

    `params`: the parameters that filter; a list that reads one of them in a way of its own takes it out.
    """

    def __init__(
        self,
        request: Request,
        *,
        page: int,
        page_size: int,
        order_by: str,
        types: Sequence[str] = (),
        roles: Sequence[str] = (),
    ) -> None:
        self.request = request
        self.page = page
        self.page_size = min(page_size, MAX_PAGE_SIZE)
        self.capped = page_size > MAX_PAGE_SIZE
        self.order_by = order_by
        self.types = [name.strip() for text in types for name in text.split(",")]
        self.roles = roles
        self.counted = "count_disabled" not in request.query_params
        self.params = request.query_params.multi_items()

    @property
    def offset(self) -> int:
        """The rows before this page. Raises NotFound for more than any list has."""
        before = (self.page - 1) * self.page_size
        if before > MAX_OFFSET:
            raise NotFound("Invalid page.")
        return before

    def require_page_of(self, count: int | None) -> None:
        """Raise NotFound for a page, other than the first, beyond the end of `count` rows; None: nobody counted."""
        if self.page > 1 and count is not None and self.offset >= count:
            raise NotFound("Invalid page.")

    async def rows(
        self,
        repository: Repository[Any],
        *where: ColumnElement[bool],
        searched: Sequence[Node] = (),
        stored: Node | None = None,
        key: str = "detail",
        order: Order = (),
    ) -> Rows[Any]:
        """The rows of this page, completed. `searched`, `stored`: what the searches in `where` were made from.

        `order`: clauses ending in the id, for a request that asks for none.

        The stored one of a smart inventory finds all its rows anyhow, whatever the page. `key`: see `refused_under`.
        Raises NotFound for a page beyond the end, InvalidFilter, ServiceUnavailable for a search out of time.
        """
        offset, model = self.offset, repository.model
        with refused_under(key):
            listed = list_node(self.params, model)
            if listed is not None:
                where = (*where, compile_where(listed, model))
                searched = (listed, *searched)
            if self.order_by or not order:
                order = order_by_clauses(self.order_by or default_order(model), model)
            where = (*where, *self._kept(repository))
            settings = context_of(self.request).settings
            if "__" in self.order_by:  # an order over relations can cost more than any search
                await limit_filter_time(repository.session, settings)
            async with searching(repository.session, settings, stored, *searched, model=model):
                found = await repository.page(
                    where=where,
                    order=order,
                    offset=offset,
                    limit=self.page_size,
                    count=self.counted,
                    searched=bool(searched),
                )
        self.require_page_of(found.count)
        await repository.complete(found.items)
        return found

    def _kept(self, repository: Repository[Any]) -> list[ColumnElement[bool]]:
        """What `type` and `role_level` leave of the rows."""
        kept = [having_role(name, repository.model, repository.scope) for name in self.roles]
        return kept if not any(self.types) or type_of(repository.model) in self.types else [*kept, false()]

    async def answer(
        self,
        repository: Repository[Any],
        schema: type[Presented],
        envelope: type[Listed],
        *where: ColumnElement[bool],
    ) -> Listed:
        """`{"count", "next", "previous", "results"}`; with `?count_disabled` the results alone."""
        found = await self.rows(repository, *where)
        root = self.request.scope.get("root_path", "")
        return envelope(**self.frame(found), results=[schema.of(row, root) for row in found.items])

    def frame(self, found: Rows[Any]) -> dict[str, Any]:
        """`count`, `next` and `previous` of a page; nothing when the count was not asked for."""
        if found.count is None:
            return {}
        more = self.page * self.page_size < found.count
        return {
            "count": found.count,
            "next": self.link(self.page + 1) if more else None,
            "previous": self.link(self.page - 1) if self.page > 1 else None,
        }

    def link(self, page: int) -> str:
        """The path of another page of the same list, below the mount that was asked."""
        kept = [
            (key, value)
            for key, value in self.request.query_params.multi_items()
            if key != "page" and not (self.capped and key == "page_size")
        ]
        size = [("page_size", str(self.page_size))] if self.capped else []
        return f"{self.request.scope['path']}?{urlencode([*kept, *size, ('page', str(page))])}"


@contextmanager
def refused_under(key: str) -> Iterator[None]:
    """Tell a refused filter under this key. AWX's /hosts/ has "error", and there also for secret fields, as a 400."""
    try:
        yield
    except InvalidFilter as error:
        error.key = key
        raise
    except Forbidden as error:
        if key == "error":
            raise InvalidFilter(error.message, code=error.code) from error
        raise


def type_of(model: Any) -> str:
    """The `type` that answers about rows of a model carry."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", model.__name__).lower()
    return TYPES.get(name, name)


def default_order(model: Any) -> str:
    """By name where there is one, as AWX's models are ordered."""
    return "name" if hasattr(model, "name") else "id"


def page_window(
    request: Request,
    page: Annotated[int, Query(ge=1, description="The page, from 1.")] = 1,
    page_size: Annotated[int, Query(ge=1, description="Rows a page; more than 200 are capped to 200.")] = 25,
    order_by: Annotated[str, Query(description="Fields, separated by commas; '-' before one turns it.")] = "",
    search: Annotated[str, Query(description="Words that must all be found, case-insensitively.")] = "",
    types: Annotated[list[str], Query(alias="type", description="Kinds of objects; of others nothing is shown.")] = [],  # noqa: B006
    role_level: Annotated[list[str], Query(description="Rows on which the caller has this role: `admin_role`.")] = [],  # noqa: B006
    count_disabled: Annotated[str | None, Query(description="Any text: the results alone, uncounted.")] = None,
) -> PageWindow:
    """The dependency of every /v2 list. Other parameters are filters: `name=x`, `name__icontains=x`."""
    order = order_by or request.query_params.get("order", "")
    return PageWindow(request, page=page, page_size=page_size, order_by=order, types=types, roles=role_level)
