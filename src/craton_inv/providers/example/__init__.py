"""Kind `example`: machines out of thin air, the provider to copy. Three files: this one, collector.py and parser.py.

`source_vars`, for instance: {"hosts": 3, "prefix": "web"} gives web-1, web-2 and web-3 in the group `web`.
A machine keeps its id when the prefix changes: it is renamed in place, with its facts and history.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from pydantic import Field

from craton_inv.providers.base import Provider, ProviderConfig, SourceDefinition, Surroundings
from craton_inv.providers.example.collector import ExampleCollector
from craton_inv.providers.example.parser import ExampleParser
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets


class ExampleConfig(ProviderConfig):
    """What `source_vars` may say."""

    hosts: int = Field(3, ge=0, le=1_000_000, description="How many machines there are.")
    prefix: str = Field("example", min_length=1, max_length=64, pattern=r"^[a-z][a-z0-9-]*$")


class ExampleProvider(Provider):
    """Needs nothing from outside: what it delivers follows from its configuration alone."""

    kind = "example"
    trusted = True
    config = ExampleConfig
    allow_targeted_refresh = True
    target_refs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = MappingProxyType(
        {"hosts": (("name",), ("instance_id",)), "flavors": (("ref",),), "hypervisors": (("ref",),)}
    )

    def refresher(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> Refresher:
        """Collector, parser, and the collections: hosts and groups are there, the others are taken from the menu."""
        config = ExampleConfig.model_validate(self.read_config(definition.source_vars))
        collector = ExampleCollector(targets, config.prefix, config.hosts)
        persister = InventoryPersister(definition.inventory_id, definition.host_filter)
        for name in ("flavors", "hypervisors", "disks", "network_ports"):
            persister.add_collection(name)
        return Refresher(collector, ExampleParser(collector, persister), persister, around.progress)

    def sample(self, folder: Path) -> SourceDefinition:
        """Two machines."""
        return SourceDefinition(0, 0, 0, self.kind, source_vars='{"hosts": 2, "prefix": "web"}')


PROVIDER = ExampleProvider()
