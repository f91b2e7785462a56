"""docs/writing-a-provider.md, followed to the letter: every block is run, and prints what the page says."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "writing-a-provider.md"
BLOCK = re.compile(r"(?:^`(?P<file>[^`\n]+)`:\n\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
# ./craton installs packages first; here they are there. `test` runs pytest alone: another test has the other checks.
LAUNCHER = """#!/bin/sh
export PYTHONPATH={root}/src
if [ "$1" = test ]; then
    shift
    unset CRATON_INV_DATA_DIR CRATON_INV_HTTP_OUT_ALLOW
    exec {python} -P -m pytest -q -n0 "$@"
fi
exec {python} -P -m craton_inv "$@"
"""


@dataclass(frozen=True)
class Block:
    """A block of the page. `file`: what it is, or changes; a diff without one changes the file of the one before."""

    file: str
    language: str
    text: str


def blocks() -> list[Block]:
    """The blocks in their order."""
    return [Block(found["file"] or "", found["language"], found["text"]) for found in BLOCK.finditer(PAGE.read_text())]


def changed(text: str, diff: str) -> str:
    """`text` with what the diff's lines say; its place has to be found, and found once."""
    lines = [line or " " for line in diff.splitlines()]
    before = "".join(f"{line[1:]}\n" for line in lines if line[0] in " -")
    after = "".join(f"{line[1:]}\n" for line in lines if line[0] in " +")
    assert text.count(before) == 1, f"{text.count(before)} places look like this:\n{before}"
    return text.replace(before, after)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Shell:
    """One shell for all blocks, as the page asks for; the output of each can be told apart."""

    def __init__(self, folder: Path) -> None:
        env = {name: value for name, value in os.environ.items() if not name.startswith("CRATON_INV_")}
        self.process = subprocess.Popen(
            ["bash", "-e"], cwd=folder, env=env, text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, text: str) -> str:
        """What the block prints. Fails when one of its commands does."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{text}\necho '-- done --'\n")
        self.process.stdin.flush()
        printed: list[str] = []
        for line in self.process.stdout:
            if line == "-- done --\n":
                return "".join(printed)
            printed.append(line)
        raise AssertionError(f"The block failed:\n{text}\n{''.join(printed)}")

    def close(self) -> None:
        """End the shell and all that it started."""
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.communicate(timeout=60)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout whose launcher installs nothing."""
    for name in ("src", "tests", "migrations", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "alembic.ini"):
        shutil.copy(ROOT / name, tmp_path / name)
    launcher = tmp_path / "craton"
    launcher.write_text(LAUNCHER.format(root=tmp_path, python=sys.executable))
    launcher.chmod(0o755)
    return tmp_path


@pytest.fixture
def shell(checkout: Path) -> Iterator[Shell]:
    """A shell in the copy."""
    shell = Shell(checkout)
    yield shell
    shell.close()


@pytest.mark.full
def test_the_page_does_what_it_says(checkout: Path, shell: Shell) -> None:
    ports = {"8000": str(free_port()), "9100": str(free_port())}
    file, printed = "", ""
    for block in blocks():
        text = re.sub("8000|9100", lambda found: ports[found[0]], block.text)
        file = block.file or file
        if block.language in ("json", "python"):
            (checkout / file).write_text(text)
        elif block.language == "diff":
            (checkout / file).write_text(changed((checkout / file).read_text(), text))
        elif block.language == "sh":
            printed = shell.run(text)
        elif block.language == "text":
            assert [line for line in text.splitlines() if line not in printed.splitlines()] == [], printed


def test_every_diff_of_the_page_fits_the_template() -> None:
    folder = ROOT / "src" / "craton_inv" / "cli" / "provider_template"
    texts: dict[str, str] = {}
    file = ""
    for block in blocks():
        if block.language == "diff":
            file = block.file or file
            name = Path(file).name.replace("__init__", "init")
            texts[name] = changed(texts.get(name) or (folder / f"{name}.txt").read_text(), block.text)
    assert texts.keys() == {"init.py", "collector.py", "parser.py"}
