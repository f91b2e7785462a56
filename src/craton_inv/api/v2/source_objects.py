"""hypervisors/, flavors/, images/, networks/, disks/, network_ports/, resources/: what sources deliver beside hosts.

Read only: a refresh of the source is what writes them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from sqlalchemy import ColumnElement, and_

from craton_inv import models
from craton_inv.api.ids import PathId
from craton_inv.api.preconditions import tell_etag
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.host_search import HostFilterDep, list_hosts_where
from craton_inv.api.v2.kinds import Kind
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.api.v2.present.source_objects import (
    DiskPresenter,
    FlavorPresenter,
    HypervisorPresenter,
    ImagePresenter,
    NetworkPortPresenter,
    NetworkPresenter,
    ResourcePresenter,
    SourceObjectPresenter,
)
from craton_inv.filters.paths import singular
from craton_inv.repositories.base import Repository
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.repositories.source_objects import (
    DiskRepository,
    FlavorRepository,
    HypervisorRepository,
    ImageRepository,
    NetworkPortRepository,
    NetworkRepository,
    ResourceRepository,
)
from craton_inv.schemas.v2.disks import DiskList
from craton_inv.schemas.v2.flavors import FlavorList
from craton_inv.schemas.v2.hosts import HostList
from craton_inv.schemas.v2.hypervisors import HypervisorList
from craton_inv.schemas.v2.images import ImageList
from craton_inv.schemas.v2.network_ports import NetworkPortList
from craton_inv.schemas.v2.networks import NetworkList
from craton_inv.schemas.v2.resources import ResourceList

router = APIRouter()
RowId = Annotated[PathId, Path(alias="id")]


@dataclass(frozen=True)
class ObjectKind(Kind):
    """A kind of objects, and the first part of the path of its lists."""

    presenter: type[SourceObjectPresenter[Any]]
    plural: str

    @property
    def words(self) -> str:
        """What documents call several of them."""
        return self.plural.replace("_", " ")


HYPERVISORS = ObjectKind(HypervisorRepository, HypervisorPresenter, HypervisorList, "hypervisors")
FLAVORS = ObjectKind(FlavorRepository, FlavorPresenter, FlavorList, "flavors")
IMAGES = ObjectKind(ImageRepository, ImagePresenter, ImageList, "images")
NETWORKS = ObjectKind(NetworkRepository, NetworkPresenter, NetworkList, "networks")
DISKS = ObjectKind(DiskRepository, DiskPresenter, DiskList, "disks")
NETWORK_PORTS = ObjectKind(NetworkPortRepository, NetworkPortPresenter, NetworkPortList, "network_ports")
RESOURCES = ObjectKind(ResourceRepository, ResourcePresenter, ResourceList, "resources")


def _add(path: str, endpoint: Callable[..., Any], operation: str, summary: str, answer: Any) -> None:
    """A GET, tagged by the first part of its path. Lists leave out what was not counted."""
    endpoint.__doc__ = f"{summary}."
    router.add_api_route(
        path,
        endpoint,
        methods=["GET"],
        name=operation,
        operation_id=operation,
        summary=summary,
        tags=[path.split("/")[1]],
        response_model=answer,
        response_model_exclude_unset=not path.endswith("/{id}/"),
    )


def _add_list(kind: ObjectKind) -> None:
    async def endpoint(viewer: ViewerDep, window: WindowDep) -> Any:
        repository = kind.repository(viewer.session, viewer.scope)
        return await listed(window, repository, kind.presenter(viewer), kind.envelope)

    _add(f"/{kind.plural}/", endpoint, f"list_{kind.plural}", f"List {kind.words}", kind.envelope)


def _add_detail(kind: ObjectKind) -> None:
    async def endpoint(row_id: RowId, viewer: ViewerDep, response: Response) -> Any:
        row = await kind.repository(viewer.session, viewer.scope).get(row_id)
        tell_etag(response, row)
        return await kind.presenter(viewer).one(row)

    name = singular(kind.plural)
    _add(f"/{kind.plural}/{{id}}/", endpoint, f"get_{name}", f"Read a {name.replace('_', ' ')}", kind.presenter.schema)


def _add_below(plural: str, owner: type[Repository[Any]], kind: ObjectKind, column: Any) -> None:
    """The list of a kind below an object. `column`: the one that names the object."""

    def of_row(row: Any) -> ColumnElement[bool]:
        # The tenant for the index, which begins with it.
        return and_(kind.repository.model.tenant_id == row.tenant_id, column == row.id)

    name = singular(plural).removeprefix("inventory_")
    of_row.__name__ = f"list_{name}_{kind.plural}"
    of_row.__doc__ = f"List the {kind.words} of {'an' if name == 'inventory' else 'a'} {name}."
    list_below(router, f"/{plural}/{{id}}/{kind.plural}/", owner, kind, tag=plural)(of_row)


def _add_hosts(kind: ObjectKind, column: Any) -> None:
    async def endpoint(row_id: RowId, viewer: ViewerDep, window: WindowDep, host_filter: HostFilterDep) -> Any:
        row = await kind.repository(viewer.session, viewer.scope).get(row_id)
        return await list_hosts_where(viewer, window, host_filter, column == row.id)

    name = singular(kind.plural)
    _add(f"/{kind.plural}/{{id}}/hosts/", endpoint, f"list_{name}_hosts", f"List the hosts of a {name}", HostList)


for _kind in (HYPERVISORS, FLAVORS, IMAGES, NETWORKS, DISKS, NETWORK_PORTS, RESOURCES):
    _add_list(_kind)
    _add_detail(_kind)
    _add_below("inventories", InventoryRepository, _kind, _kind.repository.model.inventory_id)
_add_hosts(HYPERVISORS, models.Host.parent_host_id)
_add_hosts(FLAVORS, models.Host.flavor_id)
_add_hosts(IMAGES, models.Host.image_id)
_add_below("hosts", HostRepository, DISKS, models.Disk.host_id)
_add_below("hosts", HostRepository, NETWORK_PORTS, models.NetworkPort.host_id)
_add_below("networks", NetworkRepository, NETWORK_PORTS, models.NetworkPort.network_id)
_add_below("inventory_sources", InventorySourceRepository, RESOURCES, models.Resource.inventory_source_id)
