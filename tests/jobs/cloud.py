"""A provider whose machines a test changes as it likes, full and by target, and that can be out of reach."""

from collections.abc import AsyncIterator
from pathlib import Path

from craton_inv.providers.base import Provider, SourceDefinition, Surroundings
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets


class Cloud(Provider):
    """`machines`: size by name. `asked`: the targets of each refresh; `faults` are raised, one a refresh."""

    kind = "test-cloud"
    allow_targeted_refresh = True

    def __init__(self, **machines: int) -> None:
        self.machines = dict(machines)
        self.asked: list[set[str]] = []
        self.faults: list[Exception] = []

    def refresher(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> Refresher:
        """Collector, parser and the standard collections."""
        collector = CloudCollector(self, targets)
        persister = InventoryPersister(definition.inventory_id)
        return Refresher(collector, CloudParser(collector, persister), persister, around.progress)

    def sample(self, folder: Path) -> SourceDefinition:
        """Nothing to keep."""
        return SourceDefinition(0, 0, 0, self.kind)


class CloudCollector(Collector):
    """Offers `sizes`."""

    def __init__(self, cloud: Cloud, targets: Targets) -> None:
        super().__init__(targets)
        self.cloud = cloud

    async def collect(self) -> None:
        """Note what is asked for."""
        self.cloud.asked.append(set(self.values("hosts", "name")))
        if self.cloud.faults:
            raise self.cloud.faults.pop(0)

    async def sizes(self) -> AsyncIterator[tuple[str, int]]:
        """Names and sizes of all machines, or of those asked for."""
        wanted = self.values("hosts", "name")
        for name, size in [*self.cloud.machines.items()]:
            if self.targets.full or name in wanted:
                yield name, size


class CloudParser(Parser):
    """One host a machine."""

    def __init__(self, collector: CloudCollector, persister: InventoryPersister) -> None:
        self.collector = collector
        self.persister = persister

    async def parse(self) -> AsyncIterator[InventoryObject]:
        """Hosts with their size."""
        async for name, size in self.collector.sizes():
            yield self.persister.hosts.build(name=name, variables={"size": size}, enabled=True)
