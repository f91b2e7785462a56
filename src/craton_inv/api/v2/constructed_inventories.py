"""constructed_inventories/: inventories of kind constructed with what their source takes; and what they are made of."""

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import ColumnElement

from craton_inv.api.deps import ContextDep
from craton_inv.api.ids import PathId
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.api.v2.associating import content_of
from craton_inv.api.v2.getting import referred
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import ConstructedInventoryPresenter
from craton_inv.api.v2.present.base import Viewer, ViewerDep
from craton_inv.errors import NotFound
from craton_inv.models import Inventory
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.tenants import OrganizationRepository
from craton_inv.schemas.v2.constructed_inventories import (
    ConstructedInventory,
    ConstructedInventoryCreate,
    ConstructedInventoryList,
    ConstructedInventoryPatch,
    ConstructedInventoryReplace,
)
from craton_inv.schemas.v2.inventories import DeletionAccepted
from craton_inv.services import constructed_inventories as service
from craton_inv.services.inventories import CONSTRUCTED, delete_inventory

router = APIRouter(prefix="/constructed_inventories", tags=["constructed_inventories"])
InventoryId = Annotated[PathId, Path(alias="id")]
OF_THIS_KIND: ColumnElement[bool] = Inventory.kind == CONSTRUCTED


@router.get("/", operation_id="list_constructed_inventories", response_model_exclude_unset=True)
async def list_constructed_inventories(viewer: ViewerDep, window: WindowDep) -> ConstructedInventoryList:
    """List constructed inventories."""
    repository = InventoryRepository(viewer.session, viewer.scope)
    presenter = ConstructedInventoryPresenter(viewer)
    return await listed(window, repository, presenter, ConstructedInventoryList, OF_THIS_KIND)


@router.post("/", operation_id="create_constructed_inventory", status_code=201)
async def create_constructed_inventory(
    body: ConstructedInventoryCreate, viewer: ViewerDep, context: ContextDep, response: Response
) -> ConstructedInventory:
    """Create a constructed inventory and its source."""
    tenants = OrganizationRepository(viewer.session, viewer.scope)
    tenant = await referred(tenants, "organization", body.organization)
    row = await service.create_constructed(viewer.session, viewer.scope, context.settings, tenant, content_of(body))
    response.headers["Location"] = viewer.links.to("constructed_inventory", row.id)
    return await ConstructedInventoryPresenter(viewer).one(row)


@router.get("/{id}/", operation_id="get_constructed_inventory")
async def get_constructed_inventory(
    inventory_id: InventoryId, viewer: ViewerDep, response: Response
) -> ConstructedInventory:
    """Read a constructed inventory."""
    row = await _get(inventory_id, viewer)
    tell_etag(response, await _state(row, viewer))
    return await ConstructedInventoryPresenter(viewer).one(row)


@router.put("/{id}/", operation_id="replace_constructed_inventory")
async def replace_constructed_inventory(
    inventory_id: InventoryId,
    body: ConstructedInventoryReplace,
    viewer: ViewerDep,
    context: ContextDep,
    request: Request,
) -> ConstructedInventory:
    """Replace a constructed inventory."""
    return await _change(inventory_id, body, viewer, context, request)


@router.patch("/{id}/", operation_id="update_constructed_inventory")
async def update_constructed_inventory(
    inventory_id: InventoryId, body: ConstructedInventoryPatch, viewer: ViewerDep, context: ContextDep, request: Request
) -> ConstructedInventory:
    """Change a constructed inventory."""
    return await _change(inventory_id, body, viewer, context, request)


@router.delete("/{id}/", operation_id="delete_constructed_inventory", status_code=202)
async def delete_constructed_inventory(
    inventory_id: InventoryId, viewer: ViewerDep, request: Request
) -> DeletionAccepted:
    """Mark a constructed inventory for deletion; a worker deletes it with all that is in it. Its inputs stay."""
    row = await _get(inventory_id, viewer, lock=True)
    require_match(request, await _state(row, viewer))
    await delete_inventory(viewer.session, viewer.scope, row)
    return DeletionAccepted(id=row.id, pending_deletion=True)


async def _get(inventory_id: int, viewer: Viewer, *, lock: bool = False) -> Inventory:
    row = await InventoryRepository(viewer.session, viewer.scope).get(inventory_id, lock=lock)
    if row.kind != CONSTRUCTED:
        raise NotFound("Not found.")
    return row


class _State(NamedTuple):
    """What the ETag of one names: the inventory and its source, part of which it shows."""

    generation: str


async def _state(row: Inventory, viewer: Viewer) -> _State:
    source = (await service.sources_of(viewer.session, [row]))[row.id]
    return _State(f"{row.generation}.{source.generation}")


async def _change(
    inventory_id: int,
    body: ConstructedInventoryReplace | ConstructedInventoryPatch,
    viewer: ViewerDep,
    context: ContextDep,
    request: Request,
) -> ConstructedInventory:
    row = await _get(inventory_id, viewer, lock=True)
    require_match(request, await _state(row, viewer))
    values = content_of(body)
    if values.get("tenant_id", row.tenant_id) != row.tenant_id:
        await referred(OrganizationRepository(viewer.session, viewer.scope), "organization", values["tenant_id"])
    await service.change_constructed(viewer.session, viewer.scope, context.settings, row, values)
    return await ConstructedInventoryPresenter(viewer).one(row)
