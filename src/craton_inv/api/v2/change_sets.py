"""inventory_updates/:id/changes/: what a run changed, or what a dry run would change."""

from typing import Annotated

from fastapi import APIRouter, Path

from craton_inv.api.ids import PathId
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.api.v2.present.change_sets import InventoryChangePresenter
from craton_inv.repositories.change_sets import InventoryChangeRepository
from craton_inv.repositories.inventory_updates import InventoryUpdateRepository
from craton_inv.schemas.v2.change_sets import InventoryChangeList

router = APIRouter(prefix="/inventory_updates", tags=["inventory_updates"])
UpdateId = Annotated[PathId, Path(alias="id")]


@router.get("/{id}/changes/", operation_id="list_inventory_update_changes", response_model_exclude_unset=True)
async def list_inventory_update_changes(
    update_id: UpdateId, viewer: ViewerDep, window: WindowDep
) -> InventoryChangeList:
    """List what a run changed: `?collection=hosts&action=deleted`. They are kept for CRATON_INV_CHANGE_SET_DAYS."""
    update = await InventoryUpdateRepository(viewer.session, viewer.scope).get(update_id)
    repository = InventoryChangeRepository(viewer.session, viewer.scope, update)
    return await listed(window, repository, InventoryChangePresenter(viewer), InventoryChangeList)
