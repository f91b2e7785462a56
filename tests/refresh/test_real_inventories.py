"""Real inventories refresh to exactly what ansible-inventory gives for them, and a second refresh writes nothing.

Besides the shipped examples, every folder below CRATON_INV_TEST_INVENTORIES is read.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from craton_inv.providers.base import SourceDefinition
from craton_inv.settings import Settings, examples_dir
from tests.providers.running import refresh
from tests.refresh.world import World, written


def inventories() -> list[Path]:
    """Folders that hold an inventory each."""
    named = os.environ.get("CRATON_INV_TEST_INVENTORIES")
    roots = [examples_dir() / "inventories", *([Path(named)] if named else [])]
    return sorted(folder for root in roots for folder in root.iterdir() if folder.is_dir())


def ansible_says(path: Path, home: Path) -> dict[str, Any]:
    """The document of ansible-inventory, called by hand."""
    command = [str(Path(sys.executable).parent / "ansible-inventory"), "--list", "--export", "-i", str(path)]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}
    ended = subprocess.run(command, env=environment, cwd=home, capture_output=True, check=True)
    document: dict[str, Any] = json.loads(ended.stdout)
    return document


@pytest.mark.parametrize("folder", inventories(), ids=lambda folder: folder.name)
async def test_an_inventory_is_stored_as_ansible_reads_it(folder: Path, world: World, tmp_path: Path) -> None:
    expected = ansible_says(folder, tmp_path)
    settings = Settings(data_dir=tmp_path, file_roots=str(folder.parent))
    definition = SourceDefinition(0, 0, 0, "file", source_path=str(folder), verbosity=0)
    await refresh(world, settings, definition)

    groups = {name: group for name, group in expected.items() if name not in ("_meta", "all", "ungrouped")}
    children = {(name, child) for name, group in groups.items() for child in group.get("children", [])}
    hosts = {host for group in expected.values() for host in group.get("hosts", [])}
    hostvars = expected["_meta"]["hostvars"]
    assert await world.hosts() == {name: hostvars.get(name, {}) for name in hosts | set(hostvars)}
    assert await world.groups() == {
        name: groups.get(name, {}).get("vars", {})
        for name in {*groups, *(child for _, child in children), *expected["all"]["children"]} - {"ungrouped"}
    }
    assert await world.edges() == children
    assert await world.memberships() == {(name, h) for name, group in groups.items() for h in group.get("hosts", [])}
    assert (await world.inventory()).variables == expected["all"].get("vars", {})

    before = await world.row_versions()
    assert written(await world.refresh(expected, source="file")) == 0
    assert await world.row_versions() == before
