"""What counts as a living server."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from craton_inv.embedded.binaries import find_postgres
from craton_inv.embedded.privileges import RunAs
from craton_inv.embedded.server import SOCKET, Server

Answer = Callable[[socket.socket], None]


@pytest.fixture
def server(tmp_path: Path) -> Server:
    """One that has not been started."""
    return Server(tmp_path / "pg18", RunAs(find_postgres(), 0, "user"), tmp_path, {}, tmp_path, lock_fd=-1)


@pytest.fixture
def pretend(tmp_path: Path) -> Iterator[Callable[[Answer], None]]:
    """Listen in the server's place and answer the first connection."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / SOCKET))
        listener.listen()
        threads: list[threading.Thread] = []

        def start(answer: Answer) -> None:
            def serve() -> None:
                connection, _ = listener.accept()
                with connection:
                    answer(connection)

            threads.append(threading.Thread(target=serve))
            threads[-1].start()

        yield start
        for thread in threads:
            thread.join()


def error(code: str, words: str) -> bytes:
    """PostgreSQL's message of a fatal error."""
    fields = f"SFATAL\0VFATAL\0C{code}\0M{words}\0\0".encode()
    return b"E" + (len(fields) + 4).to_bytes(4, "big") + fields


def test_nobody_listening_is_no_life(server: Server) -> None:
    assert not server.answers()


def test_a_connection_that_breaks_is_no_life(server: Server, pretend: Callable[[Answer], None]) -> None:
    pretend(lambda connection: None)
    assert not server.answers()


@pytest.mark.parametrize("code", ["57P03", "57P01"])
def test_a_server_that_comes_or_goes_is_no_life(server: Server, pretend: Callable[[Answer], None], code: str) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(error(code, "the database system is starting up"))

    pretend(answer)
    assert not server.answers()


def test_a_server_without_room_for_us_lives(server: Server, pretend: Callable[[Answer], None]) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(error("53300", "sorry, too many clients already"))

    pretend(answer)
    assert server.answers()
