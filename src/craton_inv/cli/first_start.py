"""The administrator of a new database, and its token, shown once."""

import asyncio

from craton_inv.db.engine import make_engine
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.services.users import ensure_admin
from craton_inv.settings import Settings


def ensure_administrator(settings: Settings) -> None:
    """Make the administrator if there is none, and print its token: it is stored as a hash and cannot be shown again.

    `settings.database_url`: a migrated database. With CRATON_INV_ADMIN_TOKEN set that text is the token, and nothing
    is printed.
    """
    token = asyncio.run(_ensure(settings))
    if token is not None:
        print(f"Administrator made. Its token, shown this once: {token}", flush=True)


async def _ensure(settings: Settings) -> str | None:
    engine = make_engine(settings.database_url or "", settings, application="craton-inv-cli")
    try:
        async with unit_of_work(make_session_factory(engine)) as session:
            return await ensure_admin(session, settings)
    finally:
        await engine.dispose()
