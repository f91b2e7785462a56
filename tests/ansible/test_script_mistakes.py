"""The inventory script and the command against wrong addresses, tokens and answers: one sentence, never a traceback."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from craton_inv.settings import examples_dir

SOURCES = str(Path(__file__).parents[2] / "src")
SCRIPT = [sys.executable, str(examples_dir() / "craton_inventory.py")]
COMMAND = [sys.executable, "-m", "craton_inv", "inventory"]


class Stranger(BaseHTTPRequestHandler):
    """Some other program behind the address."""

    def do_GET(self) -> None:
        """Answer by the first part of the path."""
        self.server.seen.append((self.path, self.headers.get("Authorization")))  # type: ignore[attr-defined]
        kind = self.path.split("/")[1]
        self.send_response(302 if kind == "elsewhere" else 200)
        if kind == "elsewhere":
            self.send_header("Location", "/found")
        if kind == "short":
            self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write({"page": b"<html>", "list": b"[1]"}.get(kind, b"{"))

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def stranger() -> Iterator[HTTPServer]:
    """A server on loopback that is not the service; `seen` keeps paths and authorizations."""
    server = HTTPServer(("127.0.0.1", 0), Stranger)
    server.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run(program: list[str], *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program with these variables and no others of ours."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CRATON_INV_")}
    given = {"CRATON_INV_INVENTORY": "1", "CRATON_INV_TOKEN": "token", **environment, "PYTHONPATH": SOURCES}
    return subprocess.run(
        [*program, *arguments], env={**clean, **given}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("program", "kind", "which"),
    [
        (SCRIPT, "page", "name"),
        (SCRIPT, "list", "name"),
        (SCRIPT, "short", "1"),
        (SCRIPT, "elsewhere", "1"),
        (COMMAND, "page", "name"),
        (COMMAND, "elsewhere", "1"),
    ],
)
def test_the_answer_of_something_else_is_a_sentence(
    stranger: HTTPServer, program: list[str], kind: str, which: str
) -> None:
    url = f"http://127.0.0.1:{stranger.server_port}/{kind}"
    done = run(program, "--list", CRATON_INV_URL=url, CRATON_INV_INVENTORY=which)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_a_redirect_never_gets_the_token(stranger: HTTPServer) -> None:
    run(SCRIPT, "--list", CRATON_INV_URL=f"http://127.0.0.1:{stranger.server_port}/elsewhere")
    assert [path.split("/")[1] for path, _ in stranger.seen] == ["elsewhere"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("program", [SCRIPT, COMMAND])
@pytest.mark.parametrize("url", ["http://127.0.0.1:abc", "http://[::1", "ftp://127.0.0.1"])
def test_an_address_that_is_none_is_named(program: list[str], url: str) -> None:
    done = run(program, "--list", CRATON_INV_URL=url)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert url in done.stderr


@pytest.mark.parametrize("program", [SCRIPT, COMMAND])
def test_a_token_that_is_none_is_refused_unseen(program: list[str]) -> None:
    done = run(program, "--list", CRATON_INV_URL="http://127.0.0.1:1", CRATON_INV_TOKEN="civ_1_se\ncret→")
    assert done.returncode == 1
    assert "token" in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert "cret" not in done.stderr


@pytest.mark.parametrize("program", [SCRIPT, COMMAND])
def test_a_host_without_a_name_is_wrong_usage(program: list[str]) -> None:
    done = run(program, "--host", "", CRATON_INV_URL="http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (2, "")
