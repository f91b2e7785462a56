"""From Amazon's items to inventory objects: names changed, units converted, links lazy."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from craton_inv.providers.ec2.collector import Ec2Collector, Item
from craton_inv.providers.host_values import enabled_of
from craton_inv.providers.inventory_persister import IMPORTED, InventoryPersister
from craton_inv.providers.names import group_name
from craton_inv.providers.units import gibibytes
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser

ROOT = "aws_ec2"
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NO_NAME = re.compile(r"[^A-Za-z0-9_]")
# What other collections hold, or what changes with every look.
LEFT_OUT = frozenset({"BlockDeviceMappings", "NetworkInterfaces", "Tags", "UsageOperationUpdateTime"})


@dataclass(frozen=True)
class Rules:
    """What the source says of hosts and groups; see Ec2Config."""

    hostnames: tuple[str, ...]
    address: str
    group_by: tuple[str, ...]
    tags: tuple[str, ...]
    enabled_var: str = ""
    enabled_value: str = ""


class Ec2Parser(Parser):
    """Hosts in groups, with flavors, images, networks, disks and ports. Instances link by their ids alone."""

    def __init__(self, collector: Ec2Collector, persister: InventoryPersister, rules: Rules) -> None:
        self.collector = collector
        self.persister = persister
        self.rules = rules
        self._groups: set[str] = set()

    async def parse(self) -> AsyncIterator[InventoryObject]:
        """Instances first: what else is asked for is what they use."""
        async for region, item in self.collector.instances():
            for made in self._instance(region, item):
                yield made
        async for _, item, instances in self.collector.volumes():
            for made in self._volume(item, instances):
                yield made
        async for region, item in self.collector.interfaces():
            yield self._interface(region, item)
        async for region, item in self.collector.images():
            yield self._image(region, item)
        async for _, item in self.collector.instance_types():
            yield self._flavor(item)
        async for region, item in self.collector.vpcs():
            yield self._network(region, item)

    def _instance(self, region: str, item: Item) -> Iterator[InventoryObject]:
        persister, instance = self.persister, item["InstanceId"]
        variables = self._variables(region, item)
        state = item.get("State", {}).get("Name")
        told = enabled_of(variables, self.rules.enabled_var, self.rules.enabled_value)
        links = {
            "flavor_id": persister["flavors"].lazy_find(item["InstanceType"]) if item.get("InstanceType") else None,
            "image_id": persister["images"].lazy_find(item["ImageId"]) if item.get("ImageId") else None,
        }
        yield persister.hosts.build(
            name=self._name(item),
            variables=variables,
            enabled=(state == "running") if told is None else told,
            instance_id=instance,
            description=IMPORTED,
            **links,
        )
        host = persister.hosts.lazy_find(instance, ref="by_instance_id")
        for name in dict.fromkeys(self._group_names(region, item)):
            if name not in self._groups:
                self._groups.add(name)
                yield persister.groups.build(name=name, variables={}, description=IMPORTED)
            yield persister.memberships.build(group_id=persister.groups.lazy_find(name), host_id=host)

    def _name(self, item: Item) -> str:
        tags = _tags(item)
        for wanted in self.rules.hostnames:
            found = tags.get(wanted[4:]) if wanted.startswith("tag:") else item.get(HOSTNAMES[wanted])
            if found:
                return str(found)
        return str(item["InstanceId"])

    def _variables(self, region: str, item: Item) -> dict[str, Any]:
        """The instance in snake case, as the plugin amazon.aws.aws_ec2 names it, and ansible_host."""
        kept = {name: value for name, value in item.items() if name not in LEFT_OUT}
        variables: dict[str, Any] = {**_snake(kept), "tags": _tags(item)}
        variables.setdefault("placement", {})["region"] = region
        public, private = item.get("PublicIpAddress"), item.get("PrivateIpAddress")
        address = (public or private) if self.rules.address == "public" else (private or public)
        return {**variables, "ansible_host": address} if address else variables

    def _group_names(self, region: str, item: Item) -> Iterator[str]:
        yield ROOT
        values = {
            "region": [region],
            "availability_zone": [item.get("Placement", {}).get("AvailabilityZone")],
            "instance_type": [item.get("InstanceType")],
            "image": [item.get("ImageId")],
            "vpc": [item.get("VpcId")],
            "security_group": [group.get("GroupName") for group in item.get("SecurityGroups", ())],
        }
        for by in self.rules.group_by:
            for value in values[by]:
                if value:
                    yield group_name(_word(by, value))
        tags = _tags(item)
        for tag in self.rules.tags:
            if tags.get(tag):
                yield group_name(_word("tag", tag, tags[tag]))

    def _volume(self, item: Item, instances: frozenset[str]) -> Iterator[InventoryObject]:
        """A disk for each attachment to these: a volume may be attached to several instances."""
        attachments = [each for each in item.get("Attachments", ()) if each.get("InstanceId")]
        for attachment in attachments:
            instance = attachment["InstanceId"]
            if instance not in instances:
                continue
            ref = item["VolumeId"] if len(attachments) == 1 else f"{item['VolumeId']}/{instance}"
            yield self.persister["disks"].build(
                ref=ref,
                name=_tags(item).get("Name", item["VolumeId"]),
                host_id=self.persister.hosts.lazy_find(instance, ref="by_instance_id"),
                device=attachment.get("Device"),
                size=gibibytes(item.get("Size")),
                disk_type=item.get("VolumeType"),
                state=item.get("State"),
                encrypted=item.get("Encrypted"),
            )

    def _interface(self, region: str, item: Item) -> InventoryObject:
        addresses = [
            each["PrivateIpAddress"] for each in item.get("PrivateIpAddresses", ()) if "PrivateIpAddress" in each
        ]
        addresses += [each["Ipv6Address"] for each in item.get("Ipv6Addresses", ()) if "Ipv6Address" in each]
        vpc = item.get("VpcId")
        return self.persister["network_ports"].build(
            ref=item["NetworkInterfaceId"],
            name=item.get("Description") or item["NetworkInterfaceId"],
            host_id=self.persister.hosts.lazy_find(item["Attachment"]["InstanceId"], ref="by_instance_id"),
            network_id=self.persister["networks"].lazy_find(vpc) if vpc else None,
            mac_address=item.get("MacAddress"),
            ip_address=item.get("PrivateIpAddress"),
            ip_addresses=addresses,
            status=item.get("Status"),
        )

    def _image(self, region: str, item: Item) -> InventoryObject:
        return self.persister["images"].build(
            ref=item["ImageId"],
            name=item.get("Name") or item["ImageId"],
            architecture=item.get("Architecture"),
            os_family="windows" if str(item.get("Platform", "")).casefold() == "windows" else "linux",
            state=item.get("State"),
            location=item.get("ImageLocation"),
        )

    def _flavor(self, item: Item) -> InventoryObject:
        storage = item.get("InstanceStorageInfo", {}).get("TotalSizeInGB")
        gpus = [gpu.get("Count", 0) for gpu in item.get("GpuInfo", {}).get("Gpus", ())]
        return self.persister["flavors"].build(
            ref=item["InstanceType"],
            name=item["InstanceType"],
            cpus=item.get("VCpuInfo", {}).get("DefaultVCpus"),
            memory_mb=item.get("MemoryInfo", {}).get("SizeInMiB"),
            ephemeral_gb=storage,
            gpus=sum(gpus) if gpus else None,
        )

    def _network(self, region: str, item: Item) -> InventoryObject:
        return self.persister["networks"].build(
            ref=item["VpcId"],
            name=_tags(item).get("Name", item["VpcId"]),
            cidr=item.get("CidrBlock"),
            status=item.get("State"),
        )


HOSTNAMES = {
    "instance-id": "InstanceId",
    "private-dns-name": "PrivateDnsName",
    "public-dns-name": "PublicDnsName",
    "private-ip-address": "PrivateIpAddress",
    "ip-address": "PublicIpAddress",
}


def _tags(item: Item) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in item.get("Tags", ())}


def _word(*parts: str) -> str:
    """A name that Ansible takes for a group: letters, digits and underscores."""
    return "_".join(_NO_NAME.sub("_", part) for part in parts)


def _snake(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_HUMP.sub("_", key).lower(): _snake(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_snake(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
