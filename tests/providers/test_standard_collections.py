"""What providers link hosts to: taken from the menu, saved with its links, followed and deleted with its source."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

import pytest
from sqlalchemy import select

from craton_inv.errors import UpdateFailed
from craton_inv.models import Disk, Flavor, Host, Hypervisor, Image, Network, NetworkPort, Resource
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.inventory_collection import InvalidCollection
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.saving import SaveOptions
from craton_inv.refresh.target import Targets
from tests.refresh.world import World, written

EVERYTHING = ("hypervisors", "flavors", "images", "networks", "disks", "network_ports")
Build = Callable[[InventoryPersister], Iterator[InventoryObject]]


class Builder(Parser):
    """A parser that yields what a function builds."""

    def __init__(self, build: Build, persister: InventoryPersister) -> None:
        self.build = build
        self.persister = persister

    async def parse(self) -> AsyncIterator[InventoryObject]:
        for item in self.build(self.persister):
            yield item


async def refresh(
    world: World, build: Build, *, names: tuple[str, ...] = EVERYTHING, source: str = "cloud", **options: Any
) -> dict[str, Counts]:
    """One refresh of a source whose provider declares the collections `names` and the resources `stacks`."""
    source_id = await world.source(source)
    persister = InventoryPersister(world.inventory_id)
    for name in names:
        persister.add_collection(name)
    persister.add_resource_collection("stacks")
    refresher = Refresher(Collector(Targets(source_id)), Builder(build, persister), persister)
    scope = {"inventory_id": world.inventory_id, "tenant_id": world.tenant_id}
    try:
        await refresher.gather()
        async with world.engine.begin() as connection:
            return await refresher.save(connection, SaveOptions(source_id, scope, **{"delete": True, **options}))
    finally:
        await refresher.close()


def cloud(*names: str, size: int = 10, flavor: str = "m5.large") -> Build:
    """Machines of these names, each with a disk, a port and links to all there is."""

    def build(persister: InventoryPersister) -> Iterator[InventoryObject]:
        yield persister["hypervisors"].build(ref="hv-1", name="rack1", ip_address="10.9.9.9", memory_mb=1024)
        yield persister["flavors"].build(ref="f-1", name=flavor, cpus=2)
        yield persister["images"].build(ref="ami-1", name="debian-12", os_family="debian", size=2**33)
        yield persister["networks"].build(ref="net-1", name="lan", cidr="10.0.0.0/16")
        for number, name in enumerate(names):
            yield persister.hosts.build(
                name=name,
                instance_id=f"i-{name}",
                variables={"n": number},
                parent_host_id=persister["hypervisors"].lazy_find("hv-1"),
                flavor_id=persister["flavors"].lazy_find("f-1"),
                image_id=persister["images"].lazy_find("ami-1"),
            )
            host = persister.hosts.lazy_find(f"i-{name}", ref="by_instance_id")
            yield persister["disks"].build(ref=f"vol-{name}", name="root", host_id=host, size=size, bootable=True)
            yield persister["network_ports"].build(
                ref=f"eni-{name}",
                host_id=host,
                network_id=persister["networks"].lazy_find("net-1"),
                mac_address="02:00:00:00:00:01",
                ip_address="10.0.0.1",
                ip_addresses=["10.0.0.1", "fe80::1"],
            )
        yield persister["stacks"].build(ref="s-1", name="shop", attributes={"tier": 1}, links={"host": {"ref": "web1"}})

    return build


async def rows_of(world: World, model: Any) -> dict[str, Any]:
    """The inventory's rows by ref."""
    async with world.factory() as session:
        found = await session.scalars(select(model).where(model.inventory_id == world.inventory_id))
        return {row.ref: row for row in found}


async def test_objects_are_saved_with_their_links(world: World) -> None:
    counts = await refresh(world, cloud("web1", "web2"))
    assert {name: counts[name].created for name in ("hosts", "disks", "network_ports", "flavors", "stacks")} == {
        "hosts": 2,
        "disks": 2,
        "network_ports": 2,
        "flavors": 1,
        "stacks": 1,
    }
    web1 = await world.host("web1")
    hypervisor, flavor, image, network = [
        (await rows_of(world, model))[ref]
        for model, ref in ((Hypervisor, "hv-1"), (Flavor, "f-1"), (Image, "ami-1"), (Network, "net-1"))
    ]
    assert (web1.parent_host_id, web1.flavor_id, web1.image_id) == (hypervisor.id, flavor.id, image.id)
    disk, port = (await rows_of(world, Disk))["vol-web1"], (await rows_of(world, NetworkPort))["eni-web1"]
    assert (disk.host_id, disk.size, disk.name, disk.encrypted) == (web1.id, 10, "root", None)
    assert (port.host_id, port.network_id, str(port.ip_address)) == (web1.id, network.id, "10.0.0.1")
    assert (str(network.cidr), image.size, hypervisor.memory_mb) == ("10.0.0.0/16", 2**33, 1024)
    stack = (await rows_of(world, Resource))["s-1"]
    assert (stack.collection, stack.attributes, stack.links) == ("stacks", {"tier": 1}, {"host": {"ref": "web1"}})
    assert {disk.tenant_id, port.tenant_id, stack.tenant_id} == {world.tenant_id}
    assert {disk.inventory_source_id, stack.inventory_source_id} == {world.sources["cloud"]}


async def test_a_second_refresh_writes_nothing(world: World) -> None:
    await refresh(world, cloud("web1", "web2"))
    before = await world.row_versions()
    assert written(await refresh(world, cloud("web1", "web2"))) == 0
    assert await world.row_versions() == before


async def test_a_change_is_written_where_it_is(world: World) -> None:
    await refresh(world, cloud("web1", "web2"))
    before = await world.row_versions()
    counts = await refresh(world, cloud("web1", "web2", size=20))
    assert {name: count.updated for name, count in counts.items() if count.written} == {"disks": 2}
    after = await world.row_versions()
    assert {name for name in before if before[name] != after[name]} == {"disks", "inventory"}


async def test_what_is_gone_goes_and_takes_its_links_along(world: World) -> None:
    await refresh(world, cloud("web1", "web2"))

    def without_flavor(persister: InventoryPersister) -> Iterator[InventoryObject]:
        for item in cloud("web1")(persister):
            if item.collection.name != "flavors":
                yield InventoryObject(
                    item.collection, {name: value for name, value in item.values.items() if name != "flavor_id"}
                )

    counts = await refresh(world, without_flavor)
    assert (counts["hosts"].deleted, counts["flavors"].deleted) == (1, 1)
    assert set(await rows_of(world, Disk)) == {"vol-web1"}
    assert set(await rows_of(world, NetworkPort)) == {"eni-web1"}
    assert (await world.host("web1")).flavor_id is None


async def test_without_overwrite_hosts_stay_and_what_the_source_owns_alone_goes(world: World) -> None:
    await refresh(world, cloud("web1", "web2"))
    counts = await refresh(world, cloud("web1"), delete=False)
    assert {name: count.deleted for name, count in counts.items() if count.deleted} == {"disks": 1, "network_ports": 1}
    assert set(await world.hosts()) == {"web1", "web2"}


async def test_what_a_source_owns_alone_is_no_other_source_s(world: World) -> None:
    await refresh(world, cloud("web1"))
    await refresh(world, cloud("db1"), source="other")
    async with world.factory() as session:
        owners = await session.scalars(select(Disk.inventory_source_id).where(Disk.inventory_id == world.inventory_id))
        assert sorted(owners) == sorted(world.sources.values())
        flavors = await session.scalars(select(Flavor.id).where(Flavor.inventory_id == world.inventory_id))
        assert len([*flavors]) == 2
        hosts = await session.scalars(select(Host.flavor_id).where(Host.inventory_id == world.inventory_id))
        assert len({*hosts}) == 2


def one_port(**values: Any) -> Build:
    """A host with one port, and an image."""

    def build(persister: InventoryPersister) -> Iterator[InventoryObject]:
        yield persister.hosts.build(name="web1", variables={})
        given = {"ref": "eni-1", "name": "eth0", "ip_address": "10.0.0.1", "ip_addresses": ["10.0.0.1"], **values}
        created = given.pop("created_on", None)
        yield persister["network_ports"].build(host_id=persister.hosts.lazy_find("web1"), **given)
        yield persister["images"].build(ref="ami-1", name="image", created_on=created)

    return build


async def test_what_a_provider_has_no_value_for_is_empty(world: World) -> None:
    await refresh(world, one_port())
    for _ in range(2):
        counts = await refresh(world, one_port(name=None, ip_address=None, ip_addresses=None))
    port = (await rows_of(world, NetworkPort))["eni-1"]
    assert (port.name, port.ip_address, port.ip_addresses) == ("", None, [])
    assert written(counts) == 0


async def test_times_may_be_texts_and_addresses_objects(world: World) -> None:
    await refresh(world, one_port(created_on="2026-01-31T12:00:00Z", ip_address=ip_address("fe80::1")))
    counts = await refresh(world, one_port(created_on=datetime(2026, 1, 31, 12), ip_address="FE80::1"))
    assert written(counts) == 0
    assert (await rows_of(world, Image))["ami-1"].created_on == datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"ip_address": "10.0.0.300"}, r"network_ports 'eth0': ip_address '10.0.0.300' is no IP address"),
        ({"ip_address": "10.0.0.1/99"}, r"ip_address '10.0.0.1/99' is no IP address"),
        ({"created_on": "yesterday"}, r"images 'image': created_on 'yesterday' is no time"),
        ({"created_on": 12}, r"created_on '12' is no time"),
    ],
)
async def test_a_value_that_no_column_takes_is_refused_by_name(world: World, values: dict[str, Any], why: str) -> None:
    with pytest.raises(UpdateFailed, match=why):
        await refresh(world, one_port(**values))
    assert await world.hosts() == {}


async def test_collections_are_declared_only_when_a_provider_takes_them() -> None:
    persister = InventoryPersister(1)
    assert set(persister.collections) == {"inventory", "groups", "hosts", "memberships", "group_edges"}
    assert "flavor_id" not in persister.hosts.attributes
    persister.add_collection("flavors")
    assert persister.hosts.links == {"flavor_id": "flavors"}


def test_a_port_without_declared_networks_has_no_link_to_one() -> None:
    persister = InventoryPersister(1)
    assert persister.add_collection("network_ports").links == {"host_id": "hosts"}
    persister.add_collection("networks")
    assert persister["network_ports"].links == {"host_id": "hosts", "network_id": "networks"}


def test_a_collection_of_the_menu_is_taken_with_changes() -> None:
    persister = InventoryPersister(1, "web.*")
    persister.add_collection("flavors")
    hosts = persister.add_collection("hosts", attributes=("variables", "os_family", "instance_id"))
    assert hosts.attributes == ("variables", "os_family", "instance_id", "flavor_id")
    assert hosts.name_filter == "web.*"
    assert persister.add_collection("disks", attributes=("host_id", "size")).attributes == ("host_id", "size")


@pytest.mark.parametrize("name", ["disks", "Stacks", "my stacks", "", "s" * 41, "1st"])
def test_a_name_that_no_collection_of_resources_can_have_is_refused(name: str) -> None:
    with pytest.raises(InvalidCollection, match="is no name for a collection"):
        InventoryPersister(1).add_resource_collection(name)


def test_what_is_not_there_is_refused_with_what_is() -> None:
    persister = InventoryPersister(1)
    with pytest.raises(InvalidCollection, match=r"The menu has no volumes; it has .*disks"):
        persister.add_collection("volumes")
    with pytest.raises(InvalidCollection, match=r"disks is not declared; there are .*hosts"):
        persister["disks"]
