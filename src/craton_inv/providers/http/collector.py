"""The collector of YAML and INI at a URL: fetched through the door, then read by ansible-inventory in its sandbox."""

import asyncio
from pathlib import Path

import yaml

from craton_inv.ansible.yaml_nodes import guard_events
from craton_inv.errors import InvalidField, UpdateFailed
from craton_inv.http_out.door import Answer
from craton_inv.providers.ansible_inventory.collector import AnsibleCollector, Inputs
from craton_inv.providers.base import SourceDefinition, Surroundings
from craton_inv.providers.remote import RemoteRequest, ask
from craton_inv.refresh.target import Targets

READERS = {"yaml": ("yaml",), "ini": ("ini",)}


class HttpInventoryCollector(AnsibleCollector):
    """As `DocumentCollector`, for what only Ansible reads. No plugin but the format's own is switched on."""

    def __init__(
        self,
        definition: SourceDefinition,
        targets: Targets,
        around: Surroundings,
        request: RemoteRequest,
        format: str,
    ) -> None:
        super().__init__(definition, targets, around)
        self.request = request
        self.format = format
        self.unchanged = False
        self._answer: Answer | None = None

    async def collect(self) -> None:
        """Ask, and let Ansible read the answer. Raises UpdateFailed and as `ask`."""
        self._answer = await ask(self.around, self.request)
        if self._answer is None:
            self.unchanged = True
            return
        await super().collect()

    async def find(self, private: Path) -> Inputs:
        """The answer as a file."""
        content = self._answer.content if self._answer is not None else b""
        path = private / "upload" / f"inventory.{self.format}"
        await asyncio.to_thread(self._write, path, content)
        return Inputs((path,), plugins=READERS[self.format])

    def _write(self, path: Path, content: bytes) -> None:
        try:
            text = content.decode("utf-8-sig")
            if self.format == "yaml":
                guard_events(yaml.parse(text, Loader=yaml.CSafeLoader), "inventory")
        except InvalidField as error:
            raise UpdateFailed(f"The inventory cannot be read: {error.message}") from error
        except (UnicodeError, yaml.YAMLError) as error:
            raise UpdateFailed(f"The inventory is no {self.format.upper()}: {error}.") from error
        path.write_text(text, encoding="utf-8")
