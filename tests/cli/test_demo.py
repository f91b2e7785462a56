"""The demonstration, as a newcomer runs it: one data directory, twice."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

# On one worker: the demonstration is run once for all of them.
pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


DEMO = [sys.executable, "-P", "-m", "craton_inv", "demo", "--once", "--port", "0", "--data-dir"]


def environment() -> dict[str, str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("CRATON_INV_")}
    return {**env, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def run_demo(data_dir: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [*DEMO, str(data_dir), *options]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=180, check=False)


def command_line(process: Path) -> str:
    """Of a process; empty when it has just ended."""
    try:
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def section(text: str, title: str) -> list[str]:
    """The lines below a title, up to the next empty line."""
    return text.split(title, 1)[1].split("\n\n", 1)[0].splitlines()[1:]


@pytest.fixture(scope="module")
def first(data_dir: Path) -> "subprocess.CompletedProcess[str]":
    return run_demo(data_dir)


def test_it_ends_well(first: "subprocess.CompletedProcess[str]") -> None:
    assert (first.returncode, first.stderr) == (0, "")


def test_each_of_the_three_searches_finds_its_hosts(first: "subprocess.CompletedProcess[str]") -> None:
    facts, groups, mixed = section(first.stdout, "Three searches")[1::2]
    assert facts.split() == ["1", "host:", "localhost"]
    assert groups.split()[0] == "4"
    assert mixed.split(": ")[1] == "logs.example.org, metrics.example.org, web3.east.example.org"


def test_ansible_sees_the_nested_groups(first: "subprocess.CompletedProcess[str]") -> None:
    graph = section(first.stdout, "What Ansible sees")
    assert "  |--@web:" in graph
    assert graph[graph.index("  |--@web:") + 1] == "  |  |--@east_web:"


def test_it_says_how_to_go_on(first: "subprocess.CompletedProcess[str]") -> None:
    words = "\n".join(section(first.stdout, "Go on from here"))
    for needed in ("URL", "Token", "civ_", "Documentation", "ansible-inventory -i", "./craton up"):
        assert needed in words


def test_a_second_run_makes_nothing_twice(data_dir: Path, first: "subprocess.CompletedProcess[str]") -> None:
    again = run_demo(data_dir)
    assert again.returncode == 0
    assert section(again.stdout, "Three searches") == section(first.stdout, "Three searches")
    assert section(again.stdout, "What Ansible sees") == section(first.stdout, "What Ansible sees")


def test_one_that_is_interrupted_does_not_claim_success(tmp_path: Path) -> None:
    with subprocess.Popen([*DEMO, str(tmp_path)], env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("Making a tenant" in line for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        assert "craton-inv has stopped." in process.stdout.read()
    assert process.returncode == 130


def test_nothing_runs_on_afterwards(data_dir: Path, first: "subprocess.CompletedProcess[str]") -> None:
    running = [one for one in map(command_line, Path("/proc").glob("[0-9]*")) if str(data_dir) in one]
    assert running == []
