"""inventory_sources/:id/{hosts,groups,inventory_updates}/: what a source made, and its runs."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from sqlalchemy import ColumnElement

from craton_inv import models
from craton_inv.api.ids import PathId
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.host_search import HostFilterDep, list_hosts_where
from craton_inv.api.v2.kinds import GROUPS, INVENTORY_UPDATES
from craton_inv.api.v2.listing import WindowDep
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.repositories import groups, hosts, inventory_updates
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.schemas.v2.hosts import HostList
from craton_inv.services import inventory_sources as service

router = APIRouter(prefix="/inventory_sources", tags=["inventory_sources"])
SourceId = Annotated[PathId, Path(alias="id")]
LATER: dict[int | str, dict[str, Any]] = {202: {"description": "They are many: a worker deletes them."}}


@router.get("/{id}/hosts/", operation_id="list_source_hosts", response_model_exclude_unset=True)
async def list_source_hosts(
    source_id: SourceId, viewer: ViewerDep, window: WindowDep, host_filter: HostFilterDep
) -> HostList:
    """List the hosts that a source delivers."""
    source = await InventorySourceRepository(viewer.session, viewer.scope).get(source_id)
    return await list_hosts_where(viewer, window, host_filter, hosts.made_by(source.id))


@router.delete("/{id}/hosts/", operation_id="delete_source_hosts", status_code=204, responses=LATER)
async def delete_source_hosts(source_id: SourceId, viewer: ViewerDep) -> Response:
    """Delete the hosts that a source made: at once, or by a worker when they are many."""
    source = await InventorySourceRepository(viewer.session, viewer.scope).get(source_id, lock=True)
    return Response(status_code=204 if await service.delete_hosts(viewer.session, viewer.scope, source) else 202)


@list_below(router, "/{id}/groups/", InventorySourceRepository, GROUPS)
def list_source_groups(source: models.InventorySource) -> ColumnElement[bool]:
    """List the groups that a source delivers."""
    return groups.made_by(source.id)


@router.delete("/{id}/groups/", operation_id="delete_source_groups", status_code=204, responses=LATER)
async def delete_source_groups(source_id: SourceId, viewer: ViewerDep) -> Response:
    """Delete the groups that a source made: at once, or by a worker when they are many."""
    source = await InventorySourceRepository(viewer.session, viewer.scope).get(source_id, lock=True)
    return Response(status_code=204 if await service.delete_groups(viewer.session, viewer.scope, source) else 202)


@list_below(router, "/{id}/inventory_updates/", InventorySourceRepository, INVENTORY_UPDATES)
def list_source_updates(source: models.InventorySource) -> ColumnElement[bool]:
    """List the runs of a source."""
    return inventory_updates.of_source(source.id)
