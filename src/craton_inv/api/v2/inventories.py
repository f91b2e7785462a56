"""inventories/: regular and smart ones; deletion is handed to the worker."""

from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Path, Request, Response

from craton_inv.api.ids import PathId
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.api.v2.associating import content_of
from craton_inv.api.v2.getting import referred
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import InventoryPresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.tenants import OrganizationRepository
from craton_inv.schemas.v2.inventories import (
    DeletionAccepted,
    Inventory,
    InventoryCreate,
    InventoryList,
    InventoryPatch,
    InventoryReplace,
)
from craton_inv.services import inventories as service

router = APIRouter(prefix="/inventories", tags=["inventories"])
InventoryId = Annotated[PathId, Path(alias="id")]


@router.get("/", operation_id="list_inventories", response_model_exclude_unset=True)
async def list_inventories(viewer: ViewerDep, window: WindowDep) -> InventoryList:
    """List inventories."""
    repository = InventoryRepository(viewer.session, viewer.scope)
    return await listed(window, repository, InventoryPresenter(viewer), InventoryList)


@router.post("/", operation_id="create_inventory", status_code=201)
async def create_inventory(body: InventoryCreate, viewer: ViewerDep, request: Request, response: Response) -> Inventory:
    """Create an inventory."""
    tenants = OrganizationRepository(viewer.session, viewer.scope)
    tenant = await referred(tenants, "organization", body.organization)
    row = await service.create_inventory(viewer.session, viewer.scope, tenant, _values(body, request))
    response.headers["Location"] = viewer.links.to("inventory", row.id)
    return await InventoryPresenter(viewer).one(row)


@router.get("/{id}/", operation_id="get_inventory")
async def get_inventory(inventory_id: InventoryId, viewer: ViewerDep, response: Response) -> Inventory:
    """Read an inventory."""
    row = await InventoryRepository(viewer.session, viewer.scope).get(inventory_id)
    tell_etag(response, row)
    return await InventoryPresenter(viewer).one(row)


@router.put("/{id}/", operation_id="replace_inventory")
async def replace_inventory(
    inventory_id: InventoryId, body: InventoryReplace, viewer: ViewerDep, request: Request
) -> Inventory:
    """Replace an inventory."""
    return await _change(inventory_id, body, viewer, request)


@router.patch("/{id}/", operation_id="update_inventory")
async def update_inventory(
    inventory_id: InventoryId, body: InventoryPatch, viewer: ViewerDep, request: Request
) -> Inventory:
    """Change an inventory. Its kind stays what it is."""
    return await _change(inventory_id, body, viewer, request)


@router.delete("/{id}/", operation_id="delete_inventory", status_code=202)
async def delete_inventory(inventory_id: InventoryId, viewer: ViewerDep, request: Request) -> DeletionAccepted:
    """Mark an inventory for deletion; a worker deletes it with all that is in it."""
    row = await InventoryRepository(viewer.session, viewer.scope).get(inventory_id, lock=True)
    require_match(request, row)
    await service.delete_inventory(viewer.session, viewer.scope, row)
    return DeletionAccepted(id=row.id, pending_deletion=True)


async def _change(
    inventory_id: int, body: InventoryReplace | InventoryPatch, viewer: ViewerDep, request: Request
) -> Inventory:
    row = await InventoryRepository(viewer.session, viewer.scope).get(inventory_id, lock=True)
    require_match(request, row)
    values = _values(body, request)
    if values.get("tenant_id", row.tenant_id) != row.tenant_id:
        await referred(OrganizationRepository(viewer.session, viewer.scope), "organization", values["tenant_id"])
    if values.get("kind", "") is None:  # the collection sends null for what it was not told
        del values["kind"]
    await service.change_inventory(viewer.session, viewer.scope, row, values)
    return await InventoryPresenter(viewer).one(row)


def _values(body: InventoryCreate | InventoryPatch, request: Request) -> dict[str, Any]:
    values = content_of(body)
    # AWX decodes a stored filter once, and its interface sends it encoded.
    if values.get("host_filter") and str(request.scope.get("root_path", "")).endswith("/api/v2"):
        values["host_filter"] = unquote(values["host_filter"])
    return values
