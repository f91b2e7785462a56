"""The service as a whole: what starts, what is said when it cannot, and that nothing stays behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from craton_inv.cli import stack as stack_module
from craton_inv.cli.children import Child
from craton_inv.cli.stack import Stack
from craton_inv.embedded.lock import DirectoryInUse, DirectoryLock
from craton_inv.embedded.postgres import running_url
from craton_inv.errors import SetupError
from craton_inv.settings import Settings
from tests.embedded.conftest import SOURCE, ends, is_process

StartUp = Callable[..., subprocess.Popen[str]]

READY = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ready")
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

UP = """
import sys
from craton_inv.cli.up import serve
from craton_inv.cli.stack import Stack
from tests.cli.test_up import ready_programs
if sys.argv[3] == "fake":
    Stack.programs = ready_programs
serve("127.0.0.1", int(sys.argv[1]), __import__("pathlib").Path(sys.argv[2]))
"""


def ready_programs(stack: Stack) -> list[Child]:
    """An API that is ready as soon as it listens, and a worker that sleeps."""
    env = {"DATABASE": stack.database_url, "PATH": os.environ["PATH"]}
    api = Child("api", [sys.executable, "-c", READY, str(stack.port)], env)
    return [api, Child("worker", ["/bin/sleep", "60"], env)]


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A service with pretended API and worker on embedded servers, started."""
    monkeypatch.setattr(Stack, "programs", ready_programs)
    with Stack(Settings(data_dir=tmp_path / "data", database_url=None, redis_url=None), port=0) as started:
        yield started


@pytest.fixture
def up(tmp_path: Path) -> Iterator[StartUp]:
    """Run `craton-inv up` in a process of its own; those still running are ended with the test."""
    unwanted = ("CRATON_INV_DATABASE_URL", "CRATON_INV_REDIS_URL", "CRATON_INV_ADMIN_TOKEN")
    env = {name: value for name, value in os.environ.items() if name not in unwanted}
    started: list[subprocess.Popen[str]] = []

    def start(data_dir: Path, kind: str = "fake") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", UP, "0", str(data_dir), kind],
            env={**env, "PYTHONPATH": f"{SOURCE}:{SOURCE.parent}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate()


def url_of(process: subprocess.Popen[str]) -> str:
    """Where it serves, once it says so."""
    assert process.stdout
    for line in process.stdout:
        if line.startswith("craton-inv serves on "):
            return line.split()[3]
    assert process.stderr
    raise AssertionError(process.stderr.read())


def descendants(pid: int) -> set[int]:
    """All processes below `pid`."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found: set[int] = set()
    fresh = {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh} - found
        found |= fresh
    return found


def get(url: str | urllib.request.Request) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


def test_it_serves_with_embedded_servers_and_says_their_urls(stack: Stack) -> None:
    assert get(f"{stack.url}/health/ready") == b"ready"
    assert stack.database_url == stack.settings.database_url == running_url(stack.settings.data_dir)
    assert stack.redis_url.startswith("unix://")


def test_the_database_is_migrated_before_the_api_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []

    async def upgrade(url: str) -> None:
        order.append("migrate")

    def programs(stack: Stack) -> list[Child]:
        order.append("start")
        return ready_programs(stack)

    monkeypatch.setattr(stack_module, "upgrade", upgrade)
    monkeypatch.setattr(Stack, "programs", programs)
    settings = Settings(data_dir=tmp_path / "data", database_url="postgresql://x@y/z", redis_url="redis://y")
    with Stack(settings, port=0, prepare=lambda given: order.append("prepare")) as started:
        assert started.database_url == "postgresql+asyncpg://x@y/z"
    assert order == ["migrate", "prepare", "start"]
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["log"]


def test_everything_is_gone_after_the_with_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stack, "programs", ready_programs)
    settings = Settings(data_dir=tmp_path / "data", database_url=None, redis_url=None)
    before = descendants(os.getpid())
    with Stack(settings, port=0) as started:
        below = descendants(os.getpid()) - before
        assert len(below) >= 8
        assert started.children.children[0].pid in below
    assert not descendants(os.getpid()) & below
    assert running_url(settings.data_dir) is None


def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, pytest.raises(SetupError, match="is taken by process"):
        Stack(Settings(data_dir=tmp_path / "data"), port=server.getsockname()[1]).__enter__()
    assert not (tmp_path / "data").exists()


def test_a_database_that_is_not_there_is_said_in_one_sentence(
    server_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stack, "programs", ready_programs)
    url = make_url(server_url).set(database="nowhere").render_as_string(hide_password=False)
    settings = Settings(data_dir=tmp_path / "data", database_url=url, redis_url="redis://y")
    with pytest.raises(SetupError, match='The database cannot be used: database "nowhere" does not exist'):
        Stack(settings, port=0).__enter__()


def test_an_api_that_cannot_start_is_said_and_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def programs(stack: Stack) -> list[Child]:
        return [Child("api", ["/bin/sh", "-c", "exit 3"], {}), Child("worker", ["/bin/sleep", "60"], {})]

    monkeypatch.setattr(Stack, "programs", programs)
    before = descendants(os.getpid())
    settings = Settings(data_dir=tmp_path / "data", database_url=None, redis_url=None)
    with pytest.raises(SetupError, match="The api process ends as soon as it starts"):
        Stack(settings, port=0).__enter__()
    assert descendants(os.getpid()) <= before


def test_a_directory_in_use_by_another_service_is_refused(stack: Stack) -> None:
    with pytest.raises(DirectoryInUse, match=f"process {os.getpid()} "):
        Stack(stack.settings.model_copy(update={"database_url": None, "redis_url": None}), port=0).__enter__()
    assert get(stack.url) == b"ready"


def test_ctrl_c_ends_everything_with_status_0(tmp_path: Path, up: StartUp) -> None:
    process = up(tmp_path / "data")
    assert url_of(process).startswith("http://127.0.0.1:")
    below = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    said, complaints = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, "craton-inv has stopped.\n"), complaints
    assert "Traceback" not in complaints
    assert all(ends(pid, 1) for pid in below)


def test_sigterm_while_it_is_still_starting_ends_everything(tmp_path: Path, up: StartUp) -> None:
    process = up(tmp_path / "data")
    while not (tmp_path / "data" / "postgres.lock").exists():
        time.sleep(0.01)
    below = descendants(process.pid)
    process.terminate()
    assert process.wait(30) == 0
    assert all(ends(pid, 5) for pid in below)
    process.communicate()


def test_a_killed_service_leaves_nothing_and_starts_again(tmp_path: Path, up: StartUp) -> None:
    process = up(tmp_path / "data")
    url_of(process)
    below = descendants(process.pid)
    assert len(below) >= 8
    process.kill()
    process.communicate()
    assert all(ends(pid) for pid in below)
    again = up(tmp_path / "data")
    url_of(again)
    again.terminate()
    again.communicate()
    assert again.returncode == 0


def test_a_second_up_says_who_holds_the_directory(tmp_path: Path, up: StartUp) -> None:
    held = DirectoryLock(tmp_path / "postgres.lock")
    held.acquire()
    process = up(tmp_path)
    _, complaints = process.communicate(timeout=30)
    assert process.returncode == 3
    assert f"{tmp_path} is in use by process {os.getpid()} (" in complaints
    assert "Traceback" not in complaints
    held.release()


def test_killed_servers_and_children_come_back(tmp_path: Path, up: StartUp) -> None:
    process = up(tmp_path / "data")
    url = url_of(process)
    assert process.stderr
    names = {"postgres", "valkey-server", "sleep"}
    programs = {pid: Path(f"/proc/{pid}/comm").read_text().strip() for pid in descendants(process.pid)}
    servers = [pid for pid, name in programs.items() if name in names and is_leader(pid)]
    assert len(servers) == 3
    for pid in servers:
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        alive = {pid for pid in descendants(process.pid) if is_process(pid) and pid not in servers}
        found = [Path(f"/proc/{pid}/comm").read_text().strip() for pid in alive if is_leader(pid)]
        if names <= set(found):
            break
        time.sleep(0.1)
    else:
        raise AssertionError(f"not all of {names} came back: {found}")
    assert get(url) == b"ready"
    process.terminate()
    _, complaints = process.communicate(timeout=30)
    for words in ("PostgreSQL on", "Valkey on", "worker has ended (signal 9)"):
        assert words in complaints


def is_leader(pid: int) -> bool:
    """Whether `pid` is a direct child of a keeper: backends of PostgreSQL are not."""
    try:
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        return b"keeper.py" in Path(f"/proc/{parent}/cmdline").read_bytes()
    except OSError:
        return False


def test_the_first_start_alone_shows_a_token(tmp_path: Path, up: StartUp) -> None:
    def start() -> list[str]:
        process = up(tmp_path / "data")
        assert process.stdout
        first = process.stdout.readline()
        if "serves on" not in first:
            url_of(process)
        process.terminate()
        process.communicate()
        return first.split()

    assert start()[:2] == ["Administrator", "made."]
    assert start()[:2] == ["craton-inv", "serves"]


def test_the_real_service_answers_with_its_token(tmp_path: Path, up: StartUp) -> None:
    process = up(tmp_path / "data", "real")
    assert process.stdout
    token = process.stdout.readline().split()[-1]
    url = url_of(process)
    assert json.loads(get(f"{url}/health/ready"))["status"] == "ok"
    asked = urllib.request.Request(f"{url}/v2/organizations/", headers={"Authorization": f"Bearer {token}"})
    assert {"count", "results"} <= json.loads(get(asked)).keys()
    with pytest.raises(urllib.error.HTTPError, match="401") as refusal:
        get(f"{url}/v2/organizations/")
    refusal.value.close()
    process.terminate()
    _, complaints = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in complaints
