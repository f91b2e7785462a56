"""The schema: up, down, up again, equal to the models, and safe to ask for twice at once."""

import asyncio

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from craton_inv.db.migrate import alembic_config, current_revision, head_revision, upgrade
from craton_inv.errors import SetupError
from craton_inv.models import Base


async def run_sync(url: str, work):  # type: ignore[no-untyped-def]
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.begin() as connection:
        result = await connection.run_sync(work)
    await engine.dispose()
    return result


def downgrade(connection: Connection) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.downgrade(config, "base")


async def test_the_migrated_schema_equals_the_models(fresh_database_url: str) -> None:
    differences = await run_sync(
        fresh_database_url, lambda c: compare_metadata(MigrationContext.configure(c), Base.metadata)
    )
    assert differences == []


async def test_down_leaves_nothing_and_up_again_works(fresh_database_url: str) -> None:
    await run_sync(fresh_database_url, downgrade)
    left = await run_sync(fresh_database_url, lambda c: inspect(c).get_table_names())
    assert left == ["alembic_version"]
    await upgrade(fresh_database_url)
    assert await current_revision(fresh_database_url) == head_revision()


async def test_two_upgrades_at_once_wait_for_each_other(fresh_database_url: str) -> None:
    await run_sync(fresh_database_url, downgrade)
    await asyncio.gather(upgrade(fresh_database_url), upgrade(fresh_database_url))
    assert await current_revision(fresh_database_url) == head_revision()


async def test_a_database_of_a_newer_release_is_refused_with_the_way_out(fresh_database_url: str) -> None:
    await run_sync(fresh_database_url, lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(SetupError, match="newer craton-inv wrote it"):
        await upgrade(fresh_database_url)


async def test_every_foreign_key_is_served_by_an_index(fresh_database_url: str) -> None:
    # Without one, a delete of the referred row scans the whole referring table.
    query = text("""
        SELECT c.conrelid::regclass::text || '(' || c.conname || ')' FROM pg_constraint c
        WHERE c.contype = 'f' AND NOT EXISTS (
          SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
          AND (i.indkey::int2[])[0] = ANY (c.conkey)
        ) AND c.conname NOT LIKE '%\\_by_id'
    """)
    missing = await run_sync(fresh_database_url, lambda c: list(c.execute(query).scalars()))
    assert missing == []
