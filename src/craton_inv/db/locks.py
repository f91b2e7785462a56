"""Advisory locks of PostgreSQL, by a name that says what they guard."""

import hashlib

from sqlalchemy import func, select
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
