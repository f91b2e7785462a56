"""Each kind of change is followed: in the transaction of the write, or by the job where it reaches many."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.models import (
    Disk,
    Flavor,
    Group,
    GroupEdge,
    Host,
    HostFacts,
    HostLabel,
    HostSource,
    Hypervisor,
    Image,
    Inventory,
    InventoryLabel,
    InventorySource,
    Label,
    Membership,
    Network,
    NetworkPort,
    Region,
    SmartMembershipChange,
    Tenant,
    User,
)
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.hosts import change_host, delete_host
from tests.factories import (
    add_child,
    add_member,
    make_group,
    make_host,
    make_inventory,
    make_object,
    make_source,
    make_user,
    save,
)
from tests.memberships.keeping import Keeping

FILTERS = (
    "name=one",
    "not name=one",
    'name ~ "^(one|two)$"',
    "search=about",
    "enabled=false",
    "os_family=Debian",
    "variables__role=web",
    'not variables__role ~ "^w"',
    'variables__icontains="role"',
    "ansible_facts__cpus > 4",
    "ansible_facts__os=Debian or ansible_facts__os__isnull=true",
    "groups__name=east",
    "not groups__name=east",
    'groups__name ~ "^new"',
    "all_groups__name=top",
    "not all_groups__name=top",
    "groups__parents__name=top",
    "groups__variables__zone=z1",
    "inventory__name=plain",
    "not inventory__name=plain",
    "inventory__description=changed",
    "region__name=north",
    "region=null",
    "tenant__description=changed",
    "labels__name=gold",
    "not labels__name=gold",
    "inventory__labels__name=gold",
    "inventory_sources__name=feed",
    "inventory__inventory_sources__name=feed",
    "created_by__username=maker",
    "groups__created_by__username=maker",
    "modified > 2020-01-01",
    "flavor__name=large",
    "not flavor__cpus > 4",
    "image__os_family=debian",
    "parent_host__name=rack1",
    "parent_host__inventory_source__name=feed",
    "disks__size > 100",
    "not disks__device=sda",
    "network_ports__mac_address=aa",
    "network_ports__ip_addresses[]=10.0.0.9",
    "network_ports__network__cidr=10.0.0.0/8",
    "groups__hosts__name=one",
    "groups__children__name=east",
    "inventory__hosts__name=one",
    "flavor__hosts__name=two",
)


@dataclass
class Rows:
    """What the changes below are made to."""

    keeping: Keeping
    by_name: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        return self.by_name[name]


@pytest.fixture(scope="session")
async def built(keeping_engine: AsyncEngine) -> Rows:
    """A small world that every filter looks at, made once."""
    made: dict[str, Any] = {}
    keeping = await Keeping.make(keeping_engine)
    async with keeping.writing() as session:
        plain, tenant = keeping.inventory, keeping.tenant
        made["other"] = other = await make_inventory(session, "other", tenant=tenant)
        made["north"] = await save(session, Region(tenant_id=tenant.id, inventory_id=other.id, name="north"))
        made["user"] = user = await make_user(session)
        for name in ("top", "middle", "east"):
            made[name] = await make_group(session, name, inventory=plain, created_by_id=user.id)
        await add_child(session, made["top"], made["middle"])
        await add_child(session, made["middle"], made["east"])
        made["one"] = await make_host(
            session, "one", inventory=plain, facts={"os": "Debian", "cpus": 8}, groups=[made["east"]]
        )
        made["two"] = await make_host(session, "two", inventory=plain, created_by_id=user.id)
        made["twin"] = await make_host(session, "one", inventory=other, variables={"role": "web"})
        made["label"] = label = await save(session, Label(tenant_id=tenant.id, name="gold"))
        made["source"] = source = await make_source(session, "feed", inventory=plain)
        links = (
            HostSource(inventory_source_id=source.id, host_id=made["one"].id, ref="one", digest=b""),
            HostLabel(host_id=made["one"].id, inventory_id=plain.id, label_id=label.id, tenant_id=tenant.id),
            InventoryLabel(inventory_id=other.id, label_id=label.id, tenant_id=tenant.id),
        )
        for link in links:
            await save(session, link)
        delivered = {"source": source}
        made["rack"] = rack = await make_object(session, Hypervisor, "rack1", **delivered)
        made["flavor"] = flavor = await make_object(session, Flavor, "small", cpus=2, **delivered)
        made["image"] = image = await make_object(session, Image, "image", os_family="debian", **delivered)
        made["network"] = network = await make_object(session, Network, cidr="10.0.0.0/24", **delivered)
        linked = {"parent_host_id": rack.id, "flavor_id": flavor.id, "image_id": image.id}
        await session.execute(update(Host).where(Host.id == made["one"].id).values(**linked))
        made["disk"] = await make_object(session, Disk, host_id=made["one"].id, size=50, device="sda", **delivered)
        made["port"] = await make_object(
            session, NetworkPort, host_id=made["one"].id, network_id=network.id, mac_address="aa", **delivered
        )
    await keeping.search(*FILTERS)
    await keeping.drain()
    assert await keeping.difference() == ""
    return Rows(keeping, made)


@pytest.fixture
async def rows(built: Rows, keeping_engine: AsyncEngine) -> AsyncIterator[Rows]:
    """That world; what a test writes is undone after it."""
    async with keeping_engine.connect() as connection:
        transaction = await connection.begin()
        yield Rows(built.keeping.within(connection), built.by_name)
        await transaction.rollback()


Change = Callable[[AsyncSession, Rows], Awaitable[Any]]


def setting(model: Any, name: str, /, **values: Any) -> Change:
    """An UPDATE of one row."""

    async def change(session: AsyncSession, rows: Rows) -> None:
        await session.execute(update(model).where(model.id == rows.by_name[name].id).values(**values))

    return change


def dropping(model: Any, /, **names: str) -> Change:
    """A DELETE of the rows whose columns hold the ids of these."""

    async def change(session: AsyncSession, rows: Rows) -> None:
        where = [getattr(model, column) == rows.by_name[name].id for column, name in names.items()]
        await session.execute(delete(model).where(*where))

    return change


async def add_host(session: AsyncSession, rows: Rows) -> None:
    await make_host(session, "three", inventory=rows.keeping.inventory, variables={"role": "web"})


async def rename_to_a_twin(session: AsyncSession, rows: Rows) -> None:
    host = await session.get_one(Host, rows.twin.id)
    await change_host(session, SYSTEM, host, {"name": "two"})


async def remove_host(session: AsyncSession, rows: Rows) -> None:
    await delete_host(session, SYSTEM, await session.get_one(Host, rows.one.id))


async def write_facts(session: AsyncSession, rows: Rows) -> None:
    await save(session, HostFacts(host_id=rows.two.id, facts={"cpus": 16, "os": "Fedora"}))


async def join_group(session: AsyncSession, rows: Rows) -> None:
    await add_member(session, rows.middle, rows.two)


async def nest(session: AsyncSession, rows: Rows) -> None:
    fresh = await make_group(session, "new", inventory=rows.keeping.inventory)
    await add_member(session, fresh, rows.two)
    await add_child(session, rows.top, fresh)


async def stand_in_region(session: AsyncSession, rows: Rows) -> None:
    await session.execute(update(Host).where(Host.id == rows.two.id).values(region_id=rows.north.id))


async def bear_label(session: AsyncSession, rows: Rows) -> None:
    values = {"inventory_id": rows.keeping.inventory.id, "label_id": rows.label.id, "tenant_id": rows.keeping.tenant.id}
    await save(session, HostLabel(host_id=rows.two.id, **values))


async def label_inventory(session: AsyncSession, rows: Rows) -> None:
    values = {"inventory_id": rows.keeping.inventory.id, "label_id": rows.label.id, "tenant_id": rows.keeping.tenant.id}
    await save(session, InventoryLabel(**values))


async def add_source(session: AsyncSession, rows: Rows) -> None:
    await make_source(session, "feed", inventory=rows.other)


async def rename_inventory(session: AsyncSession, rows: Rows) -> None:
    where = Inventory.id == rows.keeping.inventory.id
    await session.execute(update(Inventory).where(where).values(name="renamed", description="changed"))


async def change_tenant(session: AsyncSession, rows: Rows) -> None:
    await session.execute(update(Tenant).where(Tenant.id == rows.keeping.tenant.id).values(description="changed"))


async def add_disk(session: AsyncSession, rows: Rows) -> None:
    await make_object(session, Disk, source=rows.source, host_id=rows.two.id, size=1000)


async def add_port(session: AsyncSession, rows: Rows) -> None:
    values = {"host_id": rows.two.id, "network_id": rows.network.id, "ip_addresses": ["10.0.0.9"]}
    await make_object(session, NetworkPort, source=rows.source, **values)


async def link_to_a_flavor(session: AsyncSession, rows: Rows) -> None:
    flavor = await make_object(session, Flavor, "large", source=rows.source, cpus=8)
    await session.execute(update(Host).where(Host.id == rows.two.id).values(flavor_id=flavor.id))


async def hand_a_disk_over(session: AsyncSession, rows: Rows) -> None:
    await session.execute(update(Disk).where(Disk.id == rows.disk.id).values(host_id=rows.two.id))


AT_ONCE: dict[str, Change] = {
    "a host is added": add_host,
    "a host is renamed to a twin": rename_to_a_twin,
    "the lower twin is renamed": setting(Host, "one", name="uno"),
    "the lower twin is deleted": remove_host,
    "a host is switched off": setting(Host, "one", enabled=False),
    "a host has other columns": setting(Host, "two", os_family="Debian", description="about"),
    "a host has other variables": setting(Host, "one", variables={"role": "web"}, variables_text="role: web"),
    "facts are written": write_facts,
    "facts are cleared": dropping(HostFacts, host_id="one"),
    "a host joins a group": join_group,
    "a host leaves a group": dropping(Membership, host_id="one", group_id="east"),
    "a group is nested": nest,
    "a nesting ends": dropping(GroupEdge, parent_id="top", child_id="middle"),
    "a group is renamed": setting(Group, "middle", name="newer", variables={"zone": "z1"}),
    "a group above all is renamed": setting(Group, "top", name="summit"),
    "a group is deleted": dropping(Group, id="east"),
    "a group between is deleted": dropping(Group, id="middle"),
    "a host gets a region": stand_in_region,
    "a region is renamed": setting(Region, "north", name="south"),
    "a host bears a label": bear_label,
    "a host loses a label": dropping(HostLabel, host_id="one"),
    "an inventory bears a label": label_inventory,
    "an inventory loses a label": dropping(InventoryLabel, inventory_id="other"),
    "an inventory is renamed": rename_inventory,
    "a source is added": add_source,
    "a source is renamed": setting(InventorySource, "source", name="stream"),
    "a source is deleted": dropping(InventorySource, id="source"),
    "a source no longer delivers a host": dropping(HostSource, host_id="one"),
    "an inventory is deleted": dropping(Inventory, id="other"),
    "a host is linked to a flavor": link_to_a_flavor,
    "a flavor is renamed": setting(Flavor, "flavor", name="large"),
    "a flavor has other figures": setting(Flavor, "flavor", cpus=16),
    "a flavor is deleted": dropping(Flavor, id="flavor"),
    "a hypervisor is renamed": setting(Hypervisor, "rack", name="rack2"),
    "a hypervisor is deleted": dropping(Hypervisor, id="rack"),
    "an image is of another system": setting(Image, "image", os_family="fedora"),
    "an image is deleted": dropping(Image, id="image"),
    "a disk is added": add_disk,
    "a disk grows": setting(Disk, "disk", size=500),
    "a disk gets another host": hand_a_disk_over,
    "a disk is deleted": dropping(Disk, id="disk"),
    "a port is added": add_port,
    "a port has another address": setting(NetworkPort, "port", mac_address="bb", ip_addresses=["10.0.0.9"]),
    "a port is deleted": dropping(NetworkPort, id="port"),
    "a network is another one": setting(Network, "network", cidr="192.168.0.0/24"),
    "a network is deleted": dropping(Network, id="network"),
}
BY_JOB: dict[str, Change] = {
    "a label is renamed": setting(Label, "label", name="silver"),
    "a user is renamed": setting(User, "user", username="maker"),
    "a tenant is changed": change_tenant,
}
# Searches that look at other hosts than those they find: always the job's.
ROUNDABOUT = {
    "groups__hosts__name=one",
    "groups__children__name=east",
    "inventory__hosts__name=one",
    "flavor__hosts__name=two",
}


@pytest.mark.parametrize("what", AT_ONCE)
async def test_a_single_write_brings_its_own_hosts_up_to_date(what: str, rows: Rows) -> None:
    keeping = rows.keeping
    if what == "an inventory is deleted":
        async with keeping.writing() as session:
            await dropping(Region, id="north")(session, rows)
    async with keeping.writing() as session:
        await AT_ONCE[what](session, rows)
    own = {inventory_id for text, inventory_id in keeping.smart.items() if text not in ROUNDABOUT}
    table, truth = await keeping.table(), await keeping.truth()
    assert {row for row in table if row[0] in own} == {row for row in truth if row[0] in own}
    await keeping.drain()
    assert await keeping.difference() == ""


@pytest.mark.parametrize("what", BY_JOB)
async def test_a_change_of_what_all_share_is_left_to_the_job(what: str, rows: Rows) -> None:
    async with rows.keeping.writing() as session:
        await BY_JOB[what](session, rows)
    assert await rows.keeping.waiting() > 0
    await rows.keeping.drain()
    assert await rows.keeping.difference() == ""


@pytest.mark.parametrize("what", {**AT_ONCE, **BY_JOB})
async def test_the_job_sees_to_what_a_writer_only_noted(what: str, rows: Rows) -> None:
    keeping = rows.keeping
    if what == "an inventory is deleted":
        async with keeping.writing() as session:
            await dropping(Region, id="north")(session, rows)
    async with keeping.factory() as session:  # no unit of work: as a command, or psql
        await {**AT_ONCE, **BY_JOB}[what](session, rows)
        await session.commit()
    assert await keeping.waiting() > 0
    await keeping.drain()
    assert await keeping.difference() == ""


async def test_nothing_waits_after_a_change_that_no_search_looks_at(keeping: Keeping) -> None:
    await keeping.search("name=one", "groups__hosts__name=one")
    await keeping.drain()
    async with keeping.writing() as session:
        host = await make_host(session, inventory=keeping.inventory)
    await keeping.drain()
    async with keeping.writing() as session:
        await session.execute(update(Host).where(Host.id == host.id).values(variables={"a": 1}))
        assert await session.scalar(select(SmartMembershipChange.what)) == [
            "hosts.generation",
            "hosts.modified",
            "hosts.variables",
        ]
    assert await keeping.waiting() == 0
