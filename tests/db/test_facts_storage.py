"""Facts of some kilobytes lie in their row, those of a database that had them elsewhere, too."""

import json
import random

from alembic import command
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from craton_inv.db.migrate import alembic_config, upgrade

# Random enough that compression does not make it small.
FACTS = {"serials": [f"{random.Random(number).getrandbits(64):x}" for number in range(300)]}
PAGES = text("SELECT pg_relation_size('host_facts') / current_setting('block_size')::int")
HOSTS = 3


def to_revision_before(connection: Connection) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.downgrade(config, "0004")


async def run(url: str, work):  # type: ignore[no-untyped-def]
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.begin() as connection:
        result = await connection.run_sync(work)
    await engine.dispose()
    return result


def some_hosts(connection: Connection) -> None:
    connection.execute(text("INSERT INTO tenants (name) VALUES ('t')"))
    connection.execute(text("INSERT INTO inventories (tenant_id, name) SELECT id, 'i' FROM tenants"))
    connection.execute(
        text(
            "INSERT INTO hosts (tenant_id, inventory_id, name)"
            " SELECT tenant_id, id, 'h' || n FROM inventories, generate_series(1, :hosts) n"
        ),
        {"hosts": HOSTS},
    )
    facts = "INSERT INTO host_facts (host_id, facts) SELECT id, cast(:facts AS jsonb) FROM hosts"
    connection.execute(text(facts), {"facts": json.dumps(FACTS)})


def pages(connection: Connection) -> int:
    """Pages of the table itself: one a host when facts of this size lie in it, else one for all."""
    return connection.scalar(PAGES) or 0


async def test_new_facts_lie_in_their_row(fresh_database_url: str) -> None:
    await run(fresh_database_url, some_hosts)
    assert await run(fresh_database_url, pages) >= HOSTS


async def test_facts_of_an_older_database_are_moved_and_stay_what_they_are(fresh_database_url: str) -> None:
    await run(fresh_database_url, to_revision_before)
    await run(fresh_database_url, some_hosts)
    assert await run(fresh_database_url, pages) == 1
    await upgrade(fresh_database_url)
    assert await run(fresh_database_url, pages) >= HOSTS
    assert (
        await run(fresh_database_url, lambda c: [*c.scalars(text("SELECT facts FROM host_facts"))]) == [FACTS] * HOSTS
    )
    off = "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'host_facts'::regclass AND tgenabled <> 'O'"
    assert await run(fresh_database_url, lambda c: c.scalar(text(off))) == 0
