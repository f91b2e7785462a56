"""Dockerfile and compose.yaml: what production relies on, read from the files (no engine is needed)."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((REPOSITORY / "compose.yaml").read_text())


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and their arguments, in order."""
    text = "\n".join(line for line in (REPOSITORY / "Dockerfile").read_text().splitlines() if not line.startswith("#"))
    joined = text.replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]  # type: ignore[misc]


def last(name: str) -> str:
    return [value for instruction, value in instructions() if instruction == name][-1]


def test_the_image_does_not_run_as_root() -> None:
    assert int(last("USER")) > 0


def test_the_image_is_built_in_two_stages_from_hashed_wheels() -> None:
    assert len([value for name, value in instructions() if name == "FROM"]) == 2
    install = next(value for name, value in instructions() if name == "RUN" and "requirements.lock" in value)
    assert "--require-hashes" in install
    assert "--only-binary :all:" in install


def test_the_image_can_read_every_kind_of_source_unless_told_otherwise() -> None:
    asked = shlex.split(next(value for name, value in instructions() if name == "ARG").removeprefix("EXTRAS="))
    assert asked == ["aws openstack"]
    copied = next(value for name, value in instructions() if name == "COPY" and "requirements.lock" in value)
    assert {f"requirements-{extra}.lock" for extra in asked[0].split()} <= set(copied.split())


def test_the_api_keeps_idle_connections_longer_than_load_balancers() -> None:
    command = json.loads(last("CMD"))
    assert command[:3] == ["uvicorn", "craton_inv.app:create_app", "--factory"]
    assert command[command.index("--timeout-keep-alive") + 1] == "75"


def test_the_health_check_is_a_program_that_can_fail() -> None:
    check = last("HEALTHCHECK")
    python, dash_c, script = json.loads(check[check.index("CMD ") + 4 :])
    assert (python, dash_c) == ("python", "-c")
    assert "http://127.0.0.1:8000/health/live" in script
    with pytest.raises(OSError, match="refused"):
        exec(script.replace(":8000", ":1"))


def test_everything_the_image_copies_is_let_through_by_dockerignore() -> None:
    allowed = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for name, value in instructions():
        if name == "COPY" and "--from" not in value:
            *sources, _ = shlex.split(value)
            assert set(sources) <= allowed, value


def test_api_worker_and_migration_are_apart_and_share_one_image(compose: Any) -> None:
    services = compose["services"]
    assert set(services) == {"database", "queue", "migrate", "api", "worker"}
    assert {services[name]["image"] for name in ("migrate", "api", "worker")} == {"craton-inv"}
    assert "command" not in services["api"]
    assert services["worker"]["command"] == ["python", "-m", "craton_inv.worker"]


def test_nothing_serves_before_the_migration_is_done(compose: Any) -> None:
    for name in ("api", "worker"):
        needed = compose["services"][name]["depends_on"]
        assert needed["migrate"] == {"condition": "service_completed_successfully"}
        assert needed["queue"] == {"condition": "service_healthy"}
    assert compose["services"]["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}


def test_the_migration_makes_the_first_administrator(compose: Any) -> None:
    assert compose["services"]["migrate"]["command"] == ["craton-inv", "db", "upgrade", "--administrator"]


def test_data_lies_in_volumes(compose: Any) -> None:
    mounted = {volume.split(":")[0] for service in compose["services"].values() for volume in service["volumes"]}
    assert mounted == set(compose["volumes"])


def test_no_secret_stands_in_the_file(compose: Any) -> None:
    lines = (REPOSITORY / "compose.yaml").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    values = re.findall(r"(?:PASSWORD|KEY|TOKEN|AUTH|requirepass)\"?[:,] +\"?([^\s\"]+)", text)
    assert len(values) >= 5
    assert all(value.startswith("${") for value in values), values


def test_the_api_is_reached_from_this_machine_alone(compose: Any) -> None:
    assert compose["services"]["api"]["ports"] == ["127.0.0.1:8000:8000"]
    assert not any("ports" in compose["services"][name] for name in ("database", "queue"))
