"""activity_stream/, and that of one inventory, host, group or source: who did what, and when."""

from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy import ColumnElement

from craton_inv import models
from craton_inv.api.ids import PathId
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.kinds import ACTIVITY
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


@list_below(router, "/inventories/{id}/activity_stream/", InventoryRepository, ACTIVITY, tag="inventories")
def list_inventory_activity_stream(inventory: models.Inventory) -> ColumnElement[bool]:
    """List what happened to an inventory, its hosts, groups and sources."""
    return of_inventory(inventory.id)


@list_below(router, "/hosts/{id}/activity_stream/", HostRepository, ACTIVITY, tag="hosts")
def list_host_activity_stream(host: models.Host) -> ColumnElement[bool]:
    """List what happened to a host by hand; what refreshes did to it is in their change sets."""
    return of_object("host", host.id)


@list_below(router, "/groups/{id}/activity_stream/", GroupRepository, ACTIVITY, tag="groups")
def list_group_activity_stream(group: models.Group) -> ColumnElement[bool]:
    """List what happened to a group by hand."""
    return of_object("group", group.id)


@list_below(
    router, "/inventory_sources/{id}/activity_stream/", InventorySourceRepository, ACTIVITY, tag="inventory_sources"
)
def list_inventory_source_activity_stream(source: models.InventorySource) -> ColumnElement[bool]:
    """List what happened to a source."""
    return of_object("inventory_source", source.id)
