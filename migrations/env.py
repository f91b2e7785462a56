"""Runs migrations on the connection it is given, or on CRATON_INV_DATABASE_URL."""

import asyncio

from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

from craton_inv.models import Base
from craton_inv.settings import Settings


def migrate(connection: Connection) -> None:
    """Run the asked migrations in one transaction: all of them or none."""
    context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=False)
    with context.begin_transaction():
        context.run_migrations()


async def migrate_online(url: str) -> None:
    """Connect, migrate, disconnect."""
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
        await connection.commit()
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    target = context.config.get_main_option("sqlalchemy.url") or Settings().database_url
    if target is None:
        raise SystemExit("Set CRATON_INV_DATABASE_URL, or use `craton-inv db`, which knows the embedded server.")
    asyncio.run(migrate_online(target))
