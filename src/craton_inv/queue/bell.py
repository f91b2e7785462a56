"""The doorbell: arq carries a job's id to a worker, nothing else. The one file that knows arq's client side."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import redis.exceptions
from arq import create_pool
from arq.connections import ArqRedis, RedisSettings

from craton_inv.logs import get_logger

log = get_logger(__name__)
RING_TIMEOUT = 2.0  # seconds; the sweeper finds what nobody rang for
FUNCTION = "run_job"
# What a Redis that is away raises: its client has error classes of its own.
UNREACHABLE = (OSError, TimeoutError, redis.exceptions.ConnectionError, redis.exceptions.TimeoutError)


class Bell(Protocol):
    """Something that can wake a worker for a job. Ringing too often or not at all is harmless: rows are the truth."""

    async def ring(self, job_id: int) -> None:
        """Wake some worker for the job."""

    async def ping(self) -> None:
        """Raise unless the bell works."""


class SilentBell:
    """No Redis: the sweeper is the only bell."""

    async def ring(self, job_id: int) -> None:
        """Nothing to ring."""

    async def ping(self) -> None:
        """Never works: raises ConnectionError."""
        raise ConnectionError("No Redis is configured.")


def redis_settings(url: str) -> RedisSettings:
    """Settings for arq that fail fast: a request must not wait for a dead Redis."""
    settings = RedisSettings.from_dsn(url)
    settings.conn_retries = 0
    settings.conn_timeout = 2
    return settings


def dump(job: dict[str, Any]) -> bytes:
    """JSON, never pickle: who can write to Redis must not run code in the workers."""
    return json.dumps(job, default=str).encode()


def load(data: bytes) -> dict[str, Any]:
    """The other direction of `dump`."""
    loaded: dict[str, Any] = json.loads(data)
    return loaded


async def connect(url: str, queue_name: str) -> ArqRedis:
    """Connections to Redis that speak our JSON."""
    return await create_pool(
        redis_settings(url), job_serializer=dump, job_deserializer=load, default_queue_name=queue_name
    )


@asynccontextmanager
async def connected(url: str, queue_name: str) -> AsyncIterator[ArqRedis]:
    """Connections that are closed at the end of the block."""
    redis = await connect(url, queue_name)
    try:
        yield redis
    finally:
        await redis.aclose(close_connection_pool=True)


class ArqBell:
    """Rings over Redis, connecting on first use and again after a failure."""

    def __init__(self, url: str, queue_name: str) -> None:
        self.url = url
        self.queue_name = queue_name
        self._redis: ArqRedis | None = None

    async def _connected(self) -> ArqRedis:
        if self._redis is None:
            self._redis = await connect(self.url, self.queue_name)
        return self._redis

    async def ring(self, job_id: int) -> None:
        """Put the id on arq's queue; arq makes a fresh `_job_id` each time, so a known one is never refused.

        Raises TimeoutError when Redis does not answer: a caller waits behind this.
        """
        try:
            async with asyncio.timeout(RING_TIMEOUT):
                redis = await self._connected()
                await redis.enqueue_job(FUNCTION, job_id)
        except TimeoutError:
            await self.close()  # an answer that comes late must not be taken for the next one's
            raise

    async def ping(self) -> None:
        """One PING."""
        await (await self._connected()).ping()

    async def close(self) -> None:
        """Close the connections."""
        if self._redis is not None:
            await self._redis.aclose(close_connection_pool=True)
            self._redis = None
