"""From the made-up cloud's machines to inventory objects: names changed, links lazy, nothing looked up."""

from collections.abc import AsyncIterator

from craton_inv.providers.example.collector import ExampleCollector
from craton_inv.providers.inventory_persister import IMPORTED, InventoryPersister
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser


class ExampleParser(Parser):
    """One group for the prefix, one host per machine, one membership each."""

    def __init__(self, collector: ExampleCollector, persister: InventoryPersister) -> None:
        self.collector = collector
        self.persister = persister

    async def parse(self) -> AsyncIterator[InventoryObject]:
        """Yield the group first; the order does not matter, links are resolved while saving."""
        group = self.collector.prefix
        hosts, groups = self.persister.hosts, self.persister.groups
        yield groups.build(name=group, variables={"made_up": True}, description=IMPORTED)
        async for machine in self.collector.machines():
            yield hosts.build(
                name=machine.name,
                variables={"ansible_host": machine.address},
                enabled=machine.running,
                instance_id=machine.id,
                description=IMPORTED,
            )
            yield self.persister.memberships.build(
                group_id=groups.lazy_find(group), host_id=hosts.lazy_find(machine.name)
            )
