"""Kind ec2 against a real EC2 API server: full, by target, in pages and regions, and with regions that fail."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from craton_inv.errors import InvalidField, UpdateFailed
from craton_inv.models import Disk, Flavor, Image, NetworkPort
from craton_inv.providers import registry
from craton_inv.providers.base import SourceDefinition, Surroundings
from craton_inv.providers.credentials.definitions import ProviderCredential
from craton_inv.providers.ec2.aws import Live, keys_of
from craton_inv.providers.events import Event, ObjectRef
from craton_inv.settings import Settings
from tests.providers.clouds import refresh, rows
from tests.providers.conformance import CHECKS, Conformance
from tests.refresh.world import World, written

KEYS = (ProviderCredential("aws", {"username": "AKIA", "password": "a-secret-key"}),)
REGION = "eu-central-1"


IMAGE = "ami-03cf127a"  # one of those that moto knows


@cache
def boto(url: str, region: str) -> Any:
    """boto3, so that what we read was not written with what reads it."""
    keys = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "a-secret-key"}
    return boto3.client("ec2", region_name=region, endpoint_url=url, **keys)


class Amazon:
    """The API server, as an operator of instances sees it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, region: str = REGION) -> Any:
        """Of a region."""
        return boto(self.url, region)

    def run(self, count: int = 1, region: str = REGION, **tags: str) -> list[str]:
        """Start instances; their ids."""
        client = self.client(region)
        named = [{"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]
        made = client.run_instances(
            ImageId=IMAGE,
            InstanceType="t3.micro",
            MinCount=count,
            MaxCount=count,
            TagSpecifications=named if tags else [],
        )
        return [instance["InstanceId"] for instance in made["Instances"]]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """moto's server on loopback."""
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture
def amazon(server: str) -> Amazon:
    """An account without instances."""
    httpx.post(f"{server}/moto-api/reset", timeout=60).raise_for_status()
    return Amazon(server)


@pytest.fixture
def settings(settings: Settings, server: str) -> Settings:
    """Settings that lead to the server."""
    return settings.model_copy(update={"aws_endpoint_url": server})


def source(*regions: str, credentials: Any = KEYS, **config: Any) -> SourceDefinition:
    """A source of these regions."""
    wanted = {"regions": list(regions or (REGION,)), **config}
    return SourceDefinition(0, 0, 0, "ec2", source_vars=json.dumps(wanted), credentials=credentials)


async def test_an_instance_comes_with_all_that_belongs_to_it(world: World, settings: Settings, amazon: Amazon) -> None:
    [instance] = amazon.run(Name="web-1", role="web")
    await refresh(world, settings, source(hostnames=["tag:Name"], tags=["role"], group_by=["region", "vpc"]))
    host = await world.host("web-1")
    assert (host.instance_id, host.enabled) == (instance, True)
    shown = amazon.client().describe_instances()["Reservations"][0]["Instances"][0]
    assert host.variables["ansible_host"] == shown["PrivateIpAddress"]
    assert host.variables["tags"] == {"Name": "web-1", "role": "web"}
    assert host.variables["placement"] == {**host.variables["placement"], "region": REGION}
    groups = {group for group, name in await world.memberships() if name == "web-1"}
    assert {"aws_ec2", "region_eu_central_1", "tag_role_web"} < groups
    [flavor], [image] = await rows(world, Flavor), await rows(world, Image)
    assert (flavor.id, flavor.ref, flavor.cpus, flavor.memory_mb) == (host.flavor_id, "t3.micro", 2, 1024)
    assert (image.id, image.ref) == (host.image_id, shown["ImageId"])
    [disk], [port] = await rows(world, Disk), await rows(world, NetworkPort)
    assert (disk.host_id, disk.device, disk.size) == (host.id, "/dev/sda1", 8 * 1024**3)
    assert (port.host_id, str(port.ip_address)) == (host.id, shown["PrivateIpAddress"])
    assert port.network_id is not None


async def test_a_second_refresh_writes_nothing(world: World, settings: Settings, amazon: Amazon) -> None:
    amazon.run(3)
    await refresh(world, settings, source())
    again = await refresh(world, settings, source())
    assert (again.counts["hosts"].delivered, written(again.counts)) == (3, 0)


@pytest.mark.full
async def test_stopped_instances_are_disabled_and_terminated_ones_go(
    world: World, settings: Settings, amazon: Amazon
) -> None:
    stopped, gone, running = amazon.run(3)
    await refresh(world, settings, source(hostnames=["instance-id"]))
    amazon.client().stop_instances(InstanceIds=[stopped])
    amazon.client().terminate_instances(InstanceIds=[gone])
    await refresh(world, settings, source(hostnames=["instance-id"]))
    assert set(await world.hosts()) == {stopped, running}
    assert not (await world.host(stopped)).enabled


@pytest.mark.full
@pytest.mark.parametrize("change", ["renamed", "new", "gone", "stopped"])
async def test_one_instance_by_target_is_as_the_full_refresh_leaves_it(
    world: World, settings: Settings, amazon: Amazon, change: str
) -> None:
    definition = source(hostnames=["tag:Name", "instance-id"])
    kept, changed = amazon.run(1, Name="kept")[0], amazon.run(1, Name="changed")[0]
    await refresh(world, settings, definition)
    client = amazon.client()
    if change == "renamed":
        client.create_tags(Resources=[changed], Tags=[{"Key": "Name", "Value": "other"}])
    elif change == "new":
        [changed] = amazon.run(1, Name="new")
    elif change == "gone":
        client.terminate_instances(InstanceIds=[changed])
    else:
        client.stop_instances(InstanceIds=[changed])
    client.create_tags(Resources=[kept], Tags=[{"Key": "Name", "Value": "not-asked-for"}])
    targeted = await refresh(world, settings, definition, changed)
    assert "kept" in await world.hosts()
    assert targeted.counts["hosts"].delivered == (change != "gone")
    client.create_tags(Resources=[kept], Tags=[{"Key": "Name", "Value": "kept"}])
    full = await refresh(world, settings, definition)
    assert written(full.counts) == 0


async def test_what_belongs_to_instances_that_are_left_out_is_left_out(
    world: World, settings: Settings, amazon: Amazon
) -> None:
    [kept] = amazon.run(1, role="web")
    amazon.run(1, role="db")
    definition = source(filters={"tag:role": "web"}, hostnames=["instance-id"])
    for asked in ((), (kept,)):
        run = await refresh(world, settings, definition, *asked)
        assert {name: run.counts[name].delivered for name in ("hosts", "disks", "network_ports")} == {
            "hosts": 1, "disks": 1, "network_ports": 1,
        }  # fmt: skip
        assert run.counts["disks"].unconnected + run.counts["network_ports"].unconnected == 0


@pytest.mark.parametrize(
    ("association", "ref"),
    [
        ("flavors", "m5.large"),
        pytest.param("images", "ami-000c540e28953ace2", marks=pytest.mark.full),
        pytest.param("networks", "", marks=pytest.mark.full),
    ],
)
async def test_by_target_as_in_full_only_what_an_instance_uses_is_read(
    world: World, settings: Settings, amazon: Amazon, association: str, ref: str
) -> None:
    [instance] = amazon.run(1)
    client = amazon.client()
    ref = ref or client.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    definition = source(hostnames=["instance-id"])
    await refresh(world, settings, definition)
    targeted = await refresh(world, settings, definition, ObjectRef(association, {"ref": ref}))
    assert (targeted.counts[association].delivered, written(targeted.counts)) == (0, 0)
    used = client.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    ref = used[{"images": "ImageId", "flavors": "InstanceType", "networks": "VpcId"}[association]]
    targeted = await refresh(world, settings, definition, ObjectRef(association, {"ref": ref}))
    assert (targeted.counts[association].delivered, written(targeted.counts)) == (1, 0)
    client.terminate_instances(InstanceIds=[instance])
    targeted = await refresh(world, settings, definition, ObjectRef(association, {"ref": ref}))
    assert targeted.counts[association].deleted == 1


@pytest.mark.full
@pytest.mark.parametrize("check", CHECKS)
async def test_an_object_by_target_is_what_a_full_refresh_makes_of_it(
    world: World, settings: Settings, amazon: Amazon, check: str
) -> None:
    instances = [*amazon.run(2, role="web"), *amazon.run(1, region="us-east-1", role="db")]
    client = amazon.client()
    shared = client.create_volume(AvailabilityZone=f"{REGION}a", Size=20)["VolumeId"]
    client.attach_volume(VolumeId=shared, InstanceId=instances[0], Device="/dev/sdh")
    definition = source(REGION, "us-east-1", hostnames=["instance-id"], tags=["role"])
    suite = await Conformance.of(world, settings, definition, {"door": None})
    assert suite.first.counts["disks"].created == 4
    for asked in suite.objects():
        await suite.run(check, asked)


@pytest.mark.full
async def test_a_region_that_fails_deletes_nothing_of_it(world: World, settings: Settings, amazon: Amazon) -> None:
    amazon.run(2)
    amazon.run(1, region="us-east-1")
    both = source(REGION, "us-east-1")
    await refresh(world, settings, both)
    half = await refresh(world, settings, source(REGION, "xx-nowhere-1"))
    assert "xx-nowhere-1" in half.incomplete["hosts"]
    assert len(await world.hosts()) == 3
    whole = await refresh(world, settings, source(REGION))
    assert (whole.incomplete, len(await world.hosts())) == ({}, 2)


async def test_without_a_credential_nothing_is_asked(world: World, settings: Settings) -> None:
    with pytest.raises(UpdateFailed, match="no credential for Amazon Web Services"):
        await refresh(world, settings, source(credentials=()))


async def test_the_key_shows_nowhere(settings: Settings) -> None:
    keys = keys_of(KEYS)
    assert "a-secret-key" not in repr(keys)
    assert "a-secret-key" not in repr(KEYS)
    assert "a-secret-key" not in repr(vars(Live(keys, Surroundings(settings))))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"regions": []}, "regions: List should have at least 1 item"),
        ({"group_by": ["colour"]}, "group_by.0: Input should be"),
        ({"plugin": "amazon.aws.aws_ec2"}, "plugin: Extra inputs are not permitted"),
        ({"regions": ["evil.example.org/"]}, "regions.0: String should match pattern"),
        ({"hostnames": ["colour"]}, "hostnames.0: String should match pattern"),
    ],
)
def test_a_wrong_configuration_is_refused_by_key(config: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidField, match=reason):
        registry.get("ec2").read_config(json.dumps(config))


def test_an_event_of_eventbridge_asks_for_its_instance() -> None:
    provider = registry.get("ec2")
    event = Event(
        "EC2 Instance State-change Notification", payload={"detail": {"instance-id": "i-1", "state": "stopped"}}
    )
    assert [*provider.targets_of_event(event)] == [ObjectRef("hosts", {"instance_id": "i-1"})]
    assert [*provider.targets_of_event(Event("other", payload={"detail": []}))] == []


@pytest.mark.full
async def test_a_thousand_instances_in_pages_and_regions(world: World, settings: Settings, amazon: Amazon) -> None:
    for region in (REGION, "us-east-1"):
        for _ in range(6):
            amazon.run(100, region=region)
    # Addresses are drawn at random, so names made of them may meet; ids do not.
    definition = source(REGION, "us-east-1", hostnames=["instance-id"])
    first = await refresh(world, settings, definition)
    assert {name: first.counts[name].created for name in ("hosts", "disks", "network_ports")} == {
        "hosts": 1200, "disks": 1200, "network_ports": 1200,
    }  # fmt: skip
    again = await refresh(world, settings, definition)
    assert written(again.counts) == 0
