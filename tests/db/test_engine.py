"""Connections: what a client's death does to its statement."""

import asyncio
import os
import sys

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

SLEEPER = """
import asyncio, sys
from sqlalchemy import text
from craton_inv.db.engine import make_engine
from craton_inv.settings import Settings

async def main():
    async with make_engine(sys.argv[1], Settings(), application=sys.argv[2]).connect() as connection:
        print("ready", flush=True)
        await connection.execute(text("SELECT pg_advisory_xact_lock(4711), pg_sleep(120)"))

asyncio.run(main())
"""


async def until_running(connection: AsyncConnection, name: str, count: int) -> None:
    """Wait, at most 15 s, until so many statements of that client run."""
    running = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = :name AND state = 'active'")
    for _ in range(150):
        if await connection.scalar(running, {"name": name}) == count:
            return
        await connection.rollback()  # within a transaction the view stays as it was
        await asyncio.sleep(0.1)
    raise AssertionError(f"not {count} statements of {name} after 15 s")


async def test_the_statement_of_a_killed_client_ends_within_seconds(engine: AsyncEngine, database_url: str) -> None:
    # The statement holds locks: the next worker would wait for as long as it runs.
    name = f"killed-{os.getpid()}"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    words = [sys.executable, "-c", SLEEPER, database_url, name]
    client = await asyncio.create_subprocess_exec(*words, env=env, stdout=asyncio.subprocess.PIPE)
    assert client.stdout is not None
    assert await client.stdout.readline() == b"ready\n"
    async with engine.connect() as connection:
        await until_running(connection, name, 1)
        client.kill()
        await until_running(connection, name, 0)
    await client.wait()
