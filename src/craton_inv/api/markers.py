"""The list parameters of /v1: limit, an opaque signed marker, sort_keys and sort_dir.

A marker names the last row seen by its sort values, so that rows which come or go meanwhile neither repeat nor vanish.
It is signed together with the caller and the query: with another tenant, path or filter it is refused.
"""

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Query, Request
from sqlalchemy import ColumnElement, inspect, literal, tuple_

from craton_inv import crypto
from craton_inv.api.context import context_of
from craton_inv.api.deps import ScopeDep
from craton_inv.api.dialect import Listed, Presented
from craton_inv.errors import InvalidField
from craton_inv.repositories.base import Repository
from craton_inv.repositories.scope import Scope

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
SIGNATURE = 16
_SORTABLE = (int, str, datetime, bool)
_PAGING = ("marker", "limit")


class MarkerWindow:
    """One page by marker: `{"<plural>": [...], "links": [...]}`."""

    def __init__(
        self, request: Request, scope: Scope, *, limit: int, marker: str | None, sort_keys: str, descending: bool
    ) -> None:
        self.request = request
        self.scope = scope
        self.limit = limit
        self.marker = marker
        self.sort_keys = sort_keys
        self.descending = descending

    async def answer(
        self,
        repository: Repository[Any],
        schema: type[Presented],
        envelope: type[Listed],
        *where: ColumnElement[bool],
        searched: bool = False,
    ) -> Listed:
        """The page. One row more than asked for tells whether there is a next one; nothing is counted.

        `searched`: somebody wrote a search that is in `where`.
        """
        columns = sort_columns(repository.model, self.sort_keys)
        beyond = () if self.marker is None else (self._after(columns, self.marker),)
        order = [column.desc() if self.descending else column.asc() for column in columns]
        found = await repository.page(
            where=(*where, *beyond), order=order, limit=self.limit + 1, count=False, searched=searched
        )
        rows = found.items[: self.limit]
        await repository.complete(rows)
        marker = None
        if len(found.items) > self.limit:
            marker = self._sealed([getattr(rows[-1], column.key) for column in columns])
        root = self.request.scope.get("root_path", "")
        items = next(iter(envelope.model_fields))
        return envelope(**{items: [schema.of(row, root) for row in rows], "links": self._links(marker)})

    def _after(self, columns: list[Any], marker: str) -> ColumnElement[bool]:
        values = self._opened(marker, columns)
        last = tuple_(*(literal(value, column.type) for column, value in zip(columns, values, strict=True)))
        here = tuple_(*columns)
        return here < last if self.descending else here > last

    def _bound_to(self, payload: bytes) -> bytes:
        query = sorted(item for item in self.request.query_params.multi_items() if item[0] not in _PAGING)
        tenants = self.scope.tenant_ids()
        owner = [self.scope.user_id, None if tenants is None else sorted(tenants)]
        return json.dumps([owner, self.request.scope["path"], query]).encode() + b"\0" + payload

    def _sealed(self, values: list[Any]) -> str:
        payload = json.dumps([value.isoformat() if isinstance(value, datetime) else value for value in values]).encode()
        signature = crypto.sign(context_of(self.request).secret, "marker", self._bound_to(payload))
        return urlsafe_b64encode(signature + payload).decode().rstrip("=")

    def _opened(self, marker: str, columns: list[Any]) -> list[Any]:
        refused = InvalidField("marker", "This marker was not made for this list; start again without it.")
        try:
            sealed = urlsafe_b64decode(marker + "=" * (-len(marker) % 4))
        except (binascii.Error, ValueError) as error:
            raise refused from error
        signature, payload = sealed[:SIGNATURE], sealed[SIGNATURE:]
        expected = crypto.sign(context_of(self.request).secret, "marker", self._bound_to(payload))
        if not crypto.same_digest(signature, expected):
            raise refused
        values = json.loads(payload)
        return [
            datetime.fromisoformat(value) if column.type.python_type is datetime else value
            for column, value in zip(columns, values, strict=True)
        ]

    def _links(self, marker: str | None) -> list[dict[str, str]]:
        links = [{"rel": "self", "href": self._href(self.marker)}, {"rel": "first", "href": self._href(None)}]
        if marker is not None:
            links.append({"rel": "next", "href": self._href(marker)})
        return links

    def _href(self, marker: str | None) -> str:
        query = [item for item in self.request.query_params.multi_items() if item[0] != "marker"]
        query += [("marker", marker)] if marker is not None else []
        path: str = self.request.scope["path"]
        return f"{path}?{urlencode(query)}" if query else path


def sort_columns(model: Any, sort_keys: str) -> list[Any]:
    """The columns that `sort_keys` names, ending in id. Raises InvalidField for anything not sortable."""
    sortable = {
        column.key: getattr(model, column.key)
        for column in inspect(model).column_attrs
        if not column.columns[0].nullable
        and not column.columns[0].info.get("private")
        and column.columns[0].type.python_type in _SORTABLE
        and column.key != "variables_text"
    }
    names = [name.strip() for name in sort_keys.split(",") if name.strip()]
    for name in names:
        if name not in sortable:
            known = ", ".join(sorted(sortable))
            raise InvalidField("sort_keys", f"Cannot sort by {name[:100]!r}; known: {known}.")
    if "id" in names:
        names = names[: names.index("id")]
    return [sortable[name] for name in dict.fromkeys([*names, "id"])]


def marker_window(
    request: Request,
    scope: ScopeDep,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows a page.")] = DEFAULT_LIMIT,
    marker: Annotated[str | None, Query(max_length=4096, description="From the link `next`.")] = None,
    sort_keys: Annotated[str, Query(max_length=512, description="Columns, separated by commas.")] = "id",
    sort_dir: Annotated[Literal["asc", "desc"], Query(description="The direction of all sort keys.")] = "asc",
) -> MarkerWindow:
    """The dependency of every /v1 list."""
    return MarkerWindow(request, scope, limit=limit, marker=marker, sort_keys=sort_keys, descending=sort_dir == "desc")
