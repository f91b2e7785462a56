"""The collector of all kinds that read through Ansible: one run of `ansible-inventory --list --export`."""

import asyncio
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from craton_inv.errors import UpdateFailed
from craton_inv.providers.ansible_inventory import sandbox
from craton_inv.providers.ansible_inventory.command import ansible_inventory, command_line
from craton_inv.providers.ansible_inventory.document import failure_text, read_document
from craton_inv.providers.ansible_inventory.environment import clean_environment
from craton_inv.providers.ansible_inventory.private_folder import make_private, remove
from craton_inv.providers.base import SourceDefinition, Surroundings
from craton_inv.providers.credentials.hiding import HIDDEN, hiding
from craton_inv.providers.credentials.injection import injected, write_files
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.target import Targets

WITHOUT_SCRIPTS = ("host_list", "auto", "yaml", "ini", "toml")


@dataclass(frozen=True)
class Inputs:
    """What one run reads.

    `inventories`: in order, the later one wins. `readable`: files and folders that Ansible may read for them, beside
    the private folder. `environment`: further variables; `secrets`: those whose values nobody is shown. `plugins`: the
    inventory plugins that may read, None for Ansible's own list, in which programs are run. `playbook_dir`: the folder
    whose group_vars, host_vars and plugins are Ansible's as well.
    """

    inventories: tuple[Path, ...]
    readable: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    plugins: tuple[str, ...] | None = WITHOUT_SCRIPTS
    playbook_dir: Path | None = None


class AnsibleCollector(Collector):
    """`collect` runs Ansible on what `find` gives; `document` is its answer."""

    def __init__(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> None:
        super().__init__(targets)
        self.definition = definition
        self.around = around
        self.document: Mapping[str, Any] = {}
        self._private: Path | None = None

    @abstractmethod
    async def find(self, private: Path) -> Inputs:
        """What to read. `private`: a folder of this run alone, with empty folders home, tmp and upload.

        Raises UpdateFailed, InvalidField.
        """

    async def collect(self) -> None:
        """Find the inputs, run ansible-inventory, read its document. Raises UpdateFailed with Ansible's own message."""
        settings, definition = self.around.settings, self.definition
        program = ansible_inventory(settings)
        self._private = private = await asyncio.to_thread(make_private)
        (private / "ansible.cfg").touch()
        inputs = await self.find(private)
        output = private / "output.json"
        command = command_line(
            program, inputs.inventories, output, definition.limit, definition.verbosity, inputs.playbook_dir
        )
        environment = clean_environment(private, definition.id, definition.update_id, dict(inputs.environment))
        if inputs.plugins is not None:
            environment["ANSIBLE_INVENTORY_ENABLED"] = ",".join(inputs.plugins)
        collections = tuple(Path(part) for part in settings.ansible_collections_path.split(":") if part)
        if collections:
            environment["ANSIBLE_COLLECTIONS_PATH"] = ":".join(map(str, collections))
        shown = dict(environment)
        for number, credential in enumerate(definition.credentials):
            given = injected(credential, private / f"credential_{number}")
            await asyncio.to_thread(write_files, given, private / f"credential_{number}")
            # What this service sets itself is not for a credential to change.
            environment = {**given.environment, **environment}
            shown = {**given.shown(), **shown}
        home = private / "home"
        self.around.command_run(command, str(home), {**shown, **dict.fromkeys(inputs.secrets, HIDDEN)})
        limits = sandbox.Limits(
            settings.inventory_memory_limit,
            settings.inventory_output_limit,
            (*inputs.readable, *collections, Path(program).resolve().parent),  # noqa: ASYNC240 - found a moment ago
            private,
        )
        hide = hiding([*inputs.secrets.values(), *(text for one in definition.credentials for text in one.secrets())])
        say = self.around.say
        ended = await sandbox.run(
            command, home, {**environment, **inputs.secrets}, limits, lambda line: say(hide(line))
        )
        if ended.status != 0:
            raise UpdateFailed(hide(self.explain(ended)))
        self.document = await asyncio.to_thread(read_document, output, settings.inventory_output_limit)

    def explain(self, ended: sandbox.Finished) -> str:
        """Why the run failed, for the update."""
        return failure_text(ended)

    async def close(self) -> None:
        """Remove the private folder."""
        if self._private is not None:
            await asyncio.to_thread(remove, self._private)
