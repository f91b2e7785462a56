"""The lock files: hashes for every pin, no host, and the same packages as pyproject names."""

import re
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock"]
PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)", re.MULTILINE)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: str) -> dict[str, str]:
    """Versions by name; a package pinned differently for different machines keeps its first."""
    found: dict[str, str] = {}
    for name, version in PIN.findall((REPOSITORY / lock).read_text()):
        found.setdefault(canonical(name), version)
    return found


def required(*groups: str) -> set[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    wanted = project["dependency-groups"]["dev"] if "dev" in groups else project["project"]["dependencies"]
    return {canonical(re.split(r"[\[<>=!~; ]", text, maxsplit=1)[0]) for text in wanted}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_no_place(lock: str) -> None:
    text = (REPOSITORY / lock).read_text()
    for word in ("://", "--index", "--extra-index", "--find-links", "--trusted-host", " @ ", "file:", "\n#", "\n-"):
        assert word not in text, word


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (REPOSITORY / lock).read_text().strip())
    assert len(entries) > 20
    for entry in entries:
        assert PIN.match(entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize(("lock", "group"), [("requirements.lock", "runtime"), ("requirements-dev.lock", "dev")])
def test_a_lock_has_every_package_the_project_names(lock: str, group: str) -> None:
    assert required(group) <= pins(lock).keys()


def test_both_locks_agree() -> None:
    runtime, dev = pins("requirements.lock"), pins("requirements-dev.lock")
    shared = runtime.keys() & dev.keys()
    assert shared
    assert {name: runtime[name] for name in shared} == {name: dev[name] for name in shared}
