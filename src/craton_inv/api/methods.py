"""Which methods a path knows, over all of its routes: the Allow header, OPTIONS, HEAD, and 405."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette._utils import get_route_path
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from craton_inv.api.errors import RenderBody, respond
from craton_inv.api.middleware import ROUTE
from craton_inv.errors import MethodNotAllowed

Route = Any
Describe = Callable[[Sequence[Route]], dict[str, Any]]
_ORDER = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class _Entry:
    pattern: re.Pattern[str]
    path: str
    methods: frozenset[str]
    route: Route


class Methods:
    """Pure ASGI, next to the routes of a dialect.

    Starlette's own 405 names the methods of the first route of a path only. `describe` gives the body of OPTIONS.
    """

    def __init__(self, app: ASGIApp, *, owner: FastAPI, render: RenderBody, describe: Describe) -> None:
        self.app = app
        self.owner = owner
        self.render = render
        self.describe = describe
        self._table: list[_Entry] | None = None

    def entries(self) -> list[_Entry]:
        """Every route with its pattern, read once the application is put together."""
        if self._table is None:
            self._table = [
                _Entry(compile_path(context.path)[0], context.path, frozenset(context.methods), context)
                for context in iter_route_contexts(self.owner.routes)
                if context.path is not None and context.methods
            ]
        return self._table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer OPTIONS and unknown methods, turn HEAD into GET, hand the rest on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = get_route_path(scope)
        found = [entry for entry in self.entries() if entry.pattern.match(path)]
        method = scope["method"]
        serving = next((entry for entry in found if method in entry.methods), None)
        if found:
            scope[ROUTE] = scope.get("root_path", "") + (serving or found[0]).path
        if not found or serving is not None:
            await self.app(scope, receive, send)
        elif method == "OPTIONS":
            body = self.describe([entry.route for entry in found])
            await JSONResponse(body, headers={"Allow": allow(found)})(scope, receive, send)
        elif method == "HEAD" and any("GET" in entry.methods for entry in found):
            # A copy: the server looks at its own scope to know that this answer has no body.
            await self.app({**scope, "method": "GET"}, receive, _without_body(send))
        else:
            refused = MethodNotAllowed(f'Method "{method}" not allowed.', headers={"Allow": allow(found)})
            await respond(refused, Request(scope), self.render)(scope, receive, send)


def allow(entries: Sequence[_Entry]) -> str:
    """The Allow header of a path: what its routes know, HEAD beside GET, OPTIONS always."""
    methods = frozenset().union(*(entry.methods for entry in entries))
    names = [name for name in _ORDER if name in methods]
    return ", ".join([*names, *(["HEAD"] if "GET" in methods else []), "OPTIONS"])


def _without_body(send: Send) -> Send:
    async def headers_only(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return headers_only


def describe_plainly(routes: Sequence[Route]) -> dict[str, Any]:
    """OPTIONS of a path: what each of its methods does."""
    operations = {
        method: {"operation_id": route.operation_id, "summary": route.summary or route.name.replace("_", " ")}
        for route in routes
        for method in sorted(route.methods)
    }
    return {"methods": operations}
