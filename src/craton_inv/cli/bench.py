"""`craton-inv bench`: the benchmarks of a checkout by name, each with a PostgreSQL of its own that is thrown away."""

import ast
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from craton_inv.errors import SetupError

FOLDER = Path(__file__).parents[3] / "benchmarks"
SHARED = ("__init__", "common", "filter_cases", "filter_world")
# What a run of all takes, where one alone takes the size that its claim is about and many minutes.
AMONG_ALL = {"filters": ["--hosts", "10000"]}


def bench(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="One of them, and its own arguments; else all.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="Say which there are.")] = False,
) -> None:
    """Measure what the service promises; exit status 1 when a goal is missed."""
    known = benchmarks()
    console = Console()
    if list_only:
        console.print(_table(("benchmark", "measures"), list(known.items())))
        return
    if name is not None and name not in known:
        raise typer.BadParameter(f"there is no benchmark {name!r}; known: {', '.join(known)}", param_hint="'NAME'")
    rows = []
    for wanted in [name] if name else known:
        console.rule(wanted)
        begin = time.monotonic()
        status = run(wanted, context.args if name else AMONG_ALL.get(wanted, []))
        rows.append(
            (wanted, "met" if status == 0 else f"MISSED (status {status})", f"{time.monotonic() - begin:.0f} s")
        )
    console.print(_table(("benchmark", "goals", "took"), rows))
    if any(row[1] != "met" for row in rows):
        raise typer.Exit(1)


def benchmarks() -> dict[str, str]:
    """Name and purpose of each. Raises SetupError outside a checkout: an installed package has none."""
    files = [path for path in sorted(FOLDER.glob("*.py")) if path.stem not in SHARED]
    if not files:
        raise SetupError(
            f"There are no benchmarks in {FOLDER}: they are part of the source checkout, run ./craton bench."
        )
    return {path.stem: _purpose(path) for path in files}


def run(name: str, arguments: list[str]) -> int:
    """Run one in a process of its own, which prints its figures; its exit status."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("CRATON_INV_")}
    env = {**kept, "PYTHONPATH": os.pathsep.join([str(FOLDER.parent), str(FOLDER.parent / "src")])}
    command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    return subprocess.run(command, cwd=FOLDER.parent, env=env, check=False).returncode


def _purpose(path: Path) -> str:
    words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return words.partition("\n")[0]


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(*head)
    for row in rows:
        table.add_row(*row)
    return table
