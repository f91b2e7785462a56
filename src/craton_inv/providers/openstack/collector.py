"""What is read of OpenStack: servers and bare-metal nodes, and what they use, service by service."""

from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager

from craton_inv.errors import CratonInvError
from craton_inv.providers.openstack.cloud import Cloud, Item, identity
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.target import Targets

HYPERVISOR = "OS-EXT-SRV-ATTR:hypervisor_hostname"
VOLUMES = "os-extended-volumes:volumes_attached"


class OpenstackCollector(Collector):
    """Servers have to be readable; another service that is not makes what comes from it incomplete.

    `parts`: what is read beside servers. Ids of the servers are kept, a hundred bytes each: ports and volumes of
    other machines are left out by them.
    """

    def __init__(self, targets: Targets, cloud: Cloud, parts: Collection[str], all_projects: bool) -> None:
        super().__init__(targets)
        self.cloud = cloud
        self.parts = frozenset(parts)
        self.scope = {"all_tenants": "1"} if all_projects else {}
        self._servers: set[str] = set()
        self._volumes: dict[str, None] = {}
        self._used: dict[str, dict[str, None]] = {"images": {}, "flavors": {}, "networks": {}, "hypervisors": {}}

    async def servers(self) -> AsyncIterator[Item]:
        """Servers that exist. Raises whatever the service refuses with."""
        if self.targets.full:
            async for item in self.cloud.items("compute", "/servers/detail", "servers", **self.scope):
                self._servers.add(identity(item))
                yield item
            return
        for wanted in sorted(self.values("hosts", "instance_id")):
            found = await self.cloud.one("compute", "/servers/detail", wanted, "server")
            if found is not None:
                self._servers.add(wanted)
                self._note(found)
                yield found

    async def nodes(self) -> AsyncIterator[Item]:
        """Bare-metal nodes without a server on them: that server is the host."""
        if "baremetal" not in self.parts:
            return
        with self._partly("hosts", "groups", "memberships"):
            if self.targets.full:
                async for item in self.cloud.items("baremetal", "/nodes/detail", "nodes"):
                    if not item.get("instance_uuid"):
                        yield item
            for wanted in sorted(self.values("hosts", "instance_id") - self._servers):
                found = await self.cloud.one("baremetal", "/nodes/detail", wanted, "node")
                if found is not None and not found.get("instance_uuid"):
                    yield found

    async def ports(self) -> AsyncIterator[Item]:
        """Ports of the servers."""
        if "networks" not in self.parts:
            return
        with self._partly("network_ports"):
            for filters in self._by_server("device_id"):
                async for item in self.cloud.items("network", "/ports", "ports", **filters):
                    if item.get("device_id") in self._servers:
                        if item.get("network_id"):
                            self._used["networks"][item["network_id"]] = None
                        yield item

    async def volumes(self) -> AsyncIterator[tuple[Item, frozenset[str]]]:
        """Volumes attached to the servers, with those of the servers that they are attached to."""
        if "volumes" not in self.parts:
            return
        with self._partly("disks"):
            async for item in self._listed("block_storage", "/volumes/detail", "volume", self._volumes, **self.scope):
                attached = frozenset(str(each.get("server_id")) for each in item.get("attachments") or ())
                if attached & self._servers:
                    yield item, attached & self._servers

    async def networks(self) -> AsyncIterator[tuple[Item, list[Item]]]:
        """Networks with their subnets."""
        if "networks" not in self.parts:
            return
        with self._partly("networks"):
            subnets: dict[str, list[Item]] = {}
            wanted = self._wanted("networks")
            if not self.targets.full and not wanted:
                return
            for filters in [{}] if self.targets.full else [{"network_id": ref} for ref in wanted]:
                async for subnet in self.cloud.items("network", "/subnets", "subnets", **filters):
                    subnets.setdefault(str(subnet.get("network_id")), []).append(subnet)
            async for item in self._listed("network", "/networks", "network", wanted):
                yield item, sorted(subnets.get(identity(item), ()), key=identity)

    async def images(self) -> AsyncIterator[Item]:
        """Images."""
        async for item in self._part("images", "image", "/images", "image"):
            yield item

    async def flavors(self) -> AsyncIterator[Item]:
        """Flavors, those that only some projects see too where all projects are read."""
        only = {"is_public": "None"} if self.scope else {}
        async for item in self._part("flavors", "compute", "/flavors/detail", "flavor", **only):
            yield item

    async def hypervisors(self) -> AsyncIterator[Item]:
        """Hypervisors; only their names link servers to them, so one is looked for by its name."""
        if "hypervisors" not in self.parts:
            return
        with self._partly("hypervisors"):
            wanted = self._wanted("hypervisors")
            for filters in [{}] if self.targets.full else [{"hypervisor_hostname_pattern": name} for name in wanted]:
                async for item in self.cloud.items("compute", "/os-hypervisors/detail", "hypervisors", **filters):
                    if self.targets.full or item.get("hypervisor_hostname") in wanted:
                        yield item

    async def close(self) -> None:
        """Close the connections."""
        await self.cloud.close()

    async def _part(self, association: str, service: str, path: str, key: str, **only: str) -> AsyncIterator[Item]:
        if association in self.parts:
            with self._partly(association):
                async for item in self._listed(service, path, key, self._wanted(association), **only):
                    yield item

    async def _listed(
        self, service: str, path: str, key: str, wanted: Collection[str], **only: str
    ) -> AsyncIterator[Item]:
        """All objects of a list, or those that a targeted refresh wants."""
        if self.targets.full:
            async for item in self.cloud.items(service, path, f"{key}s", **only):
                yield item
            return
        for ref in wanted:
            found = await self.cloud.one(service, path, ref, key)
            if found is not None:
                yield found

    def _by_server(self, name: str) -> Iterator[dict[str, str]]:
        """The filters of each request: none, else a server each."""
        if self.targets.full:
            yield {}
            return
        for server in sorted(self._servers):
            yield {name: server}

    def _wanted(self, association: str) -> list[str]:
        """What a targeted refresh wants: what it names, and what its servers use."""
        return sorted(self.values(association, "ref").union(self._used[association]))

    def _note(self, server: Item) -> None:
        """Remember what a server uses."""
        for association, key in (("images", "image"), ("flavors", "flavor")):
            if server.get(key):
                self._used[association][str(server[key].get("id"))] = None
        if server.get(HYPERVISOR):
            self._used["hypervisors"][str(server[HYPERVISOR])] = None
        for volume in server.get(VOLUMES) or ():
            self._volumes[str(volume.get("id"))] = None

    @contextmanager
    def _partly(self, *associations: str) -> Iterator[None]:
        """What fails inside is told as incomplete, and goes no further."""
        try:
            yield
        except CratonInvError as error:
            for association in associations:
                self.read_partly(association, error.message)
