"""The lock files: hashes for every pin, no host, and the same packages as pyproject names."""

import re
import tomllib

import pytest

from tests.launcher.conftest import LOCKS, REPOSITORY

EXTRAS = ["aws", "openstack"]
EVERY_LOCK = [*LOCKS, "tests/providers/real_openstack/requirements.lock"]
PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)", re.MULTILINE)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: str) -> dict[str, str]:
    """Versions by name; a package pinned differently for different machines keeps its first."""
    found: dict[str, str] = {}
    for name, version in PIN.findall((REPOSITORY / lock).read_text()):
        found.setdefault(canonical(name), version)
    return found


def required(group: str) -> set[str]:
    """What pyproject asks for: `runtime`, `dev`, or an extra."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    groups = {**extras, "runtime": project["project"]["dependencies"], "dev": project["dependency-groups"]["dev"]}
    return {canonical(re.split(r"[\[<>=!~; ]", text, maxsplit=1)[0]) for text in groups[group]}


@pytest.mark.parametrize("lock", EVERY_LOCK)
def test_a_lock_names_no_host_and_no_place(lock: str) -> None:
    text = (REPOSITORY / lock).read_text()
    for word in ("://", "--index", "--extra-index", "--find-links", "--trusted-host", " @ ", "file:", "\n#", "\n-"):
        assert word not in text, word


@pytest.mark.parametrize("lock", EVERY_LOCK)
def test_every_pin_has_hashes(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (REPOSITORY / lock).read_text().strip())
    assert len(entries) > 20
    for entry in entries:
        assert PIN.match(entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("group", ["runtime", "dev", *EXTRAS])
def test_a_lock_has_every_package_the_project_names(group: str) -> None:
    lock = "requirements.lock" if group == "runtime" else f"requirements-{group}.lock"
    assert required(group) <= pins(lock).keys()


def test_every_extra_of_the_project_has_a_lock() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    assert sorted(project["project"]["optional-dependencies"]) == EXTRAS
    assert sorted(path.name for path in REPOSITORY.glob("requirements*.lock")) == sorted(LOCKS)


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_lock_of_an_extra_has_the_packages_of_the_service(extra: str) -> None:
    assert pins("requirements.lock").keys() <= pins(f"requirements-{extra}.lock").keys()


def test_all_locks_agree() -> None:
    known = pins("requirements-dev.lock")
    for lock in LOCKS:
        found = pins(lock)
        shared = found.keys() & known.keys()
        assert len(shared) > 20
        assert {name: found[name] for name in shared} == {name: known[name] for name in shared}, lock
