"""What is read of EC2: instances region by region, and of all else what those instances use."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from craton_inv.errors import CratonInvError
from craton_inv.providers.ec2.aws import PAGE_SIZE, Cloud
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.target import Targets

Item = Mapping[str, Any]
CHUNK = 100  # ids that one request names
GONE = frozenset({"terminated", "shutting-down"})
# Everything that hangs on the instances of a region.
DEPENDENT = ("hosts", "groups", "memberships", "disks", "network_ports", "images", "flavors", "networks")
# What instances use: by which filter it is asked for, and what an instance calls it.
IN_USE = {
    "images": ("image-id", "ImageId"),
    "flavors": ("instance-type", "InstanceType"),
    "networks": ("vpc-id", "VpcId"),
}


class Ec2Collector(Collector):
    """Yields (region, item). A region that cannot be read makes what comes from it incomplete; all together fail.

    Only images, instance types and VPCs in use are asked for: the images of Amazon are a hundred thousand. Ids of the
    instances are kept, a hundred bytes each: volumes and interfaces of other ones are left out by them.
    """

    def __init__(
        self, targets: Targets, cloud: Cloud, regions: Sequence[str], filters: Mapping[str, str | list[str]]
    ) -> None:
        super().__init__(targets)
        self.cloud = cloud
        self.regions = tuple(dict.fromkeys(regions))
        self.filters = [{"Name": name, "Values": _listed(value)} for name, value in filters.items()]
        self._instances: dict[str, set[str]] = {region: set() for region in self.regions}
        self._used: dict[str, dict[str, set[str]]] = {name: {} for name in IN_USE}
        self._failed: dict[str, CratonInvError] = {}

    async def instances(self) -> AsyncIterator[tuple[str, Item]]:
        """Instances that exist; terminated ones linger in Amazon's answers for an hour."""
        wanted = None if self.targets.full else self.values("hosts", "instance_id")
        for region in self.regions:
            async for item in self._read(region, DEPENDENT, "describe_instances", "Instances", wanted, "instance-id"):
                if not _is_there(item) or not _asked(item, "InstanceId", wanted):
                    continue
                self._instances[region].add(item["InstanceId"])
                for association, (_, key) in IN_USE.items():
                    if item.get(key):
                        self._used[association].setdefault(region, set()).add(item[key])
                yield region, item

    async def volumes(self) -> AsyncIterator[tuple[str, Item, frozenset[str]]]:
        """Volumes attached to the instances, with those of the instances that they are attached to."""
        async for region, item in self._attached("disks", "describe_volumes", "Volumes"):
            attached = {str(each.get("InstanceId")) for each in item.get("Attachments", ())}
            if here := attached & self._instances[region]:
                yield region, item, frozenset(here)

    async def interfaces(self) -> AsyncIterator[tuple[str, Item]]:
        """Network interfaces attached to the instances."""
        async for region, item in self._attached("network_ports", "describe_network_interfaces", "NetworkInterfaces"):
            if _asked(item.get("Attachment", {}), "InstanceId", self._instances[region]):
                yield region, item

    async def images(self) -> AsyncIterator[tuple[str, Item]]:
        """Images that the instances were made from, if they still exist."""
        async for found in self._in_use("images", "describe_images", "Images"):
            yield found

    async def instance_types(self) -> AsyncIterator[tuple[str, Item]]:
        """Types of the instances."""
        async for found in self._in_use("flavors", "describe_instance_types", "InstanceTypes"):
            yield found

    async def vpcs(self) -> AsyncIterator[tuple[str, Item]]:
        """VPCs of the instances."""
        async for found in self._in_use("networks", "describe_vpcs", "Vpcs"):
            yield found

    async def _attached(self, association: str, operation: str, key: str) -> AsyncIterator[tuple[str, Item]]:
        """What may be attached to the instances: all there is, or in a targeted refresh what Amazon says is theirs."""
        for region in self.regions:
            wanted = None if self.targets.full else self._instances[region]
            async for item in self._read(region, (association,), operation, key, wanted, "attachment.instance-id"):
                yield region, item

    async def _in_use(self, association: str, operation: str, key: str) -> AsyncIterator[tuple[str, Item]]:
        """What the instances use, and what a target names if any instance uses it. Each comes once.

        A target may name what other instances use; what none uses, a full refresh does not deliver either.
        """
        name, ref = IN_USE[association]
        seen: set[str] = set()
        for region in self.regions:
            wanted = self._used[association].get(region, set())
            wanted |= await self._used_by_any(region, association, self.values(association, "ref") - wanted)
            async for item in self._read(region, (association,), operation, key, wanted - seen, name):
                if _asked(item, ref, wanted - seen):
                    seen.add(item[ref])
                    yield region, item

    async def _used_by_any(self, region: str, association: str, refs: frozenset[str]) -> set[str]:
        """Those of the references that an instance of the region uses."""
        name, ref = IN_USE[association]
        used: set[str] = set()
        asking = self._read(region, (association,), "describe_instances", "Instances", refs, name)
        async with aclosing(asking) as items:
            async for item in items:
                if _is_there(item) and _asked(item, ref, refs):
                    used.add(item[ref])
                if used == refs:
                    break
        return used

    async def _read(
        self,
        region: str,
        associations: tuple[str, ...],
        operation: str,
        key: str,
        wanted: Iterable[str] | None,
        name: str,
    ) -> AsyncGenerator[Item, None]:
        """The items of an operation in a region. A region that fails is told as incomplete; the last one raises."""
        if region in self._failed:
            return
        try:
            for filters in self._filters(operation, wanted, name):
                parameters: dict[str, Any] = {"Filters": filters} if filters else {}
                if operation == "describe_instances" and not filters:
                    parameters["PaginationConfig"] = {"PageSize": PAGE_SIZE}
                async for page in self.cloud.pages(region, operation, **parameters):
                    for item in _items(page, key):
                        yield item
        except CratonInvError as error:
            if operation == "describe_instances":
                self._failed[region] = error
            if len(self._failed) == len(self.regions):
                raise
            for association in associations:
                self.read_partly(association, error.message)

    def _filters(self, operation: str, wanted: Iterable[str] | None, name: str) -> Iterator[list[dict[str, Any]]]:
        """The filters of each request: ids in chunks, else those of the source, once."""
        own = self.filters if operation == "describe_instances" else []
        if wanted is None:
            yield own
            return
        ids = sorted(wanted)
        for start in range(0, len(ids), CHUNK):
            yield [*own, {"Name": name, "Values": ids[start : start + CHUNK]}]

    async def close(self) -> None:
        """Close the connections."""
        await self.cloud.close()


def _items(page: Item, key: str) -> Iterator[Item]:
    if key == "Instances":
        for reservation in page.get("Reservations", ()):
            yield from reservation.get("Instances", ())
    else:
        yield from page.get(key, ())


def _is_there(item: Item) -> bool:
    return item.get("State", {}).get("Name") not in GONE


def _asked(item: Item, key: str, wanted: Collection[str] | None) -> bool:
    """Whether an item is one of those wanted; None wants all that have the key."""
    return bool(item.get(key)) and (wanted is None or item[key] in wanted)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
