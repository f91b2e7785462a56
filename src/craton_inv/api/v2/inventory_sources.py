"""inventory_sources/: definitions of where inventories are refreshed from."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import ColumnElement

from craton_inv import models
from craton_inv.api.deps import ContextDep
from craton_inv.api.ids import PathId
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.api.v2.associating import content_of
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.getting import keep_inventory, referred
from craton_inv.api.v2.kinds import INVENTORY_SOURCES
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import InventorySourcePresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.repositories import inventory_sources as sources
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.schemas.v2.inventories import DeletionAccepted
from craton_inv.schemas.v2.inventory_sources import (
    InventorySource,
    InventorySourceCreate,
    InventorySourceList,
    InventorySourcePatch,
    InventorySourceReplace,
    SourceContent,
)
from craton_inv.services import inventory_sources as service

router = APIRouter(tags=["inventory_sources"])
RowId = Annotated[PathId, Path(alias="id")]


@router.get("/inventory_sources/", operation_id="list_inventory_sources", response_model_exclude_unset=True)
async def list_inventory_sources(viewer: ViewerDep, window: WindowDep) -> InventorySourceList:
    """List sources."""
    repository = InventorySourceRepository(viewer.session, viewer.scope)
    return await listed(window, repository, InventorySourcePresenter(viewer), InventorySourceList)


@router.post("/inventory_sources/", operation_id="create_inventory_source", status_code=201)
async def create_inventory_source(
    body: InventorySourceCreate, viewer: ViewerDep, context: ContextDep, response: Response
) -> InventorySource:
    """Create a source."""
    inventories = InventoryRepository(viewer.session, viewer.scope)
    inventory = await referred(inventories, "inventory", body.inventory)
    row = await service.create_source(viewer.session, viewer.scope, context.settings, inventory, content_of(body))
    response.headers["Location"] = viewer.links.to("inventory_source", row.id)
    return await InventorySourcePresenter(viewer).one(row)


@router.get("/inventory_sources/{id}/", operation_id="get_inventory_source")
async def get_inventory_source(source_id: RowId, viewer: ViewerDep, response: Response) -> InventorySource:
    """Read a source."""
    row = await InventorySourceRepository(viewer.session, viewer.scope).get(source_id)
    tell_etag(response, row)
    return await InventorySourcePresenter(viewer).one(row)


@router.put("/inventory_sources/{id}/", operation_id="replace_inventory_source")
async def replace_inventory_source(
    source_id: RowId, body: InventorySourceReplace, viewer: ViewerDep, context: ContextDep, request: Request
) -> InventorySource:
    """Replace a source."""
    return await _change(source_id, body, viewer, context, request)


@router.patch("/inventory_sources/{id}/", operation_id="update_inventory_source")
async def update_inventory_source(
    source_id: RowId, body: InventorySourcePatch, viewer: ViewerDep, context: ContextDep, request: Request
) -> InventorySource:
    """Change a source."""
    return await _change(source_id, body, viewer, context, request)


async def _change(
    source_id: int,
    body: InventorySourceReplace | InventorySourcePatch,
    viewer: ViewerDep,
    context: ContextDep,
    request: Request,
) -> InventorySource:
    row = await InventorySourceRepository(viewer.session, viewer.scope).get(source_id, lock=True)
    require_match(request, row)
    keep_inventory(row, body, "inventory source")
    await service.change_source(viewer.session, viewer.scope, context.settings, row, content_of(body))
    return await InventorySourcePresenter(viewer).one(row)


@router.delete(
    "/inventory_sources/{id}/",
    operation_id="delete_inventory_source",
    status_code=204,
    responses={202: {"model": DeletionAccepted, "description": "It has much; a worker deletes it."}},
)
async def delete_inventory_source(source_id: RowId, viewer: ViewerDep, request: Request) -> Response:
    """Delete a source with its runs, at once or by a worker. The hosts and groups it made stay."""
    row = await InventorySourceRepository(viewer.session, viewer.scope).get(source_id, lock=True)
    require_match(request, row)
    if await service.delete_source(viewer.session, viewer.scope, row):
        return Response(status_code=204)
    return JSONResponse(DeletionAccepted(id=row.id, pending_deletion=True).model_dump(), 202)


@list_below(router, "/inventories/{id}/inventory_sources/", InventoryRepository, INVENTORY_SOURCES)
def list_inventory_inventory_sources(inventory: models.Inventory) -> ColumnElement[bool]:
    """List the sources of an inventory."""
    return sources.in_inventory(inventory.id)


@router.post("/inventories/{id}/inventory_sources/", operation_id="create_inventory_inventory_source", status_code=201)
async def create_inventory_inventory_source(
    inventory_id: RowId, body: SourceContent, viewer: ViewerDep, context: ContextDep, response: Response
) -> InventorySource:
    """Create a source of an inventory."""
    inventory = await InventoryRepository(viewer.session, viewer.scope).get(inventory_id)
    row = await service.create_source(viewer.session, viewer.scope, context.settings, inventory, content_of(body))
    response.headers["Location"] = viewer.links.to("inventory_source", row.id)
    return await InventorySourcePresenter(viewer).one(row)
