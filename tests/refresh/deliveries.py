"""Deliveries of the standard collections, object by object, full or by target."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import select

from craton_inv.models import Disk, Host
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.saving import SaveOptions
from craton_inv.refresh.target import Target, Targets
from tests.refresh.world import World

Make = Callable[[InventoryPersister], InventoryObject]
COLLECTIONS = ("hypervisors", "flavors", "networks", "disks", "network_ports")


class CloudPersister(InventoryPersister):
    """Everything but images and resources."""

    def __init__(self, inventory_id: int) -> None:
        super().__init__(inventory_id)
        for name in COLLECTIONS:
            self.add_collection(name)


class ListParser(Parser):
    """Yields what a list of functions makes."""

    def __init__(self, persister: InventoryPersister, make: Iterable[Make]) -> None:
        self.persister = persister
        self.make = make

    async def parse(self) -> AsyncIterator[InventoryObject]:
        """Every object."""
        for make in self.make:
            yield make(self.persister)


def host(name: str, instance_id: str = "", variables: Mapping[str, Any] | None = None, **links: str) -> Make:
    """A host; `links`: `flavor` and `hypervisor` by ref."""

    def make(persister: InventoryPersister) -> InventoryObject:
        values: dict[str, Any] = {"name": name, "instance_id": instance_id, "variables": dict(variables or {})}
        if "flavor" in links:
            values["flavor_id"] = persister["flavors"].lazy_find(links["flavor"])
        if "hypervisor" in links:
            values["parent_host_id"] = persister["hypervisors"].lazy_find(links["hypervisor"])
        return persister.hosts.build(**values)

    return make


def group(name: str) -> Make:
    """A group."""
    return lambda persister: persister.groups.build(name=name, variables={})


def member(group_name: str, host_name: str) -> Make:
    """A host in a group."""
    return lambda persister: persister.memberships.build(
        group_id=persister.groups.lazy_find(group_name), host_id=persister.hosts.lazy_find(host_name)
    )


def disk(ref: str, of: str, size: int = 1) -> Make:
    """A disk of the host with that name."""
    return lambda persister: persister["disks"].build(ref=ref, host_id=persister.hosts.lazy_find(of), size=size)


def port(ref: str, of: str) -> Make:
    """A network port of the host with that name."""
    return lambda persister: persister["network_ports"].build(ref=ref, host_id=persister.hosts.lazy_find(of))


def thing(collection: str, ref: str, **values: Any) -> Make:
    """An object that is no part of another."""
    return lambda persister: persister[collection].build(ref=ref, name=ref, **values)


def named(association: str, **ref: str) -> tuple[str, dict[str, str]]:
    """What a target names."""
    return association, ref


async def deliver(
    world: World,
    *make: Make,
    targets: Iterable[tuple[str, dict[str, str]]] | None = None,
    source: str = "source",
    incomplete: Mapping[str, str] | None = None,
    persister: InventoryPersister | None = None,
    **options: Any,
) -> dict[str, Counts]:
    """One committed refresh of what `make` gives; without `targets` a full one."""
    source_id = await world.source(source)
    items = frozenset(Target.of(source_id, name, ref) for name, ref in targets or ())
    collector = Collector(Targets(source_id, items, partial=targets is not None))
    for name, reason in (incomplete or {}).items():
        collector.read_partly(name, reason)
    persister = persister or CloudPersister(world.inventory_id)
    refresher = Refresher(collector, ListParser(persister, make), persister)
    scope = {"inventory_id": world.inventory_id, "tenant_id": world.tenant_id}
    try:
        await refresher.gather()
        async with world.engine.begin() as connection:
            return await refresher.save(connection, SaveOptions(source_id, scope, **{"delete": True, **options}))
    finally:
        await refresher.close()


async def disks(world: World) -> dict[str, tuple[str, int | None]]:
    """Host and size by disk."""
    async with world.factory() as session:
        query = select(Disk.ref, Host.name, Disk.size).join(Host, Host.id == Disk.host_id)
        rows = await session.execute(query.where(Disk.inventory_id == world.inventory_id))
        return {row.ref: (row.name, row.size) for row in rows}
