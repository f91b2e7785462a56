"""The ASGI application: one sub-application per dialect, health and metrics beside them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv import __version__
from craton_inv.api import health, root
from craton_inv.api.build import build_dialect
from craton_inv.api.context import AppContext
from craton_inv.api.errors import install
from craton_inv.api.faults import Faults
from craton_inv.api.methods import Methods, describe_plainly
from craton_inv.api.metrics import Metrics, metrics_router
from craton_inv.api.middleware import BothSlashForms, RequestLog
from craton_inv.api.parameters import refuse_unknown_parameters
from craton_inv.api.v1.dialect import V1
from craton_inv.api.v1.router import ROUTERS as V1_ROUTERS
from craton_inv.api.v2.dialect import PRODUCT, V2
from craton_inv.api.v2.errors import render as render_plain
from craton_inv.api.v2.named_urls import NamedUrls
from craton_inv.api.v2.options import describe as describe_as_awx
from craton_inv.api.v2.router import ROUTERS as V2_ROUTERS
from craton_inv.crypto import secret_key
from craton_inv.db.engine import make_engine
from craton_inv.db.session import SessionFactory, make_session_factory
from craton_inv.logs import configure_logs
from craton_inv.queue.bell import ArqBell, Bell, SilentBell
from craton_inv.repositories.path_indexes import use_declared
from craton_inv.settings import Settings, get_settings

V1_TEXT = "Tenants, regions, hosts and groups: Craton's inventory API."
V2_TEXT = "Organizations, inventories, hosts, groups and their sources: AWX's inventory API. Also served at /api/v2."


def create_app(
    settings: Settings | None = None, *, session_factory: SessionFactory | None = None, bell: Bell | None = None
) -> FastAPI:
    """The application. Nothing is connected before the first request that needs it.

    Without `settings` they come from the environment, and this process logs by them (uvicorn --factory).
    `session_factory` and `bell` take the place of those made from the settings (tests, embedding).
    """
    if settings is None:  # called by a server as its factory: this process is ours
        settings = get_settings()
        configure_logs(settings.log_level, as_json=settings.log_json)
    context = make_context(settings, session_factory, bell)
    app = FastAPI(
        title="craton-inv",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.context = context
    metrics = Metrics()
    app.include_router(health.router)
    app.include_router(metrics_router(metrics))
    app.include_router(root.router)
    v1 = build_dialect(
        V1, context, V1_ROUTERS, prefix="/v1", description=V1_TEXT, dependencies=[refuse_unknown_parameters]
    )
    v2 = build_dialect(
        V2, context, V2_ROUTERS, prefix="/v2", description=V2_TEXT, headers=PRODUCT, describe=describe_as_awx
    )
    awx = build_dialect(
        V2,
        context,
        V2_ROUTERS,
        prefix="/api/v2",
        description=V2_TEXT,
        headers=PRODUCT,
        documented=False,
        describe=describe_as_awx,
    )
    app.mount("/v1", v1)
    app.mount("/api/v2", NamedUrls(awx))
    app.mount("/v2", NamedUrls(v2))
    app.state.dialects = {"v1": v1, "v2": v2, "api/v2": awx}
    install(app, render_plain)
    app.add_middleware(Methods, owner=app, render=render_plain, describe=describe_plainly)
    app.add_middleware(Faults, render=render_plain)
    app.add_middleware(BothSlashForms)
    app.add_middleware(RequestLog, metrics=metrics)
    return app


def make_context(settings: Settings, session_factory: SessionFactory | None, bell: Bell | None) -> AppContext:
    """The parts that requests share. Without a database URL the application can still say what it is (openapi)."""
    use_declared(settings.indexed_paths())
    engine: AsyncEngine | None = None
    if session_factory is None and settings.database_url is not None:
        engine = make_engine(settings.database_url, settings)
        session_factory = make_session_factory(engine)
    if bell is None:
        bell = ArqBell(settings.redis_url, settings.queue_name) if settings.redis_url else SilentBell()
    return AppContext(settings, secret_key(settings), bell, session_factory, engine)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Give back at the end what the application made itself."""
    yield
    context: AppContext = app.state.context
    if context.engine is not None:
        await context.engine.dispose()
    if isinstance(context.bell, ArqBell):
        await context.bell.close()
