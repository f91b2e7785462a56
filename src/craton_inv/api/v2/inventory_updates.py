"""inventory_updates/: runs of sources; what they said stands in `update_output`."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from craton_inv.api.ids import PathId
from craton_inv.api.query import MAX_PAGE_SIZE
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import InventoryUpdatePresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.api.v2.present.inventory_updates import EventPresenter
from craton_inv.api.v2.runs import Runs, add_run_routes
from craton_inv.repositories.inventory_updates import InventoryUpdateEventRepository, InventoryUpdateRepository
from craton_inv.schemas.v2.inventory_updates import (
    InventoryUpdate,
    InventoryUpdateEventList,
    InventoryUpdateList,
)
from craton_inv.services import inventory_updates as service

router = APIRouter(prefix="/inventory_updates", tags=["inventory_updates"])
UpdateId = Annotated[PathId, Path(alias="id")]
MAX_EVENTS = 4000


RUNS = Runs(
    "inventory_update",
    InventoryUpdateRepository,
    InventoryUpdatePresenter,
    InventoryUpdate,
    InventoryUpdateList,
    service.cancel,
)
add_run_routes(router, "", RUNS)


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
