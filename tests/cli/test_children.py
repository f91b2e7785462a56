"""Children are started again when they die, and all end with their parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from craton_inv.cli import children as module
from craton_inv.cli.children import Child, Children
from tests.embedded.conftest import ends

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"]

PARENT = """
import sys, time
from craton_inv.cli.children import Child
child = Child("child", ["/bin/sh", "-c", "sleep 61 & echo $!; wait"], {})
child.start()
time.sleep(60)
"""


@pytest.fixture
def family() -> Iterator[Callable[..., Children]]:
    """Make children that end with the test."""
    made: list[Children] = []

    def make(*members: Child) -> Children:
        made.append(Children(members))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def until(holds: Callable[[], object], patience: float = 10.0) -> bool:
    deadline = time.monotonic() + patience
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_killed_child_is_started_again(family: Callable[..., Children], caplog: pytest.LogCaptureFixture) -> None:
    child = Child("sleeper", SLEEPER, {})
    both = family(child, Child("other", SLEEPER, {}))
    both.start()
    first, other = child.pid, both.children[1].pid
    assert first
    os.kill(first, signal.SIGKILL)

    def again() -> bool:
        both.tend()
        return child.pid not in (first, None)

    assert until(again)
    assert both.children[1].pid == other
    assert "sleeper has ended (signal 9) and is started again in 0.5 s" in caplog.text


def test_a_child_that_keeps_dying_is_started_ever_more_slowly(
    family: Callable[..., Children], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.1)
    monkeypatch.setattr(module, "LONGEST_PAUSE_S", 0.3)
    child = Child("failing", ["/bin/sh", "-c", "exit 4"], {})
    one = family(child)
    one.start()

    def died_four_times() -> bool:
        one.tend()
        return child.deaths >= 4

    assert until(died_four_times)
    pauses = [record.args[2] for record in caplog.records if isinstance(record.args, tuple)]
    assert pauses[:4] == [0.1, 0.2, 0.3, 0.3]
    assert "exit status 4" in caplog.text


def test_a_child_that_ignores_sigterm_is_killed(
    family: Callable[..., Children], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.3)
    (tmp_path / "log").mkdir()
    child = Child("stubborn", STUBBORN, {"PYTHONUNBUFFERED": "1"}, tmp_path)
    one = family(child)
    one.start()
    pid = child.pid
    assert pid
    assert until(lambda: (tmp_path / "log" / "stubborn.log").read_text() == "up\n")
    begun = time.monotonic()
    one.stop()
    assert time.monotonic() - begun < 3
    assert ends(pid, 1)


def test_children_are_asked_to_end_at_the_same_time(
    family: Callable[..., Children], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "GRACE_S", 1.0)
    (tmp_path / "log").mkdir()
    names = ["one", "two", "three"]
    all_three = family(*(Child(name, STUBBORN, {"PYTHONUNBUFFERED": "1"}, tmp_path) for name in names))
    all_three.start()
    assert until(lambda: all((tmp_path / "log" / f"{name}.log").read_text() == "up\n" for name in names))
    begun = time.monotonic()
    all_three.stop()
    assert time.monotonic() - begun < 2.5


def test_a_child_and_its_own_children_end_with_a_killed_parent() -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, env=env) as parent:
        assert parent.stdout
        grandchild = int(parent.stdout.readline())
        parent.kill()
        assert ends(grandchild, 5)


def test_a_program_that_cannot_be_run_is_said(family: Callable[..., Children], tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    child = Child("missing", ["/no/such/program"], {}, tmp_path)
    one = family(child)
    one.start()
    assert until(lambda: child.pid is None)
    assert (tmp_path / "log" / "missing.log").read_text() == "cannot run /no/such/program: No such file or directory\n"
