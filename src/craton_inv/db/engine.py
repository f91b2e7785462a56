"""One async engine per process: asyncpg with JSON, UTC, a statement timeout, and no patience with a mute server."""

import json
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from craton_inv.settings import Settings

CONNECT_TIMEOUT = 10.0
# A server that lives answers a ping within this time, however busy; one that is frozen or cut off never does.
PING_TIMEOUT = 3.0
# Above the server's own limit: only a server that cannot keep it lets ours run out.
STATEMENT_MARGIN = 5.0
# How often the server looks, in the middle of a statement, whether its client still lives (milliseconds). Without it a
# killed worker's statement runs on for minutes and holds the locks that the next worker waits for.
CLIENT_CHECK_MS = 1000
NOT_ALIVE = (asyncpg.PostgresError, asyncpg.InterfaceError)


def dump_json(value: Any) -> str:
    """JSON text as PostgreSQL takes it: no NaN (a ValueError), non-ASCII kept."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def make_engine(
    url: str, settings: Settings, *, application: str = "craton-inv", statement_timeout: float | None = None
) -> AsyncEngine:
    """An engine for `url`. `statement_timeout`: seconds, 0 for none; default from the settings.

    Each checkout asks the server for a sign of life: one round trip, for surviving a restarted, frozen or vanished
    server. A mute one costs a request 3 s for that and 10 s for a new connection, then TimeoutError.
    """
    # Triggers note changes for the memberships of smart inventories only where this says so (fourth migration).
    noting = {"craton_inv.rebuild_smart_membership": "on"} if settings.awx_rebuild_smart_membership else {}
    timeout = settings.database_statement_timeout if statement_timeout is None else statement_timeout
    engine = create_async_engine(
        url,
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_size,
        pool_timeout=10,
        json_serializer=dump_json,
        connect_args={
            "timeout": CONNECT_TIMEOUT,
            "command_timeout": timeout + STATEMENT_MARGIN if timeout else None,
            "server_settings": {
                "application_name": application,
                "timezone": "UTC",
                "statement_timeout": str(int(timeout * 1000)),
                "jit": "off",
                "client_connection_check_interval": str(CLIENT_CHECK_MS),
                **noting,
            },
        },
    )
    event.listen(engine.sync_engine, "checkout", _require_sign_of_life)
    event.listen(engine.sync_engine, "handle_error", _drop_mute_connection)
    return engine


def _require_sign_of_life(connection: Any, _record: Any, _fairy: Any) -> None:
    """Ping a connection that comes out of the pool. SQLAlchemy's own pre-ping would wait for ever."""

    async def ping(driver: Any) -> None:
        await driver.execute("SELECT 1", timeout=PING_TIMEOUT)

    try:
        connection.run_async(ping)
    except (OSError, TimeoutError, *NOT_ALIVE) as error:
        # Its neighbours in the pool are as old: each is made anew before it is used again.
        raise InvalidatePoolError from error


def _drop_mute_connection(context: ExceptionContext) -> None:
    """A statement that outlived our patience leaves a connection on which even ROLLBACK would wait for ever."""
    if isinstance(context.original_exception, TimeoutError):
        context.is_disconnect = True
