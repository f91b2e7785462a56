"""Sources of kind `file` from worker to database: what each option does, and what becomes of odd inventories."""

import json
from pathlib import Path
from typing import Any

import pytest

from craton_inv.models import InventoryUpdate
from tests.jobs.updates import Updates
from tests.refresh.world import document

FILE = {"source": "file", "overwrite": True, "overwrite_vars": True, "verbosity": 0}
LONG = "h" * 300


async def run(
    updates: Updates, folder: Path, content: str | dict[str, Any], name: str = "hosts.yml", **values: Any
) -> InventoryUpdate:
    """Write an inventory and update the world from it."""
    (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return await updates.run(**{**FILE, "source_path": name, **values})


async def seed(updates: Updates, host: str) -> None:
    """What an earlier update of the source has left."""
    await updates.world.source(**FILE, source_path="hosts.yml")
    await updates.world.refresh(document([host]))


def hosts(**variables: dict[str, Any]) -> dict[str, Any]:
    """An inventory of these hosts."""
    return {"all": {"hosts": variables}}


async def test_enabled_var_and_value_say_which_hosts_are_enabled(updates: Updates, tmp_path: Path) -> None:
    inventory = hosts(up={"state": {"power": "ON"}}, down={"state": {"power": "off"}}, silent={})
    await run(updates, tmp_path, inventory, enabled_var="state.power", enabled_value="on")
    enabled = {name: (await updates.world.host(name)).enabled for name in ("up", "down", "silent")}
    assert enabled == {"up": True, "down": False, "silent": True}


async def test_host_filter_is_matched_from_the_start_of_names(updates: Updates, tmp_path: Path) -> None:
    await run(updates, tmp_path, hosts(web1={}, db1={}, myweb={}), host_filter="web|d")
    assert set(await updates.world.hosts()) == {"web1", "db1"}


async def test_a_limit_is_a_pattern_of_ansible(updates: Updates, tmp_path: Path) -> None:
    await run(updates, tmp_path, hosts(web1={}, web2={}, db1={}), limit="web*:!web2")
    assert set(await updates.world.hosts()) == {"web1"}


async def test_a_limit_that_matches_nothing_fails_the_update(updates: Updates, tmp_path: Path) -> None:
    row = await run(updates, tmp_path, hosts(web1={}), limit="nosuch")
    assert row.status == "failed"
    assert "nosuch" in row.job_explanation


@pytest.mark.parametrize(("verbosity", "asked"), [(0, None), (1, "-vvv"), (2, "-vvvvv")])
async def test_verbosity_is_ansible_s(updates: Updates, tmp_path: Path, verbosity: int, asked: str | None) -> None:
    row = await run(updates, tmp_path, hosts(web1={}), verbosity=verbosity)
    said = [word for word in json.loads(row.job_args) if word.startswith("-v")]
    assert said == ([asked] if asked else [])


async def test_ports_in_names_become_a_variable(updates: Updates, tmp_path: Path) -> None:
    await run(updates, tmp_path, "web:2222\n[2001:db8::1]:22\n", name="hosts.ini")
    assert await updates.world.hosts() == {"web": {"ansible_port": 2222}, "2001:db8::1": {"ansible_port": 22}}


async def test_a_name_of_300_characters_is_stored(updates: Updates, tmp_path: Path) -> None:
    assert (await run(updates, tmp_path, hosts(**{LONG: {}}))).status == "successful"
    assert set(await updates.world.hosts()) == {LONG}


@pytest.mark.parametrize(
    ("inventory", "reason"),
    [
        (hosts(**{"{{ name }}": {}}), "Inline Jinja variables are not allowed"),
        (hosts(**{LONG * 2: {}}), "600 characters; at most 512"),
        (hosts(h={"k": "a\x00b"}), "NUL"),
        ({"all": {"children": {"a": {"children": {"b": {"children": {"a": {}}}}}}}}, "recursive dependency loop"),
    ],
    ids=["jinja", "600 characters", "NUL", "circle of groups"],
)
async def test_what_cannot_be_taken_fails_the_update_with_its_reason_and_changes_nothing(
    updates: Updates, tmp_path: Path, inventory: dict[str, Any], reason: str
) -> None:
    await seed(updates, "stays")
    row = await run(updates, tmp_path, inventory)
    assert row.status == "failed"
    assert reason in row.job_explanation
    assert set(await updates.world.hosts()) == {"stays"}


@pytest.mark.full
async def test_ten_megabytes_of_variables_are_stored(updates: Updates, tmp_path: Path) -> None:
    large = {f"k{n}": "x" * 1000 for n in range(10_000)}
    assert (await run(updates, tmp_path, hosts(h=large))).status == "successful"
    assert (await updates.world.hosts())["h"] == large


@pytest.mark.parametrize("content", ["", "\n", "# nothing\n"])
async def test_an_empty_file_is_an_inventory_without_hosts(updates: Updates, tmp_path: Path, content: str) -> None:
    """Ansible's ini reader takes it, whatever the suffix; so it does for AWX."""
    row = await run(updates, tmp_path, content)
    assert (row.status, await updates.world.hosts()) == ("successful", {})


async def test_an_empty_file_does_not_empty_the_inventory(updates: Updates, tmp_path: Path) -> None:
    await seed(updates, "web1")
    row = await run(updates, tmp_path, "")
    assert (row.status, "delivered nothing" in row.job_explanation) == ("failed", True)
    assert set(await updates.world.hosts()) == {"web1"}


async def test_yaml_that_holds_nothing_is_no_inventory(updates: Updates, tmp_path: Path) -> None:
    row = await run(updates, tmp_path, "---\n")
    assert row.status == "failed"
    assert "empty YAML" in row.job_explanation
