"""inventory_updates/:id/{changes,apply}/: what a run changed or a dry run would change, and applying the latter."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from craton_inv.api.ids import PathId
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import InventoryUpdatePresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.api.v2.present.change_sets import InventoryChangePresenter
from craton_inv.repositories.change_sets import InventoryChangeRepository
from craton_inv.repositories.inventory_updates import InventoryUpdateRepository
from craton_inv.schemas.v2.change_sets import InventoryChangeList
from craton_inv.schemas.v2.inventory_updates import CanApply, InventoryUpdateStarted
from craton_inv.services import dry_runs

router = APIRouter(prefix="/inventory_updates", tags=["inventory_updates"])
UpdateId = Annotated[PathId, Path(alias="id")]


@router.get("/{id}/apply/", operation_id="get_inventory_update_apply")
async def get_inventory_update_apply(update_id: UpdateId, viewer: ViewerDep) -> CanApply:
    """Whether a dry run can be applied now, by the caller, and why not."""
    reason = await dry_runs.why_not_applicable(viewer.session, viewer.scope, update_id)
    return CanApply(can_apply=not reason, reason=reason)


@router.post("/{id}/apply/", operation_id="apply_inventory_update", status_code=202)
async def apply_inventory_update(update_id: UpdateId, viewer: ViewerDep, response: Response) -> InventoryUpdateStarted:
    """Save exactly what a dry run was given: 202 with the run that does.

    409 when the inventory or the source was changed since the dry run, when the deletion guard would stop it, when it
    was applied already or has expired (CRATON_INV_DRY_RUN_HOURS); 400 for an update that was no dry run.
    """
    update = await dry_runs.apply(viewer.session, viewer.scope, update_id)
    response.headers["Location"] = viewer.links.to("inventory_update", update.id)
    return await InventoryUpdatePresenter(viewer).started(update)


@router.get("/{id}/changes/", operation_id="list_inventory_update_changes", response_model_exclude_unset=True)
async def list_inventory_update_changes(
    update_id: UpdateId, viewer: ViewerDep, window: WindowDep
) -> InventoryChangeList:
    """List what a run changed: `?collection=hosts&action=deleted`. They are kept for CRATON_INV_CHANGE_SET_DAYS."""
    update = await InventoryUpdateRepository(viewer.session, viewer.scope).get(update_id)
    repository = InventoryChangeRepository(viewer.session, viewer.scope, update)
    return await listed(window, repository, InventoryChangePresenter(viewer), InventoryChangeList)
