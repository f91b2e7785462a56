"""From OpenStack's answers to inventory objects: names changed, units converted, links lazy."""

import re
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from craton_inv.providers.host_values import enabled_of
from craton_inv.providers.inventory_persister import IMPORTED, InventoryPersister
from craton_inv.providers.names import group_name
from craton_inv.providers.openstack.cloud import Item, identity
from craton_inv.providers.openstack.collector import HYPERVISOR, VOLUMES, OpenstackCollector
from craton_inv.providers.units import gibibytes
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser

ROOT, BAREMETAL = "openstack", "baremetal"
_NO_NAME = re.compile(r"[^A-Za-z0-9_]")
_PREFIX = re.compile(r"^(OS|os)-[A-Za-z-]+:")
# What other collections hold, or what changes with every look.
LEFT_OUT = frozenset({"links", "progress", "adminPass", VOLUMES})
NODE = (
    "uuid", "name", "driver", "power_state", "provision_state", "resource_class", "maintenance", "properties",
    "traits", "owner", "lessee", "conductor_group", "chassis_uuid", "extra",
)  # fmt: skip


@dataclass(frozen=True)
class Rules:
    """What the source says of hosts and groups; see OpenstackConfig."""

    hostname: str
    address: str
    region: str
    group_by: tuple[str, ...]
    metadata: tuple[str, ...]
    enabled_var: str = ""
    enabled_value: str = ""


class OpenstackParser(Parser):
    """Hosts in groups, with what belongs to them. Servers link by ids, and to hypervisors by their names."""

    def __init__(self, collector: OpenstackCollector, persister: InventoryPersister, rules: Rules) -> None:
        self.collector = collector
        self.persister = persister
        self.rules = rules
        self._groups: set[str] = set()

    async def parse(self) -> AsyncIterator[InventoryObject]:
        """Servers first: what else is asked for is what they use."""
        async for item in self.collector.servers():
            for made in self._server(item):
                yield made
        async for item in self.collector.nodes():
            for made in self._node(item):
                yield made
        async for item in self.collector.ports():
            yield self._port(item)
        async for item in self.collector.node_ports():
            yield self._node_port(item)
        async for volume, servers in self.collector.volumes():
            for made in self._volume(volume, servers):
                yield made
        async for network, subnets in self.collector.networks():
            yield self._network(network, subnets)
        async for item in self.collector.images():
            yield self._image(item)
        async for item in self.collector.flavors():
            yield self._flavor(item)
        async for item in self.collector.hypervisors():
            yield self._hypervisor(item)

    def _server(self, item: Item) -> Iterator[InventoryObject]:
        variables = self._variables(item)
        flavor, image = (item.get(key) or {} for key in ("flavor", "image"))
        links = {
            "flavor_id": ("flavors", flavor.get("id")),
            "image_id": ("images", image.get("id")),
            "parent_host_id": ("hypervisors", item.get(HYPERVISOR)),
        }
        known = {
            column: self.persister[name].lazy_find(ref) if ref else None
            for column, (name, ref) in links.items()
            if name in self.persister.collections
        }
        groups = self._group_names(item, flavor.get("id"), image.get("id"))
        yield from self._host(item, variables, item.get("status") == "ACTIVE", groups, **known)

    def _node(self, item: Item) -> Iterator[InventoryObject]:
        variables = {BAREMETAL: {name: item[name] for name in NODE if name in item}}
        groups = [ROOT, BAREMETAL]
        if "region" in self.rules.group_by and self.rules.region:
            groups.append(_word("region", self.rules.region))
        yield from self._host(item, variables, not item.get("maintenance"), groups)

    def _host(
        self, item: Item, variables: dict[str, Any], active: bool, groups: Iterable[str], **links: Any
    ) -> Iterator[InventoryObject]:
        persister, instance = self.persister, identity(item)
        told = enabled_of(variables, self.rules.enabled_var, self.rules.enabled_value)
        yield persister.hosts.build(
            name=str((item.get("name") if self.rules.hostname == "name" else None) or instance),
            variables=variables,
            enabled=active if told is None else told,
            instance_id=instance,
            description=IMPORTED,
            **links,
        )
        host = persister.hosts.lazy_find(instance, ref="by_instance_id")
        for name in dict.fromkeys(group_name(name) for name in groups):
            if name not in self._groups:
                self._groups.add(name)
                yield persister.groups.build(name=name, variables={}, description=IMPORTED)
            yield persister.memberships.build(group_id=persister.groups.lazy_find(name), host_id=host)

    def _variables(self, item: Item) -> dict[str, Any]:
        """The server under `openstack`, as the plugin openstack.cloud.openstack has it, and ansible_host."""
        server = {_PREFIX.sub("", name): value for name, value in item.items() if name not in LEFT_OUT}
        address = self._address(item)
        variables: dict[str, Any] = {"openstack": server}
        return {**variables, "ansible_host": address} if address else variables

    def _address(self, item: Item) -> str:
        """The address that the source prefers, else another one; IPv4 before IPv6."""
        kinds: dict[str, list[str]] = {"fixed": [], "floating": []}
        every = [each for addresses in (item.get("addresses") or {}).values() for each in addresses]
        for each in sorted(every, key=lambda each: int(each.get("version", 4))):
            kinds["floating" if each.get("OS-EXT-IPS:type") == "floating" else "fixed"].append(each["addr"])
        kinds["access"] = [item[key] for key in ("accessIPv4", "accessIPv6") if item.get(key)]
        others = ("fixed", "floating") if self.rules.address == "fixed" else ("floating", "fixed")
        order = ("access", *others) if self.rules.address == "access" else others
        return next((str(address) for kind in order for address in kinds[kind]), "")

    def _group_names(self, item: Item, flavor: str | None, image: str | None) -> Iterator[str]:
        yield ROOT
        values = {
            "region": self.rules.region,
            "project": item.get("tenant_id"),
            "availability_zone": item.get("OS-EXT-AZ:availability_zone"),
            "flavor": flavor,
            "image": image,
        }
        for by in self.rules.group_by:
            if values[by]:
                yield _word(by, str(values[by]))
        metadata = item.get("metadata") or {}
        for key in self.rules.metadata:
            if metadata.get(key):
                yield _word("meta", key, str(metadata[key]))

    def _port(self, item: Item) -> InventoryObject:
        addresses = [str(each["ip_address"]) for each in item.get("fixed_ips") or () if each.get("ip_address")]
        network = item.get("network_id")
        return self.persister["network_ports"].build(
            ref=identity(item),
            name=item.get("name") or identity(item),
            host_id=self.persister.hosts.lazy_find(item["device_id"], ref="by_instance_id"),
            network_id=self.persister["networks"].lazy_find(network) if network else None,
            mac_address=item.get("mac_address"),
            ip_address=addresses[0] if addresses else None,
            ip_addresses=addresses,
            status=item.get("status"),
        )

    def _node_port(self, item: Item) -> InventoryObject:
        """A network card of a node. Ironic knows no addresses of it but its own."""
        return self.persister["network_ports"].build(
            ref=identity(item),
            name=item.get("name") or item.get("address") or identity(item),
            host_id=self.persister.hosts.lazy_find(item["node_uuid"], ref="by_instance_id"),
            mac_address=item.get("address"),
            ip_address=None,
            ip_addresses=[],
            status=None,
        )

    def _volume(self, item: Item, servers: frozenset[str]) -> Iterator[InventoryObject]:
        """A disk for each attachment: a volume may be attached to several servers."""
        attachments = [each for each in item.get("attachments") or () if each.get("server_id")]
        for each in attachments:
            server = each["server_id"]
            if server not in servers:
                continue
            yield self.persister["disks"].build(
                ref=identity(item) if len(attachments) == 1 else f"{identity(item)}/{server}",
                name=item.get("name") or identity(item),
                host_id=self.persister.hosts.lazy_find(server, ref="by_instance_id"),
                device=each.get("device"),
                size=gibibytes(item.get("size")),
                disk_type=item.get("volume_type"),
                state=item.get("status"),
                bootable=str(item.get("bootable", "")).casefold() == "true",
                encrypted=item.get("encrypted"),
            )

    def _network(self, item: Item, subnets: Iterable[Item]) -> InventoryObject:
        """`cidr` is that of the first subnet, one of IPv4 before others."""
        cidrs = [each["cidr"] for each in sorted(subnets, key=lambda each: int(each.get("ip_version", 4)))]
        return self.persister["networks"].build(
            ref=identity(item),
            name=item.get("name") or identity(item),
            cidr=cidrs[0] if cidrs else None,
            status=item.get("status"),
            mtu=item.get("mtu"),
            external=item.get("router:external"),
        )

    def _image(self, item: Item) -> InventoryObject:
        return self.persister["images"].build(
            ref=identity(item),
            name=item.get("name") or identity(item),
            architecture=item.get("architecture"),
            os_family=item.get("os_type"),
            size=item.get("size"),
            state=item.get("status"),
        )

    def _flavor(self, item: Item) -> InventoryObject:
        return self.persister["flavors"].build(
            ref=identity(item),
            name=item.get("name") or identity(item),
            cpus=item.get("vcpus"),
            memory_mb=item.get("ram"),
            root_disk_gb=item.get("disk"),
            ephemeral_gb=item.get("OS-FLV-EXT-DATA:ephemeral"),
        )

    def _hypervisor(self, item: Item) -> InventoryObject:
        name = item.get("hypervisor_hostname") or identity(item)
        return self.persister["hypervisors"].build(
            ref=name,
            name=name,
            hostname=name,
            hypervisor_type=item.get("hypervisor_type"),
            ip_address=item.get("host_ip"),
            state=item.get("state"),
            cpus=item.get("vcpus"),
            memory_mb=item.get("memory_mb"),
            region=self.rules.region or None,
        )


def _word(*parts: str) -> str:
    """A name that Ansible takes for a group: letters, digits and underscores."""
    return "_".join(_NO_NAME.sub("_", part) for part in parts)
