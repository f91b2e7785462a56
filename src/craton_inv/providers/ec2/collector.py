"""What is read of EC2: instances region by region, and of all else what those instances use."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
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


class Ec2Collector(Collector):
    """Yields (region, item). A region that cannot be read makes what comes from it incomplete; all together fail.

    Only images, instance types and VPCs in use are asked for: the images of Amazon are a hundred thousand.
    """

    def __init__(
        self, targets: Targets, cloud: Cloud, regions: Sequence[str], filters: Mapping[str, str | list[str]]
    ) -> None:
        super().__init__(targets)
        self.cloud = cloud
        self.regions = tuple(dict.fromkeys(regions))
        self.filters = [{"Name": name, "Values": _listed(value)} for name, value in filters.items()]
        self._used: dict[str, dict[str, dict[str, None]]] = {"images": {}, "flavors": {}, "networks": {}}
        self._failed: dict[str, CratonInvError] = {}

    async def instances(self) -> AsyncIterator[tuple[str, Item]]:
        """Instances that exist; terminated ones linger in Amazon's answers for an hour."""
        wanted = None if self.targets.full else self.values("hosts", "instance_id")
        for region in self.regions:
            async for item in self._read(region, DEPENDENT, "describe_instances", "Instances", wanted, "instance-id"):
                if item.get("State", {}).get("Name") in GONE or not _asked(item, "InstanceId", wanted):
                    continue
                for association, key in (("images", "ImageId"), ("flavors", "InstanceType"), ("networks", "VpcId")):
                    if item.get(key):
                        self._used[association].setdefault(region, {})[item[key]] = None
                yield region, item

    async def volumes(self) -> AsyncIterator[tuple[str, Item]]:
        """Volumes attached to the instances."""
        wanted = None if self.targets.full else self.values("hosts", "instance_id")
        for region in self.regions:
            async for item in self._read(
                region, ("disks",), "describe_volumes", "Volumes", wanted, "attachment.instance-id"
            ):
                if any(_asked(each, "InstanceId", wanted) for each in item.get("Attachments", ())):
                    yield region, item

    async def interfaces(self) -> AsyncIterator[tuple[str, Item]]:
        """Network interfaces attached to the instances."""
        wanted = None if self.targets.full else self.values("hosts", "instance_id")
        for region in self.regions:
            async for item in self._read(
                region, ("network_ports",), "describe_network_interfaces", "NetworkInterfaces", wanted,
                "attachment.instance-id",
            ):  # fmt: skip
                if _asked(item.get("Attachment", {}), "InstanceId", wanted):
                    yield region, item

    async def images(self) -> AsyncIterator[tuple[str, Item]]:
        """Images that the instances were made from, if they still exist."""
        async for found in self._in_use("images", "describe_images", "Images", "image-id", "ImageId"):
            yield found

    async def instance_types(self) -> AsyncIterator[tuple[str, Item]]:
        """Types of the instances. A type of several regions comes once."""
        seen: set[str] = set()
        async for region, item in self._in_use(
            "flavors", "describe_instance_types", "InstanceTypes", "instance-type", "InstanceType"
        ):
            if item["InstanceType"] not in seen:
                seen.add(item["InstanceType"])
                yield region, item

    async def vpcs(self) -> AsyncIterator[tuple[str, Item]]:
        """VPCs of the instances."""
        async for found in self._in_use("networks", "describe_vpcs", "Vpcs", "vpc-id", "VpcId"):
            yield found

    async def _in_use(
        self, association: str, operation: str, key: str, name: str, ref: str
    ) -> AsyncIterator[tuple[str, Item]]:
        """What instances use or a target names."""
        asked = self.values(association, "ref")
        for region in self.regions:
            wanted = frozenset(self._used[association].get(region, ())) | asked
            if not wanted:
                continue
            async for item in self._read(region, (association,), operation, key, wanted, name):
                if _asked(item, ref, wanted):
                    yield region, item

    async def _read(
        self,
        region: str,
        associations: tuple[str, ...],
        operation: str,
        key: str,
        wanted: Iterable[str] | None,
        name: str,
    ) -> AsyncIterator[Item]:
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


def _asked(item: Item, key: str, wanted: Iterable[str] | None) -> bool:
    """Whether an item is one of those wanted; None wants all that have the key."""
    return bool(item.get(key)) and (wanted is None or item[key] in wanted)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
