"""One FastAPI application per dialect: its routes, its refusals, its document."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from craton_inv import __version__
from craton_inv.api.body import BodyGuard
from craton_inv.api.context import AppContext
from craton_inv.api.dialect import Dialect
from craton_inv.api.docs import install_docs
from craton_inv.api.errors import declared, install
from craton_inv.api.faults import Faults
from craton_inv.api.methods import Describe, Methods, describe_plainly
from craton_inv.api.openapi import install_openapi


class ExtraHeaders:
    """Pure ASGI: constant headers on every answer of a dialect."""

    def __init__(self, app: ASGIApp, *, headers: Mapping[str, str]) -> None:
        self.app = app
        self.headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add them when the answer begins."""

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.headers)
            await send(message)

        await self.app(scope, receive, send_marked)


def build_dialect(
    dialect: Dialect,
    context: AppContext,
    routers: Sequence[APIRouter],
    *,
    prefix: str,
    description: str,
    documented: bool = True,
    headers: Mapping[str, str] | None = None,
    describe: Describe = describe_plainly,
    dependencies: Sequence[Callable[..., Any]] = (),
) -> FastAPI:
    """The application that is mounted at `prefix`. `documented`: whether it serves /docs and /openapi.json."""
    app = FastAPI(
        title=f"craton-inv /{dialect.name}",
        description=description,
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if documented else None,
        redirect_slashes=False,
        responses=declared(dialect.error),
    )
    app.state.context = context
    for router in routers:
        app.include_router(router, dependencies=[Depends(dependency) for dependency in dependencies])
    install_openapi(app, prefix)
    if documented:
        install_docs(app)
    install(app, dialect.render)
    settings = context.settings
    # The last one added is the outermost.
    app.add_middleware(
        BodyGuard,
        render=dialect.render,
        limit=settings.body_limit,
        upload_limit=settings.upload_limit,
        ndjson_limit=settings.ndjson_limit,
        depth=settings.json_depth_limit,
    )
    app.add_middleware(Methods, owner=app, render=dialect.render, describe=describe)
    app.add_middleware(Faults, render=dialect.render)
    app.add_middleware(ExtraHeaders, headers=headers or {})
    return app
