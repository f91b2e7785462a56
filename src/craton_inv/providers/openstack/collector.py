"""What is read of OpenStack: servers and bare-metal nodes, and what they use, service by service."""

from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import contextmanager

from craton_inv.errors import CratonInvError
from craton_inv.providers.openstack.cloud import Cloud, Item, NoSuchService, identity, is_id
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.target import Targets

HYPERVISOR = "OS-EXT-SRV-ATTR:hypervisor_hostname"
VOLUMES = "os-extended-volumes:volumes_attached"


class OpenstackCollector(Collector):
    """Servers have to be readable; another service that is not makes what comes from it incomplete.

    A service that the cloud does not offer has nothing to read, but one of machines has to be there: Nova, or Ironic
    for the part `baremetal`. `parts`: what is read beside servers. Ids of the machines are kept, a hundred bytes each:
    ports and volumes of others are left out by them.
    """

    def __init__(
        self, targets: Targets, cloud: Cloud, parts: Collection[str], all_projects: bool, say: Callable[[str], None]
    ) -> None:
        super().__init__(targets)
        self.cloud = cloud
        self.parts = frozenset(parts)
        self.scope = {"all_tenants": "1"} if all_projects else {}
        self.say = say
        self._no_servers = False
        self._absent: set[str] = set()
        self._servers: set[str] = set()
        self._nodes: set[str] = set()
        self._volumes: dict[str, None] = {}
        self._used: dict[str, dict[str, None]] = {"images": {}, "flavors": {}, "networks": {}, "hypervisors": {}}

    async def servers(self) -> AsyncIterator[Item]:
        """Servers that exist. Raises whatever the service refuses with."""
        try:
            async for item in self._every_server() if self.targets.full else self._asked_servers():
                self._servers.add(identity(item))
                yield item
        except NoSuchService as error:
            if "baremetal" not in self.parts:
                raise NoSuchService(f"{error.message} For bare metal alone, name the part baremetal.") from error
            self._no_servers = True
            self._tell(error)

    async def nodes(self) -> AsyncIterator[Item]:
        """Bare-metal nodes, but those under the servers that are read: there the server is the host."""
        if "baremetal" not in self.parts:
            return
        try:
            with self._partly("hosts", "groups", "memberships", "network_ports"):
                async for item in self._every_node() if self.targets.full else self._asked_nodes():
                    self._nodes.add(identity(item))
                    yield item
        except NoSuchService as error:
            if self._no_servers:
                raise
            for association in ("hosts", "groups", "memberships", "network_ports"):
                self.read_partly(association, error.message)

    async def node_ports(self) -> AsyncIterator[Item]:
        """Ports of the nodes."""
        with self._partly("network_ports"):
            for filters in self._by_machine("node", self._nodes):
                async for item in self.cloud.items("baremetal", "/ports/detail", "ports", **filters):
                    if item.get("node_uuid") in self._nodes:
                        yield item

    async def ports(self) -> AsyncIterator[Item]:
        """Ports of the servers."""
        if "networks" not in self.parts:
            return
        with self._partly("network_ports"), self._offered("network_ports"):
            for filters in self._by_machine("device_id", self._servers):
                async for item in self.cloud.items("network", "/ports", "ports", **filters):
                    if item.get("device_id") in self._servers:
                        if item.get("network_id"):
                            self._used["networks"][item["network_id"]] = None
                        yield item

    async def volumes(self) -> AsyncIterator[tuple[Item, frozenset[str]]]:
        """Volumes attached to the servers, with those of the servers that they are attached to."""
        if "volumes" not in self.parts:
            return
        with self._partly("disks"), self._offered("disks"):
            async for item in self._listed("block_storage", "/volumes/detail", "volume", self._volumes, **self.scope):
                attached = frozenset(str(each.get("server_id")) for each in item.get("attachments") or ())
                if attached & self._servers:
                    yield item, attached & self._servers

    async def networks(self) -> AsyncIterator[tuple[Item, list[Item]]]:
        """Networks with their subnets."""
        if "networks" not in self.parts:
            return
        with self._partly("networks"), self._offered("networks"):
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
        """Images as Glance lists them: it shows more than these to whoever knows an id."""
        if "images" not in self.parts:
            return
        with self._partly("images"), self._offered("images"):
            wanted = self._wanted("images")
            for filters in [{}] if self.targets.full else [{"id": f"in:{ref}"} for ref in wanted if is_id(ref)]:
                async for item in self.cloud.items("image", "/images", "images", **filters):
                    if self.targets.full or f"in:{identity(item)}" == filters["id"]:
                        yield item

    async def flavors(self) -> AsyncIterator[Item]:
        """Flavors, those that only some projects see too where all projects are read.

        A targeted refresh reads the list as well: it is short, and by its id Nova shows what it does not list.
        """
        wanted = self._wanted("flavors")
        if "flavors" not in self.parts or not (self.targets.full or wanted):
            return
        only = {"is_public": "None"} if self.scope else {}
        with self._partly("flavors"), self._offered("flavors"):
            async for item in self.cloud.items("compute", "/flavors/detail", "flavors", **only):
                if self.targets.full or identity(item) in wanted:
                    yield item

    async def hypervisors(self) -> AsyncIterator[Item]:
        """Hypervisors; only their names link servers to them, so one is looked for by its name."""
        if "hypervisors" not in self.parts:
            return
        with self._partly("hypervisors"), self._offered("hypervisors"):
            wanted = self._wanted("hypervisors")
            for filters in [{}] if self.targets.full else [{"hypervisor_hostname_pattern": name} for name in wanted]:
                async for item in self.cloud.items("compute", "/os-hypervisors/detail", "hypervisors", **filters):
                    if self.targets.full or item.get("hypervisor_hostname") in filters.values():
                        yield item

    async def close(self) -> None:
        """Close the connections."""
        await self.cloud.close()

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

    async def _every_server(self) -> AsyncIterator[Item]:
        async for item in self.cloud.items("compute", "/servers/detail", "servers", **self.scope):
            yield item

    async def _asked_servers(self) -> AsyncIterator[Item]:
        for wanted in sorted(self.values("hosts", "instance_id")):
            found = await self._server(wanted)
            if found is not None:
                self._note(found)
                yield found

    async def _server(self, wanted: str) -> Item | None:
        """A server that a full refresh would read: an administrator may ask for those of other projects, too."""
        found = await self.cloud.one("compute", "/servers/detail", wanted, "server")
        if found is None or self.scope:
            return found
        return found if await self.cloud.project() in ("", found.get("tenant_id")) else None

    async def _every_node(self) -> AsyncIterator[Item]:
        async for item in self.cloud.items("baremetal", "/nodes/detail", "nodes"):
            if item.get("instance_uuid") not in self._servers:
                yield item

    async def _asked_nodes(self) -> AsyncIterator[Item]:
        for wanted in sorted(self.values("hosts", "instance_id") - self._servers):
            found = await self.cloud.one("baremetal", "/nodes/detail", wanted, "node")
            server = found.get("instance_uuid") if found is not None else None
            if found is None or (server and not self._no_servers and await self._server(str(server)) is not None):
                continue
            yield found

    def _by_machine(self, name: str, machines: Collection[str]) -> Iterator[dict[str, str]]:
        """The filters of each request: none, else a machine each. No machines, no request."""
        if self.targets.full and machines:
            yield {}
            return
        for machine in sorted(machines):
            yield {name: machine}

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

    def _tell(self, error: NoSuchService) -> None:
        """Say once that a service is not there."""
        if error.message not in self._absent:
            self._absent.add(error.message)
            self.say(error.message)

    @contextmanager
    def _offered(self, association: str) -> Iterator[None]:
        """A service that the cloud does not offer has nothing to read; what was read of it earlier stays."""
        try:
            yield
        except NoSuchService as error:
            self._tell(error)
            self.keep(association, error.message)

    @contextmanager
    def _partly(self, *associations: str) -> Iterator[None]:
        """What fails inside is told as incomplete, and goes no further; an absent service is for others to tell."""
        try:
            yield
        except NoSuchService:
            raise
        except CratonInvError as error:
            for association in associations:
                self.read_partly(association, error.message)
