"""What the full tests need beyond Python wheels: looked for, installed if possible, else listed with the reason."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path

APT_PATIENCE_S = 600


@dataclass(frozen=True)
class Need:
    """A program tests may ask for by the environment variable that holds its path.

    `programs`: names it goes by, or patterns of paths, full ones or below the checkout. `packages`: what Debian and
    Ubuntu call it; none, and it is left to whoever owns the machine to install it, `by` the command that does if there
    is one.
    """

    name: str
    variable: str
    programs: tuple[str, ...]
    packages: tuple[str, ...]
    by: str = ""


@dataclass(frozen=True)
class Found:
    """How a need was met: `path` of the program, or None with the reason; `tests` that use it."""

    need: Need
    path: str | None
    reason: str
    tests: tuple[str, ...]


NEEDS = (
    Need("Node", "CRATON_INV_TEST_NODE", ("node", "nodejs"), ("nodejs", "npm")),
    Need("Java", "CRATON_INV_TEST_JAVA", ("java",), ("default-jre-headless",)),
    # Not installed by us: its package would make and start a server of its own.
    Need("PostgreSQL", "CRATON_INV_TEST_OLDER_POSTGRES", ("/usr/lib/postgresql/1[0-7]/bin/initdb",), ()),
    # Some 250 MB: for those who ask for it.
    Need(
        "Ironic",
        "CRATON_INV_TEST_OPENSTACK",
        (".venv-openstack/bin/ironic",),
        (),
        "tests/providers/real_openstack/install",
    ),
    Need("Chromium", "CRATON_INV_TEST_CHROMIUM", ("chromium", "chromium-browser", "google-chrome"), ("chromium",)),
)


def provide(root: Path, needs: Sequence[Need] = NEEDS) -> list[Found]:
    """Look for each need, and install what is missing and used by a test below `root/tests`."""
    return [_provide(need, tests_that_use(need, root), root) for need in needs]


def tests_that_use(need: Need, root: Path) -> tuple[str, ...]:
    """Test files that name the need's variable."""
    files = sorted((root / "tests").rglob("test_*.py"))
    return tuple(str(path.relative_to(root)) for path in files if f'"{need.variable}"' in path.read_text())


def environment(found: Sequence[Found]) -> dict[str, str]:
    """The variables that tell the tests where the programs are."""
    return {one.need.variable: one.path for one in found if one.path}


def report(found: Sequence[Found]) -> list[str]:
    """A line for each need, in plain words."""
    lines = []
    for one in found:
        state = one.path or f"cannot be had: {one.reason}"
        users = f"used by {', '.join(one.tests)}" if one.tests else "no test uses it"
        lines.append(f"{one.need.name:<10} {state} ({users})")
    return lines


def _provide(need: Need, tests: tuple[str, ...], root: Path) -> Found:
    path = os.environ.get(need.variable) or _program(need, root)
    if path:
        return Found(need, path, "", tests)
    if not tests:
        return Found(need, None, "not installed, and not needed", tests)
    if need.by:
        return Found(need, None, f"opt-in, {need.by} installs it", tests)
    if not need.packages:
        return Found(need, None, f"not installed, and not ours to install (looked for {need.programs[0]})", tests)
    reason = _install(need.packages)
    return Found(need, _program(need, root), reason or "installed, but its program is not on PATH", tests)


def _program(need: Need, root: Path) -> str | None:
    for name in need.programs:
        found = next(iter(sorted(glob(str(root / name)))), None) if "/" in name else shutil.which(name)
        if found:
            return found
    return None


def _install(packages: Sequence[str]) -> str:
    """Install by apt-get; the reason why not, "" when done."""
    if not shutil.which("apt-get"):
        return "this machine has no apt-get"
    if os.geteuid() != 0:
        return f"not root; as root: apt-get install {' '.join(packages)}"
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", *packages]):
        try:
            done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=APT_PATIENCE_S, check=False)
        except subprocess.TimeoutExpired:
            return f"{' '.join(command)} did not end within {APT_PATIENCE_S} s"
        if done.returncode != 0:
            words = (done.stderr or done.stdout).strip().splitlines()
            return f"{' '.join(command)} failed: {words[-1] if words else 'it said nothing'}"
    return ""
