"""hosts/: the list with its search, and single hosts."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import ColumnElement

from craton_inv import models
from craton_inv.api.ids import PathId
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.api.v2.associating import content_of
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.getting import keep_inventory, referred
from craton_inv.api.v2.host_search import HostFilterDep, list_hosts_where, take_smart_inventories
from craton_inv.api.v2.kinds import GROUPS, INVENTORY_SOURCES
from craton_inv.api.v2.listing import WindowDep
from craton_inv.api.v2.present import HostPresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.repositories import groups, inventory_sources
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.schemas.v2.hosts import Host, HostCreate, HostList, HostPatch, HostReplace
from craton_inv.services import hosts as service

router = APIRouter(prefix="/hosts", tags=["hosts"])
HostId = Annotated[PathId, Path(alias="id")]


@router.get("/", operation_id="list_hosts", response_model_exclude_unset=True)
async def list_hosts(viewer: ViewerDep, window: WindowDep, host_filter: HostFilterDep) -> HostList:
    """List hosts, or search them by `host_filter`; those of a smart inventory too when `inventory` names one."""
    smart = await take_smart_inventories(viewer, window)
    return await list_hosts_where(viewer, window, host_filter, inventories=smart, key="error")


@router.post("/", operation_id="create_host", status_code=201)
async def create_host(body: HostCreate, viewer: ViewerDep, response: Response) -> Host:
    """Create a host."""
    inventories = InventoryRepository(viewer.session, viewer.scope)
    inventory = await referred(inventories, "inventory", body.inventory)
    row = await service.create_host(viewer.session, viewer.scope, inventory, content_of(body))
    response.headers["Location"] = viewer.links.to("host", row.id)
    return await HostPresenter(viewer).one(row)


@router.get("/{id}/", operation_id="get_host")
async def get_host(host_id: HostId, viewer: ViewerDep, response: Response) -> Host:
    """Read a host."""
    row = await HostRepository(viewer.session, viewer.scope).get(host_id)
    tell_etag(response, row)
    return await HostPresenter(viewer).one(row)


@router.put("/{id}/", operation_id="replace_host")
async def replace_host(host_id: HostId, body: HostReplace, viewer: ViewerDep, request: Request) -> Host:
    """Replace a host."""
    return await _change(host_id, body, viewer, request)


@router.patch("/{id}/", operation_id="update_host")
async def update_host(host_id: HostId, body: HostPatch, viewer: ViewerDep, request: Request) -> Host:
    """Change a host."""
    return await _change(host_id, body, viewer, request)


async def _change(host_id: int, body: HostReplace | HostPatch, viewer: ViewerDep, request: Request) -> Host:
    row = await HostRepository(viewer.session, viewer.scope).get(host_id, lock=True)
    require_match(request, row)
    keep_inventory(row, body, "host")
    await service.change_host(viewer.session, viewer.scope, row, content_of(body))
    return await HostPresenter(viewer).one(row)


@router.delete("/{id}/", operation_id="delete_host", status_code=204)
async def delete_host(host_id: HostId, viewer: ViewerDep, request: Request) -> None:
    """Delete a host."""
    row = await HostRepository(viewer.session, viewer.scope).get(host_id, lock=True)
    require_match(request, row)
    await service.delete_host(viewer.session, viewer.scope, row)


@list_below(router, "/{id}/all_groups/", HostRepository, GROUPS)
def list_host_all_groups(host: models.Host) -> ColumnElement[bool]:
    """List the groups a host is in, directly or through groups below."""
    return groups.over_host(host.id)


@list_below(router, "/{id}/inventory_sources/", HostRepository, INVENTORY_SOURCES)
def list_host_inventory_sources(host: models.Host) -> ColumnElement[bool]:
    """List the sources that deliver a host."""
    return inventory_sources.of_host(host.id)
