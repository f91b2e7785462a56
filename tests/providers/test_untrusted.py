"""What sources that are not trusted deliver, from the stand-in of a cloud's plugin to a real run of Ansible."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from craton_inv.ansible.variables import holds_template
from craton_inv.db.session import unit_of_work
from craton_inv.models import Inventory
from craton_inv.providers import registry
from craton_inv.providers.ansible_plugins.stand_in import install
from craton_inv.providers.base import SourceDefinition
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.providers.untrusted import CONNECTION, UntrustedParser
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.scripts import ScriptQuery, inventory_script
from craton_inv.settings import Settings
from tests.providers.running import refresh
from tests.refresh.world import World

ANSIBLE = Path(sys.executable).parent / "ansible"
HARMLESS = [
    "ansible_host", "ansible_port", "ansible_user", "ansible_password", "ansible_become", "ansible_ssh_user",
    "ansible_network_os", "ansible_distribution", "connection", "my_ssh_args", "ansible_ssh_private_key_file",
]  # fmt: skip
WAYS = [
    "ansible_connection", "ansible_python_interpreter", "ansible_ruby_interpreter", "ansible_ssh_common_args",
    "ansible_ssh_extra_args", "ansible_ssh_executable", "ansible_become_exe", "ansible_become_flags",
    "ansible_become_method", "ansible_paramiko_proxy_command", "ansible_shell_type", "ansible_shell_executable",
    "ansible_ssh_pkcs11_provider", "ansible_scp_extra_args", "ansible_docker_extra_args",
]  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    install("google.cloud.gcp_compute", tmp_path / "collections")
    return Settings(data_dir=tmp_path / "data", ansible_collections_path=str(tmp_path / "collections"))


def cloud(variables: dict[str, Any]) -> SourceDefinition:
    """A cloud with one machine, which says this of itself."""
    options = {"hosts": {"vm": variables}, "groups_of_hosts": {"all_of_them": ["vm"]}}
    return SourceDefinition(1, 1, 1, "gce", source_vars=json.dumps(options), verbosity=0)


async def script_of(world: World) -> bytes:
    async with unit_of_work(world.factory) as session:
        inventory = await session.get_one(Inventory, world.inventory_id)
        body = (await inventory_script(session, SYSTEM, inventory, ScriptQuery(hostvars=True))).body
    assert body is not None
    return body


async def test_s25_a_template_from_a_cloud_is_printed_and_never_run(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    trace = tmp_path / "ran"
    template = f"{{{{ lookup('pipe', 'touch {trace}; echo ran') }}}}"
    await refresh(world, settings, cloud({"bad": template, "deep": {"list": [template]}, "plain": "text"}))
    body = await script_of(world)
    assert json.loads(body)["_meta"]["hostvars"]["vm"]["bad"] == {"__ansible_unsafe": template}
    script = tmp_path / "inventory"
    script.with_suffix(".json").write_bytes(body)
    script.write_text(f"#!/bin/sh\nexec cat {script}.json\n")
    script.chmod(0o700)
    command = [ANSIBLE, "-i", script, "vm", "-m", "ansible.builtin.debug", "-a", "msg={{ [bad, deep, plain] }}"]
    environment = {**os.environ, "ANSIBLE_LOCAL_TEMP": str(tmp_path), "ANSIBLE_HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: ASYNC221
    assert done.stdout.count("lookup('pipe'") == 2
    assert "text" in done.stdout
    assert not trace.exists()


async def test_s26_ways_to_connect_from_a_cloud_are_left_out_and_told(world: World, settings: Settings) -> None:
    run = await refresh(world, settings, cloud({"ansible_connection": "local", "ansible_host": "192.0.2.1"}))
    assert await world.hosts() == {"vm": {"ansible_host": "192.0.2.1"}}
    assert "trusted_connection_vars): ansible_connection." in run.text


async def test_s26_a_source_may_be_trusted_with_them(world: World, settings: Settings) -> None:
    trusted = replace(cloud({"ansible_connection": "local"}), trusted_connection_vars=True)
    await refresh(world, settings, trusted)
    assert await world.hosts() == {"vm": {"ansible_connection": "local"}}


@pytest.mark.parametrize("name", WAYS)
def test_s26_variables_that_choose_programs_are_known(name: str) -> None:
    assert CONNECTION.match(name)


@pytest.mark.parametrize("name", HARMLESS)
def test_s26_variables_that_choose_no_program_are_not_touched(name: str) -> None:
    assert not CONNECTION.match(name)


class Told(Parser):
    """Yields objects that are there already."""

    def __init__(self, items: list[InventoryObject]) -> None:
        self.items = items

    async def parse(self) -> AsyncIterator[InventoryObject]:
        for item in self.items:
            yield item


async def test_variables_of_groups_and_of_the_inventory_pass_the_same_guard() -> None:
    persister, said = InventoryPersister(1), list[str]()
    bad = {"a": "{{ b }}", "ansible_connection": "local", "n": 1}
    items = [
        persister.inventory.build(id=1, variables=dict(bad)),
        persister.groups.build(name="g", variables=dict(bad)),
        persister.hosts.build(name="h", variables={"plain": "{ x }"}),
    ]
    found = [item async for item in UntrustedParser(Told(items), False, said.append).parse()]
    guarded = {"a": {"__ansible_unsafe": "{{ b }}"}, "n": 1}
    assert [item.values["variables"] for item in found] == [guarded, guarded, {"plain": "{ x }"}]
    assert said[0].startswith("2 variables were left out")


def test_what_people_write_is_trusted_and_what_clouds_tell_is_not() -> None:
    trusted = {kind for kind, provider in registry.providers().items() if provider.trusted}
    assert trusted == {"constructed", "example", "file", "scm"}


@pytest.mark.parametrize(
    ("value", "holds"),
    [("{{", True), ("{%", True), ("{#", True), ("{ {", False), (["a", {"b": "{{ c }}"}], True), ({"a": 1}, False)],
)
def test_templates_are_known_at_every_depth(value: Any, holds: bool) -> None:
    assert holds_template(value) is holds
