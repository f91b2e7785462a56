"""From the made-up cloud's machines to inventory objects: names changed, links lazy, nothing looked up."""

from collections.abc import AsyncIterator, Iterator

from craton_inv.providers.example.collector import SIZES, ExampleCollector, Machine
from craton_inv.providers.inventory_persister import IMPORTED, InventoryPersister
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser

DISK = 20 * 1024**3  # bytes


class ExampleParser(Parser):
    """One group for the prefix, if there are machines; per machine a host, its membership, a disk and a port."""

    def __init__(self, collector: ExampleCollector, persister: InventoryPersister) -> None:
        self.collector = collector
        self.persister = persister

    async def parse(self) -> AsyncIterator[InventoryObject]:
        """The order does not matter for links; sizes and racks come after the machines that ask for them."""
        group = self.collector.prefix
        met = False
        async for machine in self.collector.machines():
            if not met:
                met = True
                yield self.persister.groups.build(name=group, variables={"made_up": True}, description=IMPORTED)
            for item in self._machine(machine, group):
                yield item
        async for size in self.collector.sizes():
            cpus, memory = SIZES[size]
            yield self.persister["flavors"].build(ref=size, name=size, cpus=cpus, memory_mb=memory)
        async for rack in self.collector.racks():
            yield self.persister["hypervisors"].build(ref=rack, name=rack, hypervisor_type="made up")

    def _machine(self, machine: Machine, group: str) -> Iterator[InventoryObject]:
        """A machine and what belongs to it."""
        hosts, groups = self.persister.hosts, self.persister.groups
        yield hosts.build(
            name=machine.name,
            variables={"ansible_host": machine.address},
            enabled=machine.running,
            instance_id=machine.id,
            description=IMPORTED,
            flavor_id=self.persister["flavors"].lazy_find(machine.size),
            parent_host_id=self.persister["hypervisors"].lazy_find(machine.rack),
        )
        host = hosts.lazy_find(machine.name)
        yield self.persister.memberships.build(group_id=groups.lazy_find(group), host_id=host)
        yield self.persister["disks"].build(ref=f"{machine.id}/sda", name="sda", host_id=host, size=DISK, bootable=True)
        yield self.persister["network_ports"].build(
            ref=f"{machine.id}/eth0",
            name="eth0",
            host_id=host,
            mac_address=machine.mac,
            ip_address=machine.address,
            ip_addresses=[machine.address],
        )
