"""Data directories as they occur, and owners of embedded servers that can be killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"

OWNER = """
import json, sys, time
from pathlib import Path
from craton_inv.embedded import EmbeddedPostgres, EmbeddedValkey
kind, data_dir = sys.argv[1:]
if kind == "postgres":
    server = EmbeddedPostgres(Path(data_dir), fsync=False)
else:
    server = EmbeddedValkey(Path(data_dir))
url = server.start()
how = server.run_as.how if kind == "postgres" else ""
print(json.dumps({"url": url, "pid": server.pid, "how": how}), flush=True)
time.sleep(120)
"""


class Owner:
    """Another Python process that owns an embedded server of `data_dir`."""

    def __init__(self, kind: str, data_dir: Path, prefix: tuple[str, ...] = ()) -> None:
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-c", OWNER, kind, str(data_dir)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
        )
        assert self.process.stdout
        assert self.process.stderr
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.stderr.read())
        said = json.loads(line)
        self.url, self.server_pid, self.how = said["url"], said["pid"], said["how"]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """End the owner and wait for its server, so that its directory can be removed."""
        self.process.terminate()
        self.process.wait()
        assert ends(self.server_pid)
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A data directory that every user may pass through to."""
    path = Path(tempfile.mkdtemp(prefix="craton-test-"))
    path.chmod(0o755)
    yield path / "data"
    shutil.rmtree(path)


@pytest.fixture
def private_dir() -> Iterator[Path]:
    """A data directory below a parent that only its owner may enter."""
    path = Path(tempfile.mkdtemp(prefix="craton-test-"))
    yield path / "data"
    shutil.rmtree(path)


@pytest.fixture(params=["open", "private"])
def data_dir(request: pytest.FixtureRequest) -> Path:
    """Both kinds; for an ordinary user they are alike, for root one means `nobody`, the other a namespace."""
    path: Path = request.getfixturevalue(f"{request.param}_dir")
    return path


@pytest.fixture
def owner() -> Iterator[Callable[..., Owner]]:
    """Start owners; those still alive are ended with the test."""
    owners: list[Owner] = []

    def start(kind: str, data_dir: Path, prefix: tuple[str, ...] = ()) -> Owner:
        owners.append(Owner(kind, data_dir, prefix))
        return owners[-1]

    yield start
    for one in owners:
        one.close()


def is_process(pid: int) -> bool:
    """Whether `pid` runs and is not only waiting to be reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def ends(pid: int, within: float = 15.0) -> bool:
    """Whether process `pid` ends within so many seconds."""
    deadline = time.monotonic() + within
    while is_process(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert ends(pid)
