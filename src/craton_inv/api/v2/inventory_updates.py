"""inventory_updates/: runs of sources; what they said stands in `update_output`."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from craton_inv.api.ids import PathId
from craton_inv.api.query import MAX_PAGE_SIZE
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import InventoryUpdatePresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.api.v2.present.inventory_updates import EventPresenter
from craton_inv.errors import Forbidden
from craton_inv.models.inventory_update import ACTIVE
from craton_inv.repositories.inventory_updates import InventoryUpdateEventRepository, InventoryUpdateRepository
from craton_inv.schemas.v2.inventory_updates import (
    CanCancel,
    InventoryUpdate,
    InventoryUpdateEventList,
    InventoryUpdateList,
)
from craton_inv.services import inventory_updates as service

router = APIRouter(prefix="/inventory_updates", tags=["inventory_updates"])
UpdateId = Annotated[PathId, Path(alias="id")]
MAX_EVENTS = 4000


@router.get("/", operation_id="list_inventory_updates", response_model_exclude_unset=True)
async def list_inventory_updates(viewer: ViewerDep, window: WindowDep) -> InventoryUpdateList:
    """List runs."""
    repository = InventoryUpdateRepository(viewer.session, viewer.scope)
    return await listed(window, repository, InventoryUpdatePresenter(viewer), InventoryUpdateList)


@router.get("/{id}/", operation_id="get_inventory_update")
async def get_inventory_update(update_id: UpdateId, viewer: ViewerDep) -> InventoryUpdate:
    """Read a run."""
    row = await InventoryUpdateRepository(viewer.session, viewer.scope).get(update_id)
    return await InventoryUpdatePresenter(viewer).one(row)


@router.delete("/{id}/", operation_id="delete_inventory_update", status_code=204)
async def delete_inventory_update(update_id: UpdateId, viewer: ViewerDep) -> None:
    """Delete a run that has ended, with its events."""
    repository = InventoryUpdateRepository(viewer.session, viewer.scope)
    row = await repository.get(update_id, lock=True)
    repository.authorize(row)
    if row.status in ACTIVE:
        raise Forbidden("Cannot delete running job resource.", code="update.running")
    await repository.delete(row)


@router.get("/{id}/cancel/", operation_id="get_inventory_update_cancel")
async def get_inventory_update_cancel(update_id: UpdateId, viewer: ViewerDep) -> CanCancel:
    """Whether a run can still be cancelled."""
    row = await InventoryUpdateRepository(viewer.session, viewer.scope).get(update_id)
    return CanCancel(can_cancel=row.status in ACTIVE)


@router.post("/{id}/cancel/", operation_id="cancel_inventory_update", status_code=202, response_class=Response)
async def cancel_inventory_update(update_id: UpdateId, viewer: ViewerDep) -> Response:
    """Cancel a run that waits or works: 202 without a body. One that has ended: 405."""
    await service.cancel(viewer.session, viewer.scope, update_id)
    return Response(status_code=202)


@router.get(
    "/{id}/events/",
    operation_id="list_inventory_update_events",
    response_model_exclude_unset=True,
    responses={200: {"headers": {"X-UI-Max-Events": {"description": "Most.", "schema": {"type": "integer"}}}}},
)
async def list_inventory_update_events(
    update_id: UpdateId,
    viewer: ViewerDep,
    window: WindowDep,
    response: Response,
    no_truncate: Annotated[str, Query(description="Any text: output in full, not cut to 1024 characters.")] = "",
    limit: Annotated[
        int | None, Query(ge=1, description="At most so many events, and no count. More than 200 are capped to 200.")
    ] = None,
) -> Any:
    """What a run said, in the order it was said."""
    update = await InventoryUpdateRepository(viewer.session, viewer.scope).get(update_id)
    repository = InventoryUpdateEventRepository(viewer.session, viewer.scope, update)
    response.headers["X-UI-Max-Events"] = str(MAX_EVENTS)
    if limit is not None:
        window.page_size = min(limit, MAX_PAGE_SIZE)
        window.counted = False
    presenter = EventPresenter(viewer, update.id, truncate=not no_truncate)
    return await listed(window, repository, presenter, InventoryUpdateEventList)
