"""A provider whose machines a test changes as it likes, full and by target, and that can be out of reach."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from craton_inv.db.session import unit_of_work
from craton_inv.models import Host
from craton_inv.providers.base import Provider, SourceDefinition, Surroundings
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.refresh_queue import ObjectTarget, RefreshTarget, SourceTarget, queue_refresh
from tests.jobs.updates import Updates


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


async def source_of(updates: Updates, name: str = "source", **values: Any) -> int:
    """A source of the cloud that deletes what is gone."""
    return await updates.world.source(name, source=Cloud.kind, overwrite=True, **values)


def objects(source_id: int, *names: str) -> list[RefreshTarget]:
    """Hosts by name."""
    return [ObjectTarget(source_id, "hosts", {"name": name}) for name in names]


async def queue(updates: Updates, *targets: RefreshTarget, threshold: int = 100, **options: bool) -> list[int]:
    """Ask for these; the ids of the updates."""
    async with unit_of_work(updates.world.factory) as session:
        asked = await queue_refresh(session, SYSTEM, targets, threshold=threshold, options=options)
        return [row.id for row in asked]


async def sizes(updates: Updates) -> dict[str, Any]:
    """What is known of the machines."""
    async with updates.world.factory() as session:
        rows = await session.scalars(select(Host).where(Host.inventory_id == updates.world.inventory_id))
        return {row.name: row.variables["size"] for row in rows}


async def refresh_all(updates: Updates, source_id: int) -> None:
    """A full refresh."""
    [update_id] = await queue(updates, SourceTarget(source_id))
    assert (await updates.work(update_id)).status == "successful"
