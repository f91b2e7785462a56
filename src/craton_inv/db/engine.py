"""One async engine per process: asyncpg with JSON, UTC and a statement timeout."""

import json
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from craton_inv.settings import Settings


def dump_json(value: Any) -> str:
    """JSON text as PostgreSQL takes it: no NaN (a ValueError), non-ASCII kept."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def make_engine(
    url: str, settings: Settings, *, application: str = "craton-inv", statement_timeout: float | None = None
) -> AsyncEngine:
    """An engine for `url`. `statement_timeout`: seconds, 0 for none; default from the settings.

    `pool_pre_ping` trades one round trip per checkout for surviving a restarted server.
    """
    timeout = settings.database_statement_timeout if statement_timeout is None else statement_timeout
    return create_async_engine(
        url,
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_size,
        pool_pre_ping=True,
        pool_timeout=10,
        json_serializer=dump_json,
        connect_args={
            "timeout": 10,
            "server_settings": {
                "application_name": application,
                "timezone": "UTC",
                "statement_timeout": str(int(timeout * 1000)),
                "jit": "off",
            },
        },
    )
