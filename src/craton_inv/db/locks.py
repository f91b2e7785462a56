"""Advisory locks of PostgreSQL, by a name that says what they guard."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession


def lock_key(name: str) -> int:
    """The 64-bit key of a lock's name, the same in every process and release."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


async def lock_transaction(connection: AsyncSession | AsyncConnection, name: str) -> None:
    """Wait for the lock `name` and hold it until the transaction ends."""
    await connection.execute(select(func.pg_advisory_xact_lock(lock_key(name))))


async def try_lock_transaction(connection: AsyncSession | AsyncConnection, name: str) -> bool:
    """Take the lock `name` until the transaction ends, or say at once that somebody holds it."""
    return bool(await connection.scalar(select(func.pg_try_advisory_xact_lock(lock_key(name)))))


# A lock of one 64-bit key stands in pg_locks as two halves, with objsubid 1.
_END_HOLDERS = text("""
SELECT count(pg_terminate_backend(pid)) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid() AND objsubid = 1
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (classid::bigint << 32) | objid::bigint = :key
""")


async def take_over_transaction(
    connection: AsyncSession | AsyncConnection, name: str, patience: float, confirm: Callable[[], Awaitable[object]]
) -> bool:
    """Hold the lock `name` until the transaction ends; whoever still holds it after `patience` seconds is disconnected.

    For a caller who has the sole right to the lock: the holder is a process that sleeps and would keep it for ever.
    `confirm` raises when the caller has lost that right itself. Returns whether a holder was disconnected; its
    transaction is rolled back.
    """
    deadline = asyncio.get_running_loop().time() + patience
    while not await try_lock_transaction(connection, name):
        if asyncio.get_running_loop().time() >= deadline:
            await confirm()
            ended = await connection.scalar(_END_HOLDERS, {"key": lock_key(name)})
            await lock_transaction(connection, name)
            return bool(ended)
        await asyncio.sleep(0.05)
    return False
