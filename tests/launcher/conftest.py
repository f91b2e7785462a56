"""A checkout of its own, with a uv that only writes down what it is asked."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-aws.lock", "requirements-openstack.lock"]
MAIN = 'import sys, craton_inv\nprint("ran", *sys.argv[1:])\nprint("from", craton_inv.__file__)\n'
# A virtual environment costs nothing here: its python is ours.
UV = """#!/bin/sh
echo "uv $*" >>"$UV_LOG"
env | grep -E '^(UV_|SSL_)' | sort >"$UV_LOG.env"
case $1 in
venv)
    for target; do :; done
    exec {python} -m venv --without-pip "$target" ;;
pip)
    sleep "${{UV_SLEEP:-0}}"
    exit "${{UV_STATUS:-0}}" ;;
esac
"""


@dataclass
class Checkout:
    """A directory with the launcher, lock files and a craton_inv that says how it was called."""

    path: Path
    tools: Path
    log: Path

    @property
    def env(self) -> dict[str, str]:
        home = self.tools.parent / "home"
        return {"PATH": f"{self.tools}:/usr/bin:/bin", "HOME": str(home), "UV_LOG": str(self.log), "LC_ALL": "C"}

    def command(self, *arguments: str) -> list[str]:
        return [str(self.path / "craton"), *arguments]

    def run(self, *arguments: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        """The launcher, run to its end in an environment that holds nothing of ours."""
        return subprocess.run(
            self.command(*arguments), env={**self.env, **env}, cwd=cwd, capture_output=True, text=True, timeout=600
        )

    def asked(self) -> list[str]:
        """What uv was asked, a line a call."""
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """With a space in its path, a python3 and a pretended uv on PATH."""
    path, tools = tmp_path / "a checkout", tmp_path / "tools"
    (path / "src" / "craton_inv").mkdir(parents=True)
    (path / "src" / "craton_inv" / "__init__.py").write_text('"""Stands in for the package."""\n')
    (path / "src" / "craton_inv" / "__main__.py").write_text(MAIN)
    for name in ("craton", "pyproject.toml", *LOCKS):
        shutil.copy2(REPOSITORY / name, path / name)
    tools.mkdir()
    (tmp_path / "home").mkdir()
    python = Path(os.path.realpath(sys.executable))
    (tools / "python3").symlink_to(python)
    (tools / "uv").write_text(UV.format(python=python))
    (tools / "uv").chmod(0o755)
    return Checkout(path, tools, tmp_path / "uv.log")


@pytest.fixture
def tool(checkout: Checkout) -> Callable[[str, str], Path]:
    """Put a shell script of some name on the launcher's PATH, in place of what is there."""

    def put(name: str, script: str) -> Path:
        path = checkout.tools / name
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return put
