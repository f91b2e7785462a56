"""The embedded Valkey through everything that happens to servers and their owners."""

import asyncio
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from arq.connections import RedisSettings, create_pool

from craton_inv.embedded import EmbeddedValkey
from craton_inv.embedded.lock import DirectoryInUse
from craton_inv.errors import SetupError
from tests.embedded.conftest import Owner, ends, is_process, kill

StartOwner = Callable[..., Owner]


def ask(url: str, *command: str) -> Any:
    """The server's answer to one command over `url`."""

    async def talk() -> Any:
        async with redis.asyncio.from_url(url, decode_responses=True) as client:
            return await client.execute_command(*command)

    return asyncio.run(talk())


def test_its_url_suits_redis_and_arq(open_dir: Path) -> None:
    async def enqueue(url: str) -> bool:
        pool = await create_pool(RedisSettings.from_dsn(url))
        job = await pool.enqueue_job("refresh", 1)
        await pool.aclose()
        return job is not None

    with EmbeddedValkey(open_dir) as server:
        assert ask(server.url(), "PING") is True
        assert asyncio.run(enqueue(server.url()))


def test_only_a_private_socket_is_open_and_the_log_is_kept(open_dir: Path) -> None:
    with EmbeddedValkey(open_dir) as server:
        assert server.socket_dir is not None
        assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
        assert ask(server.url(), "CONFIG", "GET", "port")[1] == "0"
        assert ask(server.url(), "CONFIG", "GET", "appendonly")[1] == "yes"


def test_data_survives_a_stop_and_a_start(data_dir: Path) -> None:
    server = EmbeddedValkey(data_dir)
    with server:
        ask(server.url(), "SET", "kept", "42")
    assert not server.is_alive()
    with server:
        assert ask(server.url(), "GET", "kept") == "42"


def test_the_log_survives_a_killed_server(open_dir: Path) -> None:
    with EmbeddedValkey(open_dir) as server:
        ask(server.url(), "SET", "kept", "42")
        assert server.pid
        kill(server.pid)
        assert not server.is_alive()
        assert server.ensure()
        assert ask(server.url(), "GET", "kept") == "42"
        assert not server.ensure()


def test_the_server_ends_when_its_owner_is_killed(open_dir: Path, owner: StartOwner) -> None:
    first = owner("valkey", open_dir)
    assert is_process(first.server_pid)
    ask(first.url, "SET", "kept", "1")
    first.kill()
    assert ends(first.server_pid)
    with EmbeddedValkey(open_dir) as server:
        assert ask(server.url(), "GET", "kept") == "1"


def test_a_second_owner_is_told_who_holds_the_directory(open_dir: Path, owner: StartOwner) -> None:
    first = owner("valkey", open_dir)
    with pytest.raises(DirectoryInUse, match=f"process {first.process.pid} "):
        EmbeddedValkey(open_dir).start()
    assert ask(first.url, "PING") is True


def test_a_path_too_long_for_a_socket_gets_a_short_private_directory(open_dir: Path) -> None:
    server = EmbeddedValkey(open_dir / ("long" * 15) / ("name" * 15))
    with server:
        short = server.socket_dir
        assert short is not None
        assert not short.is_relative_to(open_dir)
        assert ask(server.url(), "PING") is True
    assert not short.exists()


def test_a_spoilt_log_is_said_with_the_way_out(open_dir: Path) -> None:
    server = EmbeddedValkey(open_dir)
    with server:
        ask(server.url(), "SET", "kept", "42")
    log = next((open_dir / "valkey" / "appendonlydir").glob("*.incr.aof"))
    log.write_bytes(b"*1\r\n$7\r\nNONSENSE" + log.read_bytes())
    with pytest.raises(SetupError, match=r"(?s)Valkey did not start.*unknown command.*folder may be removed"):
        server.start()
