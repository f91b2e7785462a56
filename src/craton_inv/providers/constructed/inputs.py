"""Inputs of a constructed inventory for Ansible: scripts in order, facts in a cache, the file of the plugin last."""

import asyncio
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

from craton_inv.ansible.variables_text import parse_variables
from craton_inv.providers.ansible_inventory.collector import AnsibleCollector, Inputs
from craton_inv.providers.base import InputInventory

PLUGIN = "ansible.builtin.constructed"
# Ansible reads the script protocol from programs alone; this one prints the document that lies beside it.
SCRIPT = '#!/bin/sh\nexec cat "$0.json"\n'
# Before each file name: a host called "../../x" then leads to a folder that does not exist.
PREFIX = "facts-"
SCHEMA = "s1_"  # ansible-core 2.19 keeps facts in files of this schema, as text below this key
PAYLOAD = "__payload__"
TYPED = "__ansible_type"  # by which that text could say of a template that it is to be trusted
LONGEST_NAME = 255  # bytes of a file name


class ConstructedCollector(AnsibleCollector):
    """Lays out the inputs that the surroundings give, one after the other, so that memory holds a piece of one."""

    async def find(self, private: Path) -> Inputs:
        """The inputs in their order, the later one winning, then the plugin that looks at all of them."""
        scripts, facts = private / "inputs", private / "facts"
        scripts.mkdir()
        facts.mkdir()
        paths: list[Path] = []
        async with aclosing(self.around.inputs()) as inputs:
            async for given in inputs:
                path = scripts / f"{len(paths) + 1:04}"
                await write_input(given, path, facts)
                self.around.say(f"Input {len(paths) + 1}: {given.name}")
                paths.append(path)
        plugin = private / "constructed.yml"
        options = {**parse_variables(self.definition.source_vars, "source_vars"), "plugin": PLUGIN}
        await asyncio.to_thread(plugin.write_text, json.dumps(options))
        return Inputs(
            inventories=(*paths, plugin),
            environment={
                "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
                "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(facts),
                "ANSIBLE_CACHE_PLUGIN_PREFIX": PREFIX,
                "ANSIBLE_CACHE_PLUGIN_TIMEOUT": "0",
            },
            plugins=("script", "auto"),
        )


async def write_input(given: InputInventory, script: Path, facts: Path) -> None:
    """Write the program `script` with its document beside it, and the facts of the hosts into the folder `facts`."""
    with script.with_name(f"{script.name}.json").open("wb") as file:
        async for piece in given.script:
            await asyncio.to_thread(file.write, piece)
    await asyncio.to_thread(_write_program, script)
    async for name, text in given.facts:
        file_name = f"{PREFIX}{SCHEMA}{name}"
        if "/" not in name and "\0" not in name and len(file_name.encode()) <= LONGEST_NAME:
            await asyncio.to_thread((facts / file_name).write_bytes, cached(text))


def _write_program(path: Path) -> None:
    path.write_text(SCRIPT)
    path.chmod(0o700)


def cached(facts: bytes) -> bytes:
    """Facts, JSON text of an object, as Ansible's cache has them. What a machine says of itself stays plain data."""
    text = facts.decode()
    if TYPED in text or "\\u" in text:
        text = json.dumps(_untyped(json.loads(text)))
    return json.dumps({PAYLOAD: text}).encode()


def _untyped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _untyped(item) for key, item in value.items() if key != TYPED}
    return [_untyped(item) for item in value] if isinstance(value, list) else value
