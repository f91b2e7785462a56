"""activity_stream/, and that of one inventory, host, group or source: who did what, and when."""

from typing import Annotated

from fastapi import APIRouter, Path

from craton_inv.api.ids import PathId
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present.activity import ActivityStreamPresenter
from craton_inv.api.v2.present.base import Viewer, ViewerDep
from craton_inv.repositories.activity import ActivityStreamRepository, of_inventory, of_object
from craton_inv.repositories.groups import GroupRepository
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.schemas.v2.activity import ActivityStream, ActivityStreamList

router = APIRouter()
RowId = Annotated[PathId, Path(alias="id")]
TAG = "activity_stream"


def _parts(viewer: Viewer) -> tuple[ActivityStreamRepository, ActivityStreamPresenter]:
    return ActivityStreamRepository(viewer.session, viewer.scope), ActivityStreamPresenter(viewer)


@router.get("/activity_stream/", operation_id="list_activity_stream", response_model_exclude_unset=True, tags=[TAG])
async def list_activity_stream(viewer: ViewerDep, window: WindowDep) -> ActivityStreamList:
    """List who did what: creations, changes, deletions, links, and each refresh once."""
    return await listed(window, *_parts(viewer), ActivityStreamList)


@router.get("/activity_stream/{id}/", operation_id="get_activity_stream", tags=[TAG])
async def get_activity_stream(row_id: RowId, viewer: ViewerDep) -> ActivityStream:
    """Read an entry."""
    repository, presenter = _parts(viewer)
    return await presenter.one(await repository.get(row_id))


@router.get(
    "/inventories/{id}/activity_stream/",
    operation_id="list_inventory_activity_stream",
    response_model_exclude_unset=True,
    tags=["inventories"],
)
async def list_inventory_activity_stream(row_id: RowId, viewer: ViewerDep, window: WindowDep) -> ActivityStreamList:
    """List what happened to an inventory, its hosts, groups and sources."""
    row = await InventoryRepository(viewer.session, viewer.scope).get(row_id)
    return await listed(window, *_parts(viewer), ActivityStreamList, of_inventory(row.id))


@router.get(
    "/hosts/{id}/activity_stream/",
    operation_id="list_host_activity_stream",
    response_model_exclude_unset=True,
    tags=["hosts"],
)
async def list_host_activity_stream(row_id: RowId, viewer: ViewerDep, window: WindowDep) -> ActivityStreamList:
    """List what happened to a host by hand; what refreshes did to it is in their change sets."""
    row = await HostRepository(viewer.session, viewer.scope).get(row_id)
    return await listed(window, *_parts(viewer), ActivityStreamList, of_object("host", row.id))


@router.get(
    "/groups/{id}/activity_stream/",
    operation_id="list_group_activity_stream",
    response_model_exclude_unset=True,
    tags=["groups"],
)
async def list_group_activity_stream(row_id: RowId, viewer: ViewerDep, window: WindowDep) -> ActivityStreamList:
    """List what happened to a group by hand."""
    row = await GroupRepository(viewer.session, viewer.scope).get(row_id)
    return await listed(window, *_parts(viewer), ActivityStreamList, of_object("group", row.id))


@router.get(
    "/inventory_sources/{id}/activity_stream/",
    operation_id="list_inventory_source_activity_stream",
    response_model_exclude_unset=True,
    tags=["inventory_sources"],
)
async def list_inventory_source_activity_stream(
    row_id: RowId, viewer: ViewerDep, window: WindowDep
) -> ActivityStreamList:
    """List what happened to a source."""
    row = await InventorySourceRepository(viewer.session, viewer.scope).get(row_id)
    return await listed(window, *_parts(viewer), ActivityStreamList, of_object("inventory_source", row.id))
