"""Kind openstack over openstacksdk against a cloud on loopback: full, by target, in pages, with services that fail."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from craton_inv.errors import BlockedAddress, CratonInvError, InvalidField, TransientError, UpdateFailed
from craton_inv.models import Disk, Flavor, Host, Hypervisor, Image, Network, NetworkPort
from craton_inv.providers import registry
from craton_inv.providers.base import SourceDefinition
from craton_inv.providers.credentials.definitions import ProviderCredential
from craton_inv.providers.events import Event, ObjectRef
from craton_inv.settings import Settings
from tests.providers.clouds import refresh, rows
from tests.providers.conformance import CHECKS, Conformance
from tests.providers.openstack_cloud import PASSWORD, OpenStack, running
from tests.refresh.world import World, written

PARTS = ["networks", "volumes", "images", "flavors", "hypervisors", "baremetal"]
WEB, DB = "6f1c9a2e-0c1d-4f0e-9a51-0b6c2f7d1a01", "6f1c9a2e-0c1d-4f0e-9a51-0b6c2f7d1a02"
ELSEWHERE = "6f1c9a2e-0c1d-4f0e-9a51-0b6c2f7d1a09"
NODE = "6d85703a-565d-469a-96ce-30b6de53079d"


@pytest.fixture
def cloud() -> Iterator[OpenStack]:
    """A cloud with two servers, and a node without one."""
    with running() as made:
        yield made


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings that allow the cloud's address."""
    return settings.model_copy(update={"http_out_allow": "127.0.0.1"})


def login(cloud: OpenStack, password: str = PASSWORD) -> tuple[ProviderCredential, ...]:
    """A credential."""
    inputs = {"host": f"{cloud.url}/identity/v3", "username": "ops", "password": password, "project": "ops"}
    return (ProviderCredential("openstack", {**inputs, "region": "RegionOne"}),)


def source(cloud: OpenStack, password: str = PASSWORD, **config: Any) -> SourceDefinition:
    """A source that reads everything."""
    wanted = json.dumps({"parts": PARTS, **config})
    return SourceDefinition(0, 0, 0, "openstack", source_vars=wanted, credentials=login(cloud, password))


async def test_a_server_comes_with_all_that_belongs_to_it(world: World, settings: Settings, cloud: OpenStack) -> None:
    run = await refresh(world, settings, source(cloud, metadata=["role"], group_by=["region", "availability_zone"]))
    assert run.incomplete == {}
    host = await world.host("web-1")
    assert (host.instance_id, host.enabled, host.variables["ansible_host"]) == (WEB, True, "203.0.113.11")
    assert not (await world.host("db-1")).enabled
    assert (host.variables["openstack"]["id"], host.variables["openstack"]["status"]) == (WEB, "ACTIVE")
    groups = {group for group, name in await world.memberships() if name == "web-1"}
    assert groups == {"openstack", "region_RegionOne", "availability_zone_nova", "meta_role_web"}
    [flavor], [image], [parent] = [await rows(world, model) for model in (Flavor, Image, Hypervisor)]
    assert (flavor.id, image.id, parent.id) == (host.flavor_id, host.image_id, host.parent_host_id)
    assert (flavor.cpus, flavor.memory_mb, parent.cpus, parent.name) == (1, 512, 64, "compute-1.example.org")
    [network] = await rows(world, Network)
    assert (network.name, str(network.cidr)) == ("private", "10.20.0.0/24")
    [port] = [port for port in await rows(world, NetworkPort) if port.host_id == host.id]
    assert (port.network_id, str(port.ip_address)) == (network.id, "10.20.0.11")
    [disk] = [disk for disk in await rows(world, Disk) if disk.host_id == host.id]
    assert (disk.name, disk.size, disk.bootable) == ("web-data", 10 * 1024**3, False)


async def test_a_node_is_a_host_unless_a_server_runs_on_it(world: World, settings: Settings, cloud: OpenStack) -> None:
    await refresh(world, settings, source(cloud))
    assert set(await world.hosts()) == {"web-1", "db-1", "rack1-n1"}
    node = await world.host("rack1-n1")
    assert (node.instance_id, node.enabled) == (NODE, True)
    assert ("baremetal", "rack1-n1") in await world.memberships()
    assert "driver_info" not in node.variables["baremetal"]


async def test_a_node_has_its_network_cards(world: World, settings: Settings, cloud: OpenStack) -> None:
    await refresh(world, settings, source(cloud))
    node = await world.host("rack1-n1")
    [port] = [port for port in await rows(world, NetworkPort) if port.host_id == node.id]
    assert (port.mac_address, port.network_id) == ("52:54:00:9a:10:01", None)
    alone = await refresh(world, settings, source(cloud, parts=["baremetal"]))
    assert alone.incomplete == {}


async def test_a_node_under_a_server_that_is_not_read_is_a_host(
    world: World, settings: Settings, cloud: OpenStack
) -> None:
    cloud.list_of("compute", "servers.detail")[1]["tenant_id"] = "0" * 32
    await refresh(world, settings, source(cloud))
    assert set(await world.hosts()) == {"web-1", "rack1-n1", "rack1-n2"}
    node = await world.host("rack1-n2")
    targeted = await refresh(world, settings, source(cloud), node.instance_id)
    assert (targeted.counts["hosts"].delivered, written(targeted.counts)) == (1, 0)


async def test_a_second_refresh_writes_nothing(world: World, settings: Settings, cloud: OpenStack) -> None:
    await refresh(world, settings, source(cloud))
    again = await refresh(world, settings, source(cloud))
    assert (again.counts["hosts"].delivered, written(again.counts)) == (3, 0)


@pytest.mark.parametrize("change", ["renamed", "stopped", "gone", "node"])
async def test_one_machine_by_target_is_as_the_full_refresh_leaves_it(
    world: World, settings: Settings, cloud: OpenStack, change: str
) -> None:
    await refresh(world, settings, source(cloud))
    servers, nodes = cloud.list_of("compute", "servers.detail"), cloud.list_of("baremetal", "nodes.detail")
    target = WEB
    if change == "renamed":
        servers[0]["name"] = "www-1"
    elif change == "stopped":
        servers[0]["status"] = "SHUTOFF"
    elif change == "gone":
        del servers[0], cloud.list_of("block_storage", "volumes.detail")[0], cloud.list_of("network", "ports")[0]
    else:
        nodes[0]["maintenance"], target = True, NODE
    servers[-1]["name"] = "not-asked-for"
    targeted = await refresh(world, settings, source(cloud), target)
    assert targeted.counts["hosts"].delivered == (change != "gone")
    assert "db-1" in await world.hosts()
    servers[-1]["name"] = "db-1"
    full = await refresh(world, settings, source(cloud))
    assert written(full.counts) == 0


async def test_a_target_brings_the_whole_row_at_its_first_sight(
    world: World, settings: Settings, cloud: OpenStack
) -> None:
    await refresh(world, settings, source(cloud), WEB)
    host = await world.host("web-1")
    assert None not in (host.flavor_id, host.image_id, host.parent_host_id)
    full = await refresh(world, settings, source(cloud))
    assert (full.counts["hosts"].created, full.counts["hosts"].updated) == (2, 0)


@pytest.mark.parametrize(("all_projects", "delivered"), [(False, 0), (True, 1)])
async def test_a_server_of_another_project_is_as_much_of_the_source_by_target_as_in_full(
    world: World, settings: Settings, cloud: OpenStack, all_projects: bool, delivered: int
) -> None:
    servers = cloud.list_of("compute", "servers.detail")
    servers.append({**servers[0], "id": ELSEWHERE, "name": "elsewhere", "tenant_id": "0" * 32})
    definition = source(cloud, all_projects=all_projects)
    full = await refresh(world, settings, definition)
    assert full.counts["hosts"].delivered == 3 + delivered
    targeted = await refresh(world, settings, definition, ELSEWHERE)
    assert (targeted.counts["hosts"].delivered, written(targeted.counts)) == (delivered, 0)


@pytest.mark.parametrize(
    ("association", "service", "path", "hidden"),
    [
        ("images", "image", "images", {"visibility": "community"}),
        ("flavors", "compute", "flavors.detail", {"os-flavor-access:is_public": False}),
    ],
)
async def test_what_a_list_leaves_out_is_not_read_by_target_either(
    world: World, settings: Settings, cloud: OpenStack, association: str, service: str, path: str, hidden: Any
) -> None:
    cloud.list_of(service, path)[0].update(hidden)
    ref = cloud.list_of(service, path)[0]["id"]
    await refresh(world, settings, source(cloud))
    for asked in (WEB, ObjectRef(association, {"ref": ref})):
        targeted = await refresh(world, settings, source(cloud), asked)
        assert (targeted.counts[association].delivered, written(targeted.counts)) == (0, 0)


async def test_a_hypervisor_that_is_gone_goes_by_target(world: World, settings: Settings, cloud: OpenStack) -> None:
    await refresh(world, settings, source(cloud))
    [hypervisor] = cloud.list_of("compute", "os-hypervisors.detail")
    target = ObjectRef("hypervisors", {"ref": hypervisor["hypervisor_hostname"]})
    hypervisor["vcpus"] = 96
    changed = await refresh(world, settings, source(cloud), target)
    assert (changed.incomplete, changed.counts["hypervisors"].updated) == ({}, 1)
    cloud.list_of("compute", "os-hypervisors.detail").clear()
    gone = await refresh(world, settings, source(cloud), target)
    assert (gone.incomplete, gone.counts["hypervisors"].deleted) == ({}, 1)


async def test_an_id_in_capitals_is_no_id_of_a_server(world: World, settings: Settings, cloud: OpenStack) -> None:
    await refresh(world, settings, source(cloud))
    targeted = await refresh(world, settings, source(cloud), WEB.upper())
    assert (targeted.counts["hosts"].delivered, written(targeted.counts)) == (0, 0)


@pytest.mark.parametrize(
    "check", [pytest.param(each, marks=pytest.mark.full if each in ("lost", "gone") else ()) for each in CHECKS]
)
async def test_an_object_by_target_is_what_a_full_refresh_makes_of_it(
    world: World, settings: Settings, cloud: OpenStack, check: str
) -> None:
    suite = await Conformance.of(world, settings, source(cloud), {"door": None})
    for asked in suite.objects():
        await suite.run(check, asked)


async def test_lists_are_read_page_by_page(world: World, settings: Settings, cloud: OpenStack) -> None:
    cloud.page = 1
    run = await refresh(world, settings, source(cloud))
    assert {name: run.counts[name].created for name in ("hosts", "disks", "network_ports")} == {
        "hosts": 3, "disks": 2, "network_ports": 3,
    }  # fmt: skip
    assert cloud.asked.count("/compute/v2.1/servers/detail") == 2


@pytest.mark.parametrize(
    ("service", "status", "incomplete"),
    [
        ("block_storage", 503, {"disks"}),
        ("baremetal", 403, {"hosts", "groups", "memberships", "network_ports"}),
        ("network", 500, {"network_ports", "networks"}),
        ("image", 404, {"images"}),
    ],
)
async def test_a_service_that_fails_deletes_nothing_of_it(
    world: World, settings: Settings, cloud: OpenStack, service: str, status: int, incomplete: set[str]
) -> None:
    await refresh(world, settings, source(cloud))
    before = [len(await rows(world, model)) for model in (Host, Disk, NetworkPort, Network, Image)]
    cloud.fails[service] = status
    run = await refresh(world, settings, source(cloud))
    assert set(run.incomplete) == incomplete
    assert all(service in reason and str(status) in reason for reason in run.incomplete.values())
    assert [len(await rows(world, model)) for model in (Host, Disk, NetworkPort, Network, Image)] == before


async def test_a_service_that_cannot_be_reached_at_all_is_tried_again_later(
    world: World, settings: Settings, cloud: OpenStack
) -> None:
    cloud.broken.add("compute")
    with pytest.raises(TransientError, match="compute"):
        await refresh(world, settings, source(cloud))


async def test_what_a_missing_service_brought_earlier_stays(world: World, settings: Settings, cloud: OpenStack) -> None:
    await refresh(world, settings, source(cloud))
    models = (Host, Disk, NetworkPort, Network, Image)
    before = [len(await rows(world, model)) for model in models]
    cloud.absent |= {"block_storage", "network", "image"}
    run = await refresh(world, settings, source(cloud))
    assert (run.incomplete, written(run.counts)) == ({}, 0)
    assert [len(await rows(world, model)) for model in models] == before


async def test_bare_metal_that_the_catalog_lacks_is_told(world: World, settings: Settings, cloud: OpenStack) -> None:
    cloud.absent.add("baremetal")
    run = await refresh(world, settings, source(cloud))
    assert set(run.incomplete) == {"hosts", "groups", "memberships", "network_ports"}
    assert "offers no baremetal in the region RegionOne" in run.incomplete["hosts"]
    whole = await refresh(world, settings, source(cloud, parts=["networks"]))
    assert whole.incomplete == {}


async def test_a_cloud_of_bare_metal_alone_is_read_whole(world: World, settings: Settings, cloud: OpenStack) -> None:
    cloud.absent |= {"compute", "network", "image", "block_storage"}
    run = await refresh(world, settings, source(cloud))
    assert run.incomplete == {}
    assert set(await world.hosts()) == {"rack1-n1", "rack1-n2"}
    assert {port.mac_address for port in await rows(world, NetworkPort)} == {"52:54:00:9a:10:01", "52:54:00:9a:10:02"}
    del cloud.list_of("baremetal", "nodes.detail")[0]
    await refresh(world, settings, source(cloud), NODE)
    assert set(await world.hosts()) == {"rack1-n2"}
    assert (await refresh(world, settings, source(cloud))).counts["hosts"].delivered == 1


async def test_a_cloud_without_machines_is_refused_with_its_regions(
    world: World, settings: Settings, cloud: OpenStack
) -> None:
    for parts in (["networks"], PARTS):
        with pytest.raises(UpdateFailed, match=r"in the region RegionTwo; its catalog has the regions RegionOne\."):
            await refresh(world, settings, source(cloud, region="RegionTwo", parts=parts))


@pytest.mark.parametrize(("status", "fault"), [(503, TransientError), (403, UpdateFailed)])
async def test_without_servers_the_refresh_fails(
    world: World, settings: Settings, cloud: OpenStack, status: int, fault: type[CratonInvError]
) -> None:
    cloud.fails["compute"] = status
    with pytest.raises(fault, match="/servers/detail"):
        await refresh(world, settings, source(cloud))


async def test_a_wrong_password_fails_and_shows_nowhere(world: World, settings: Settings, cloud: OpenStack) -> None:
    with pytest.raises(UpdateFailed, match=r"Keystone refuses the credential: .*requires authentication") as caught:
        await refresh(world, settings, source(cloud, "not-the-password"))
    assert "not-the-password" not in str(caught.value)


async def test_an_address_inside_is_not_asked(world: World, settings: Settings, cloud: OpenStack) -> None:
    closed = settings.model_copy(update={"http_out_allow": ""})
    with pytest.raises(BlockedAddress, match="not public"):
        await refresh(world, closed, source(cloud))
    assert cloud.asked == []


async def test_an_endpoint_that_leads_inside_is_not_asked(world: World, settings: Settings, cloud: OpenStack) -> None:
    cloud.elsewhere["block_storage"] = "http://169.254.169.254/volume/v3"
    run = await refresh(world, settings, source(cloud))
    assert set(run.incomplete) == {"disks"}
    assert "not public" in run.incomplete["disks"]


async def test_without_a_credential_nothing_is_asked(world: World, settings: Settings, cloud: OpenStack) -> None:
    with pytest.raises(UpdateFailed, match="no credential for OpenStack"):
        await refresh(world, settings, replace(source(cloud), credentials=()))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"parts": ["colour"]}, "parts.0: Input should be"),
        ({"address": "any"}, "address: Input should be"),
        ({"plugin": "openstack.cloud.openstack"}, "plugin: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_configuration_is_refused_by_key(config: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidField, match=reason):
        registry.get("openstack").read_config(json.dumps(config))


@pytest.mark.parametrize(
    ("event_type", "payload", "machines"),
    [
        ("instance.update", {"nova_object.data": {"uuid": WEB}}, [WEB]),
        ("flavor.update", {"nova_object.data": {"uuid": WEB}}, []),
        ("compute.instance.create.end", {"instance_id": WEB}, [WEB]),
        ("baremetal.node.power_set.end", {"ironic_object.data": {"uuid": NODE}}, [NODE]),
        ("port.update.end", {"port": {"device_id": WEB, "device_owner": "compute:nova"}}, [WEB]),
        ("port.update.end", {"port": {"device_id": "r", "device_owner": "network:dhcp"}}, []),
        ("volume.attach.end", {"volume_attachment": [{"instance_uuid": WEB}, {"instance_uuid": DB}]}, [WEB, DB]),
        ("other", {"nova_object.data": [], "port": 1, "volume_attachment": "x", "instance_id": 7}, []),
    ],
)
def test_a_notification_asks_for_its_machines(event_type: str, payload: dict[str, Any], machines: list[str]) -> None:
    found = registry.get("openstack").targets_of_event(Event(event_type, payload=payload))
    assert [*found] == [ObjectRef("hosts", {"instance_id": machine}) for machine in machines]
