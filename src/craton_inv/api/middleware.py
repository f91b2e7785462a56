"""Around everything: a request id, one log line and one metric per request, timing headers, and both slash forms."""

import re
import socket
import time
import uuid
from dataclasses import dataclass

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from craton_inv.api.metrics import Metrics
from craton_inv.logs import get_logger

log = get_logger("craton_inv.requests")

REQUEST_ID = "craton_inv.request_id"
ROUTE = "craton_inv.route"
_GIVEN_ID = re.compile(r"[A-Za-z0-9._:@-]{1,128}\Z")
_QUIET = frozenset({"/health/live", "/health/ready", "/metrics"})
NODE = socket.gethostname()


@dataclass
class _Seen:
    status: int = 500


class RequestLog:
    """Pure ASGI, outermost. Takes a caller's X-Request-ID when it is short and plain, else makes one."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Bind the id to every log line of this request, and tell the answer's id, time and node."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _GIVEN_ID.match(given) else uuid.uuid4().hex
        scope[REQUEST_ID] = request_id
        method, path = scope["method"], scope["path"]
        begin = time.perf_counter()
        seen = _Seen()

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["X-API-Time"] = f"{time.perf_counter() - begin:.3f}s"
                headers["X-API-Node"] = NODE
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_marked)
            finally:
                seconds = time.perf_counter() - begin
                route = scope.get(ROUTE, "")
                self.metrics.observe(method, route, seen.status, seconds)
                if path not in _QUIET:
                    log.info(
                        "request", method=method, path=path, route=route, status=seen.status, seconds=round(seconds, 4)
                    )


_ONE_FORM = re.compile(r"/(?:v1|v2|api)(?:/|\Z)")
_FILES = ("/docs", "/openapi.json")


def canonical_path(path: str) -> str:
    """The form of a path that routes are declared in: /v1 without a slash at the end, /v2 and /api with one."""
    if not _ONE_FORM.match(path):
        return path
    bare = path.removesuffix("/") if path.endswith("/") and not path.endswith("//") else path
    if bare.endswith(_FILES):
        return bare
    if path.startswith("/v1"):
        return bare if bare != "/v1" else "/v1/"
    return f"{bare}/"


class BothSlashForms:
    """Pure ASGI: serves `/v1/hosts/` as `/v1/hosts` and `/v2/hosts` as `/v2/hosts/`, without a redirect."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Rewrite the path of an HTTP request."""
        if scope["type"] == "http":
            scope["path"] = canonical_path(scope["path"])
        await self.app(scope, receive, send)
