"""A few statements over a unix socket for callers without an event loop, or inside one they must not wait in."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

# What a connection attempt raises while there is no server, or it is coming, going or dying.
NOT_READY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)


def execute(socket_dir: Path, user: str, database: str, statements: Sequence[str], timeout: float = 30.0) -> list[Any]:
    """Run each statement in a connection of its own making; the first column of the rows of the last one.

    Raises what asyncpg raises; NOT_READY lists what means "no server yet".
    """
    answer: list[Any] = []
    failure: list[BaseException] = []

    async def talk() -> None:
        connection = await asyncpg.connect(
            host=str(socket_dir), port=5432, user=user, database=database, timeout=timeout, ssl=False
        )
        try:
            for statement in statements:
                answer[:] = [row[0] for row in await connection.fetch(statement, timeout=timeout)]
        finally:
            await connection.close(timeout=timeout)

    def run() -> None:
        try:
            asyncio.run(talk())
        except BaseException as error:  # handed to the caller's thread below
            failure.append(error)

    # A thread of its own, because the caller may be inside a running event loop.
    thread = threading.Thread(target=run, name="embedded-sql", daemon=True)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return answer
