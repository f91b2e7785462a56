"""`craton-inv provider`: what is listed, what a new one consists of, and what is refused."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from craton_inv.cli import providers as command
from craton_inv.cli.new_provider import LONGEST
from craton_inv.errors import SetupError
from craton_inv.providers import registry

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "tests", "migrations", "examples")
FILES = ("pyproject.toml", "alembic.ini")


def call(*arguments: str) -> str:
    """What the command prints, in this process. Raises SetupError as it does."""
    done = CliRunner().invoke(command.app, arguments)
    if isinstance(done.exception, SetupError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def checkout_at(root: Path) -> Path:
    """A copy of this checkout."""
    for name in FOLDERS:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, root / name)
    return root


def files_of(root: Path) -> set[str]:
    """The files below `root`, what Python makes of them apart."""
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {str(path) for path in found if "__pycache__" not in path.parts}


def program(root: Path, *arguments: str, path: str = "src") -> str:
    """What a module of Python's prints, run in `root`; it has to succeed. `path`: where it finds packages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CRATON_INV_")}
    done = subprocess.run(
        [sys.executable, "-P", "-m", *arguments],
        cwd=root, env={**kept, "PYTHONPATH": path}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_kind_whose_packages_are_missing_is_told_with_the_way_to_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command.list_kinds()
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("craton_inv.providers.extras.find_spec", lambda name: None if name == "aiobotocore" else name)
    command.list_kinds()
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("ec2 lacks the package aiobotocore.")
    assert "CRATON_INV_EXTRAS=aws ./craton up" in line


def test_every_kind_is_listed_with_its_origin() -> None:
    lines = [line.split(maxsplit=2) for line in call("list").splitlines()[1:]]
    assert [kind for kind, _, _ in lines] == registry.kinds()
    assert ["example", "yes", "craton_inv.providers.example"] in lines
    assert ["file", "no", "craton_inv.providers.file"] in lines


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Acme", "'Acme' cannot be the name of a provider: it has at most 24 lower-case letters"),
        ("my-cloud", "cannot be the name"),
        ("1cloud", "cannot be the name"),
        ("a__b", "cannot be the name"),
        ("../evil", "cannot be the name"),
        ("acme\n", "cannot be the name"),
        ("", "cannot be the name"),
        ("a" * (LONGEST + 1), "cannot be the name"),
        ("class", "'class' is a word of Python"),
        ("example", "There is a provider 'example' already"),
        ("aws_ec2", "There is a provider 'aws_ec2' already"),
        ("credentials", "is the name of a part of the providers' package"),
        ("registry", "is the name of a part of the providers' package"),
    ],
)
def test_a_name_that_is_bad_or_taken_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(SetupError, match=reason):
        call("new", "--into", str(tmp_path), "--", name)
    assert [*tmp_path.iterdir()] == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("mine")
    with pytest.raises(SetupError, match=r"pyproject\.toml is there already; nothing was written"):
        call("new", "acme", "--into", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="cannot be written"):
        call("new", "acme", "--into", str(tmp_path / "file"))


@pytest.mark.parametrize("name", ["ab", "acme", "my_cloud_2", "a" * LONGEST, "a_" * (LONGEST // 2 - 1) + "zz"])
def test_what_is_written_is_clean_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    written = call("new", name, "--into", str(tmp_path / "tests"))  # below tests/: asserts are fine there
    assert f"src/craton_inv_{name}/collector.py" in written
    rules = ("--config", str(ROOT / "pyproject.toml"), "--no-cache")
    program(tmp_path, "ruff", "check", *rules, ".")
    program(tmp_path, "ruff", "format", "--check", *rules, ".")
    marks = re.compile("@(kind|Class|dashed)@")
    assert not [path for path in tmp_path.rglob("*.*") if path.is_file() and marks.search(path.read_text())]


@pytest.mark.full
def test_a_new_provider_passes_every_check_at_once(tmp_path: Path) -> None:
    root = checkout_at(tmp_path)
    before = files_of(root)
    told = program(root, "craton_inv", "provider", "new", "acme")
    assert {line.strip() for line in told.splitlines() if line.startswith("  ")} == files_of(root) - before
    program(root, "mypy", "src/craton_inv/providers/acme")
    found = program(root, "pytest", "tests/providers", "-k", "acme", "-n0", "-q")
    assert "skipped" not in found
    assert "acme" in program(root, "craton_inv", "provider", "list")


@pytest.mark.full
def test_a_provider_of_its_own_is_found_once_installed(tmp_path: Path) -> None:
    call("new", "my_cloud", "--into", str(tmp_path))
    program(tmp_path, "hatchling", "build", "-t", "wheel")
    [wheel] = (tmp_path / "dist").glob("*.whl")
    site = tmp_path / "site"
    shutil.unpack_archive(wheel, site, "zip")
    path = os.pathsep.join([str(ROOT / "src"), str(site)])
    listed = program(tmp_path, "craton_inv", "provider", "list", path=path)
    assert "craton_inv_my_cloud (craton-inv-my-cloud 0.1.0)" in listed
    program(tmp_path, "pytest", "tests", "-q", path=path)
