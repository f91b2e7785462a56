"""The doorbell: whoever rings is not kept waiting."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from craton_inv.queue.bell import ArqBell


@pytest.fixture
async def mute_redis(tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a Redis that takes connections and never says a word."""
    writers: list[asyncio.StreamWriter] = []

    async def keep(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    path = tmp_path / "redis.sock"
    server = await asyncio.start_unix_server(keep, path)
    yield f"unix://{path}?db=0"
    server.close()
    for writer in writers:
        writer.close()


async def test_a_redis_that_does_not_answer_is_not_waited_for(mute_redis: str) -> None:
    bell = ArqBell(mute_redis, "q")
    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(15):
            await bell.ring(1)
    assert time.monotonic() - begin < 5
    await bell.close()
