"""hypervisors/, flavors/, images/, networks/, disks/, network_ports/, resources/: what sources deliver beside hosts.

Read only: a refresh of the source is what writes them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from craton_inv import models
from craton_inv.api.ids import PathId
from craton_inv.api.preconditions import tell_etag
from craton_inv.api.v2.host_search import HostFilterDep, list_hosts_where
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
class Kind:
    """One kind of object, and where its lists are. `words`: what documents call several of them."""

    plural: str
    repository: type[Repository[Any]]
    presenter: type[SourceObjectPresenter[Any]]
    envelope: type[Any]

    @property
    def words(self) -> str:
        """Several of them."""
        return self.plural.replace("_", " ")


KINDS = (
    Kind("hypervisors", HypervisorRepository, HypervisorPresenter, HypervisorList),
    Kind("flavors", FlavorRepository, FlavorPresenter, FlavorList),
    Kind("images", ImageRepository, ImagePresenter, ImageList),
    Kind("networks", NetworkRepository, NetworkPresenter, NetworkList),
    Kind("disks", DiskRepository, DiskPresenter, DiskList),
    Kind("network_ports", NetworkPortRepository, NetworkPortPresenter, NetworkPortList),
    Kind("resources", ResourceRepository, ResourcePresenter, ResourceList),
)
OF = {kind.plural: kind for kind in KINDS}


def _add(path: str, endpoint: Callable[..., Any], operation: str, summary: str, answer: Any) -> None:
    """A GET, tagged by the first part of its path. Lists leave out what was not counted."""
    router.add_api_route(
        path,
        endpoint,
        methods=["GET"],
        name=operation,
        operation_id=operation,
        summary=summary,
        description=summary + ".",
        tags=[path.split("/")[1]],
        response_model=answer,
        response_model_exclude_unset=not path.endswith("/{id}/"),
    )


def _add_list(kind: Kind) -> None:
    async def endpoint(viewer: ViewerDep, window: WindowDep) -> Any:
        repository = kind.repository(viewer.session, viewer.scope)
        return await listed(window, repository, kind.presenter(viewer), kind.envelope)

    _add(f"/{kind.plural}/", endpoint, f"list_{kind.plural}", f"List {kind.words}", kind.envelope)


def _add_detail(kind: Kind) -> None:
    async def endpoint(row_id: RowId, viewer: ViewerDep, response: Response) -> Any:
        row = await kind.repository(viewer.session, viewer.scope).get(row_id)
        tell_etag(response, row)
        return await kind.presenter(viewer).one(row)

    name = singular(kind.plural)
    _add(f"/{kind.plural}/{{id}}/", endpoint, f"get_{name}", f"Read a {name.replace('_', ' ')}", kind.presenter.schema)


def _add_below(plural: str, owner: type[Repository[Any]], kind: Kind, column: Any) -> None:
    """The list of a kind below an object. `column`: the one that names the object."""

    async def endpoint(row_id: RowId, viewer: ViewerDep, window: WindowDep) -> Any:
        row = await owner(viewer.session, viewer.scope).get(row_id)
        repository = kind.repository(viewer.session, viewer.scope)
        # The tenant for the index, which begins with it.
        where = (kind.repository.model.tenant_id == row.tenant_id, column == row.id)
        return await listed(window, repository, kind.presenter(viewer), kind.envelope, *where)

    name = singular(plural).removeprefix("inventory_") if plural == "inventory_sources" else singular(plural)
    summary = f"List the {kind.words} of a {name.replace('_', ' ')}"
    if plural == "inventories":
        summary = f"List the {kind.words} of an inventory"
    _add(f"/{plural}/{{id}}/{kind.plural}/", endpoint, f"list_{name}_{kind.plural}", summary, kind.envelope)


def _add_hosts(kind: Kind, column: Any) -> None:
    async def endpoint(row_id: RowId, viewer: ViewerDep, window: WindowDep, host_filter: HostFilterDep) -> Any:
        row = await kind.repository(viewer.session, viewer.scope).get(row_id)
        return await list_hosts_where(viewer, window, host_filter, column == row.id)

    name = singular(kind.plural)
    _add(f"/{kind.plural}/{{id}}/hosts/", endpoint, f"list_{name}_hosts", f"List the hosts of a {name}", HostList)


for _kind in KINDS:
    _add_list(_kind)
    _add_detail(_kind)
    _add_below("inventories", InventoryRepository, _kind, _kind.repository.model.inventory_id)
_add_hosts(OF["hypervisors"], models.Host.parent_host_id)
_add_hosts(OF["flavors"], models.Host.flavor_id)
_add_hosts(OF["images"], models.Host.image_id)
_add_below("hosts", HostRepository, OF["disks"], models.Disk.host_id)
_add_below("hosts", HostRepository, OF["network_ports"], models.NetworkPort.host_id)
_add_below("networks", NetworkRepository, OF["network_ports"], models.NetworkPort.network_id)
_add_below("inventory_sources", InventorySourceRepository, OF["resources"], models.Resource.inventory_source_id)
