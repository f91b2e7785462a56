"""`craton-inv test`: every check of the project, one after the other, and a table of how they ended."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from craton_inv.cli import needs
from craton_inv.errors import SetupError

# More pytest workers than this only wait for the one database server.
MOST_WORKERS = 4
# What a user has set for a service must not reach its tests: they would work on the service's database.
KEPT_VARIABLES = ("CRATON_INV_TEST_", "CRATON_INV_PG_BIN")
NO_TESTS_SELECTED = 5


@dataclass(frozen=True)
class Check:
    """A command whose exit status says whether it passed. `fine`: further statuses that are no failure."""

    name: str
    command: Sequence[str]
    fine: tuple[int, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How a check ended."""

    name: str
    status: int
    passed: bool
    seconds: float


def command(
    context: typer.Context,
    full: Annotated[
        bool, typer.Option("--full", help="Instead the tests that take minutes or need more than wheels.")
    ] = False,
) -> None:
    """Run ruff, mypy, import-linter and pytest; further arguments go to pytest.

    With --full, what the tests use beyond Python wheels is looked for, or installed, and listed: PostgreSQL, Node,
    Java, Chromium; and Keystone with Ironic, where tests/providers/real_openstack/install was run.
    """
    try:
        root = checkout()
    except SetupError as error:
        print(error.message, file=sys.stderr)
        raise SystemExit(1) from None
    raise SystemExit(run_all(root, full=full, arguments=context.args))


def checkout() -> Path:
    """The checkout this package runs from. Raises SetupError when it is an installed one, without tests."""
    root = Path(__file__).parents[3]
    if not (root / "tests").is_dir() or not (root / "pyproject.toml").is_file():
        raise SetupError("The tests are part of a checkout, and this is an installed package: run ./craton test there.")
    return root


def checks(*, full: bool, arguments: Sequence[str]) -> list[Check]:
    """All checks in order, the quick ones first. `full`: the long tests in the place of the quick ones."""
    python = sys.executable
    pytest = [python, "-P", "-m", "pytest"]
    if not any(word.startswith(("-n", "--numprocesses")) for word in arguments):
        pytest += ["-n", str(workers()), "--dist", "loadgroup"]
    fine = (NO_TESTS_SELECTED,) if arguments else ()
    tests = Check("pytest, full", [*pytest, "-m", "full", *arguments], fine)
    return [
        Check("ruff check", [python, "-m", "ruff", "check", "."]),
        Check("ruff format", [python, "-m", "ruff", "format", "--check", "."]),
        Check("mypy --strict", [python, "-m", "mypy", "--strict"]),
        Check("import-linter", [str(Path(python).with_name("lint-imports"))]),
        tests if full else Check("pytest", [*pytest, *arguments], fine),
    ]


def workers() -> int:
    """Two pytest workers at least, so that tests prove they can run side by side."""
    return max(2, min(len(os.sched_getaffinity(0)), MOST_WORKERS))


def run_all(root: Path, *, full: bool, arguments: Sequence[str]) -> int:
    """Run every check, also after one that failed, and print the table. 0 when all passed, else 1."""
    env = environment(root)
    lines: list[str] = []
    if full:
        found = needs.provide(root)
        env |= needs.environment(found)
        lines = needs.report(found)
        _print("Beyond Python wheels", lines)
    outcomes = [run(check, root, env) for check in checks(full=full, arguments=arguments)]
    if full:
        _print("Beyond Python wheels", lines)
    _print("Checks", table(outcomes))
    return 0 if all(one.passed for one in outcomes) else 1


def run(check: Check, root: Path, env: Mapping[str, str]) -> Outcome:
    """Run one check with its output on ours."""
    print(
        f"\n== {check.name}: {' '.join(Path(word).name if word == sys.executable else word for word in check.command)}",
        flush=True,
    )
    begun = time.monotonic()
    try:
        status = subprocess.run(check.command, cwd=root, env=env, check=False).returncode
    except OSError as error:
        print(f"{check.command[0]} cannot be run: {error.strerror}", flush=True)
        status = 127
    return Outcome(check.name, status, status == 0 or status in check.fine, time.monotonic() - begun)


def environment(root: Path) -> dict[str, str]:
    """Ours, without what is set for a service, and with the package importable."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CRATON_INV_") or name.startswith(KEPT_VARIABLES)
    }
    paths = [str(root / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths)}


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """A line for each check: name, result, seconds."""
    lines = []
    for one in outcomes:
        result = "passed" if one.passed else f"FAILED (status {one.status})"
        lines.append(f"{one.name:<15} {result:<20} {one.seconds:7.1f} s")
    return lines


def _print(title: str, lines: Sequence[str]) -> None:
    print(f"\n{title}", *lines, sep="\n  ", flush=True)
