"""S36 for every kind that runs code of a source: nothing of the service in reach of script, template or plugin."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from craton_inv.errors import UpdateFailed
from craton_inv.providers.base import ProjectFiles, SourceDefinition
from craton_inv.settings import Settings
from tests.providers.landlock import needs_landlock
from tests.providers.running import Run, inputs_of, refresh
from tests.refresh.world import World

HIDDEN = "hidden-value-of-the-service"
KINDS = ("script", "project", "plugin", "constructed")
TEMPLATE = "{{ lookup('pipe', '%s') | regex_replace('[^A-Za-z0-9_=./ -]', '+') }}"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A service with a secret in its environment and one in its data folder."""
    monkeypatch.setenv("CRATON_INV_SECRET_FOR_TEST", HIDDEN)
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "secret.key").write_text(HIDDEN)
    (tmp_path / "tree").mkdir()
    changed = {"allow_executable_inventories": True, "file_roots": str(tmp_path / "tree")}
    return settings.model_copy(update=changed)


async def told_by(world: World, settings: Settings, folder: Path, kind: str, command: str) -> str:
    """All that a source of the kind could make of a shell command's output: rows, lines and the reason of a failure."""
    script = folder / "run.sh"
    answer = '{"_meta": {"hostvars": {"h": {"leak": "%s"}}}, "web": {"hosts": ["h"]}}'
    told = f"$({command} 2>&1 | tr -c 'A-Za-z0-9_=./ -' '+')"
    script.write_text(f"#!/bin/sh\nprintf '{answer}' \"{told}\"\n")
    script.chmod(0o700)
    definition = SourceDefinition(0, 0, 0, {"script": "file", "project": "scm", "plugin": "ansible"}.get(kind, kind))
    if kind in ("script", "project"):
        path = str(script) if kind == "script" else script.name
        definition = replace(definition, source_path=path, source_project_id=1)
    elif kind == "plugin":
        hosts = {"name": "h", "parents": [{"name": "web", "vars": {"leak": TEMPLATE % command}}]}
        options = {"plugin": "ansible.builtin.generator", "layers": {"x": ["1"]}, "hosts": hosts}
        definition = replace(definition, source_vars=json.dumps(options))
    else:
        options = {"strict": True, "compose": {"leak": TEMPLATE.strip("{} ") % command}}
        definition = replace(definition, source_vars=json.dumps(options))

    async def project() -> ProjectFiles:
        return ProjectFiles(folder)

    run = Run()
    try:
        run = await refresh(
            world, settings, definition, inputs=inputs_of({"web": {"hosts": ["h"]}}), around={"project": project}
        )
    except UpdateFailed as failure:
        run.said.append(failure.message)
    return f"{run.text}\n{await world.hosts()}\n{await world.groups()}"


Reach = Callable[[Path], str]
REACHES: dict[str, Reach] = {
    "environment": lambda data: "env",
    "own process": lambda data: "cat /proc/self/environ",
    "parent": lambda data: "cat /proc/$PPID/environ",
    "the service": lambda data: f"cat /proc/{os.getpid()}/environ",
    "a file of the service": lambda data: f"cat {data}/secret.key",
    "the folder of the service": lambda data: f"cat {data}/../data/*",
}


def reaches() -> list[Any]:
    """Each; one of them in the quick tests. Files are out of reach where the kernel can confine."""
    marks = {name: [] if name == "the service" else [pytest.mark.full] for name in REACHES}
    for name in ("a file of the service", "the folder of the service"):
        marks[name].append(needs_landlock)
    return [pytest.param(name, marks=marks[name]) for name in REACHES]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reach", reaches())
async def test_s36_nothing_of_the_service_is_in_reach(
    world: World, settings: Settings, tmp_path: Path, kind: str, reach: str
) -> None:
    command = REACHES[reach](tmp_path / "data")
    assert HIDDEN not in await told_by(world, settings, tmp_path / "tree", kind, command)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_command_of_these_tests_runs(world: World, settings: Settings, tmp_path: Path, kind: str) -> None:
    assert "it-ran" in await told_by(world, settings, tmp_path / "tree", kind, "echo it-ran")
