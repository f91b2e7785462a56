"""Hypervisors, flavors, images, networks, disks, ports and resources as /v2 shows them."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any, ClassVar, Generic, TypeVar

from craton_inv import models
from craton_inv.api.v2.present.base import Inventories, Viewer, summary_of
from craton_inv.repositories import summaries
from craton_inv.schemas.v2.disks import Disk
from craton_inv.schemas.v2.envelope import Envelope
from craton_inv.schemas.v2.flavors import Flavor
from craton_inv.schemas.v2.hypervisors import Hypervisor
from craton_inv.schemas.v2.images import Image
from craton_inv.schemas.v2.network_ports import NetworkPort
from craton_inv.schemas.v2.networks import Network
from craton_inv.schemas.v2.resources import Resource
from craton_inv.schemas.v2.source_objects import SourceObject

Shown = TypeVar("Shown", bound=SourceObject)
ADDRESSES = (IPv4Address, IPv6Address, IPv4Interface, IPv6Interface)


class SourceObjectPresenter(Generic[Shown]):
    """Three statements for a page (inventories, their totals, sources), and one more for each of `links`.

    schema         what one row becomes
    kind           AWX's word for such a row, had it one
    links          fields that name another row, with its model; the column adds _id
    sub_resources  lists below such a row
    """

    schema: ClassVar[type[Any]]
    kind: ClassVar[str]
    links: ClassVar[dict[str, type[Any]]] = {}
    sub_resources: ClassVar[tuple[str, ...]] = ()

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def one(self, row: Any) -> Shown:
        """An object."""
        return (await self.many([row]))[0]

    async def many(self, rows: Sequence[Any]) -> list[Shown]:
        """Objects, in the order given."""
        if not rows:
            return []
        session, links = self.viewer.session, self.viewer.links
        inventories = await Inventories.load(self.viewer, (row.inventory_id for row in rows))
        sources = await summaries.sources(session, (row.inventory_source_id for row in rows))
        linked = {
            name: await summaries.named(session, model, (getattr(row, f"{name}_id") for row in rows))
            for name, model in self.links.items()
        }
        made: list[Shown] = []
        for row in rows:
            refers = {name: getattr(row, f"{name}_id") for name in self.links}
            known = {name: linked[name][row_id] for name, row_id in refers.items() if row_id in linked[name]}
            made.append(
                self.schema(
                    **{name: _plain(getattr(row, name)) for name in self._copied()},
                    **refers,
                    type=self.kind,
                    url=links.to(self.kind, row.id),
                    related={
                        **links.below(self.kind, row.id, self.sub_resources),
                        **{name: links.to(name, other.id) for name, other in known.items()},
                        "inventory_source": links.to("inventory_source", row.inventory_source_id),
                        "inventory": links.to("inventory", row.inventory_id),
                    },
                    summary_fields={
                        **inventories.fields(row.inventory_id),
                        "inventory_source": summary_of(
                            sources[row.inventory_source_id], "id", "name", "source", "status"
                        ),
                        **{name: summary_of(other, "id", "name") for name, other in known.items()},
                        "user_capabilities": {"edit": False, "delete": False},
                    },
                    inventory=row.inventory_id,
                    inventory_source=row.inventory_source_id,
                )
            )
        return made

    @classmethod
    def _copied(cls) -> list[str]:
        """The fields that are columns of the row."""
        own = {"id", "created", "modified"}
        made = (Envelope.model_fields.keys() - own) | {"inventory", "inventory_source"} | cls.links.keys()
        return [name for name in cls.schema.model_fields if name not in made]


def _plain(value: Any) -> Any:
    """Addresses and networks as texts."""
    return str(value) if isinstance(value, ADDRESSES) else value


class HypervisorPresenter(SourceObjectPresenter[Hypervisor]):
    """Hypervisors."""

    schema = Hypervisor
    kind = "hypervisor"
    sub_resources = ("hosts",)


class FlavorPresenter(SourceObjectPresenter[Flavor]):
    """Flavors."""

    schema = Flavor
    kind = "flavor"
    sub_resources = ("hosts",)


class ImagePresenter(SourceObjectPresenter[Image]):
    """Images."""

    schema = Image
    kind = "image"
    sub_resources = ("hosts",)


class NetworkPresenter(SourceObjectPresenter[Network]):
    """Networks."""

    schema = Network
    kind = "network"
    sub_resources = ("network_ports",)


class DiskPresenter(SourceObjectPresenter[Disk]):
    """Disks."""

    schema = Disk
    kind = "disk"
    links = {"host": models.Host}  # noqa: RUF012 - a constant of the class


class NetworkPortPresenter(SourceObjectPresenter[NetworkPort]):
    """Network ports."""

    schema = NetworkPort
    kind = "network_port"
    links = {"host": models.Host, "network": models.Network}  # noqa: RUF012 - a constant of the class


class ResourcePresenter(SourceObjectPresenter[Resource]):
    """Objects of the providers' own collections."""

    schema = Resource
    kind = "resource"
