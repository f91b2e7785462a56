"""Starting updates: of one source, or of all sources of an inventory."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from craton_inv.api.deps import ContextDep
from craton_inv.api.ids import PathId
from craton_inv.api.v2.links import links_of
from craton_inv.api.v2.present import InventoryUpdatePresenter
from craton_inv.api.v2.present.base import Viewer, ViewerDep
from craton_inv.errors import BadRequest, MethodNotAllowed
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.repositories.scope import READ, WRITE
from craton_inv.schemas.v2.inventory_sources import (
    CanUpdate,
    SourcesOptions,
    SourcesStarted,
    SourceStarted,
    SourcesUpdatable,
    SourceUpdatable,
    UpdateOptions,
)
from craton_inv.schemas.v2.inventory_updates import InventoryUpdateStarted
from craton_inv.services.inventory_sources import updatable_sources, why_not_updatable
from craton_inv.services.inventory_updates import launch
from craton_inv.services.refresh_queue import ObjectTarget, queue_refresh
from craton_inv.services.update_on_launch import NOT_DUE, due_sources

router = APIRouter()
RowId = Annotated[PathId, Path(alias="id")]
STARTED = "started"
REFUSED = "Could not start because `can_update` returned False"


@router.get("/inventory_sources/{id}/update/", operation_id="get_inventory_source_update", tags=["inventory_sources"])
async def get_inventory_source_update(source_id: RowId, viewer: ViewerDep) -> CanUpdate:
    """Whether an update of a source can be started."""
    row = await InventorySourceRepository(viewer.session, viewer.scope).get(source_id)
    return CanUpdate(can_update=not await why_not_updatable(viewer.session, viewer.scope, row))


@router.post(
    "/inventory_sources/{id}/update/",
    operation_id="start_inventory_source_update",
    status_code=202,
    tags=["inventory_sources"],
)
async def start_inventory_source_update(
    source_id: RowId,
    viewer: ViewerDep,
    context: ContextDep,
    response: Response,
    body: UpdateOptions | None = None,
) -> InventoryUpdateStarted:
    """Ask for an update of all or of single objects: 202 with the run. A second ask while it waits joins that run."""
    options = body.model_dump(exclude_unset=True) if body is not None else {}
    targets = options.pop("targets", None)
    if targets:
        asked = [ObjectTarget(source_id, **target) for target in targets]
        threshold = context.settings.full_refresh_threshold
        [update] = await queue_refresh(viewer.session, viewer.scope, asked, threshold=threshold, options=options)
    else:
        update = await launch(viewer.session, viewer.scope, source_id, options, targets=targets)
    response.headers["Location"] = viewer.links.to("inventory_update", update.id)
    return await InventoryUpdatePresenter(viewer).started(update)


@router.get(
    "/inventories/{id}/update_inventory_sources/",
    operation_id="get_inventory_update_sources",
    tags=["inventories"],
    response_model=SourcesUpdatable,
)
async def get_inventory_update_sources(inventory_id: RowId, viewer: ViewerDep, request: Request) -> Response:
    """Which sources of an inventory can be updated. Manual ones are left out."""
    results = [
        SourceUpdatable(inventory_source=row.id, can_update=not reason)
        for row, reason in await _sources(inventory_id, viewer)
    ]
    return _answer(request, [found.model_dump(mode="json") for found in results], 200)


@router.post(
    "/inventories/{id}/update_inventory_sources/",
    operation_id="start_inventory_update_sources",
    tags=["inventories"],
    response_model=SourcesStarted,
    responses={202: {"model": SourcesStarted, "description": "Some could not be started."}},
)
async def start_inventory_update_sources(
    inventory_id: RowId, viewer: ViewerDep, request: Request, body: SourcesOptions | None = None
) -> Response:
    """Ask for updates of all sources of an inventory: 200 when all are started, 202 when some are, 400 when none is.

    With `on_launch` only of those that are due; the others are listed with that reason and count for none of these.
    """
    results: list[dict[str, Any]] = []
    sources = await _sources(inventory_id, viewer, WRITE)
    if not sources:
        raise BadRequest("No inventory sources to update.", code="update.no_sources")
    presenter = InventoryUpdatePresenter(viewer)
    due = None
    if body is not None and body.on_launch:
        due = {row.id for row in await due_sources(viewer.session, [inventory_id])}
    for row, reason in sources:
        waits = due is not None and row.id not in due
        if waits or reason:
            refused = SourceStarted(inventory_source=row.id, status=NOT_DUE if waits else REFUSED)
            results.append(refused.model_dump(mode="json", exclude_unset=True))
            continue
        update = await launch(viewer.session, viewer.scope, row.id)
        shown = (await presenter.started(update)).model_dump(mode="json")
        results.append({**shown, "inventory_source": row.id, "status": STARTED})
    started = sum(found["status"] == STARTED for found in results)
    refusals = sum(found["status"] == REFUSED for found in results)
    return _answer(request, results, 200 if not refusals else 202 if started else 400)


async def _sources(inventory_id: int, viewer: Viewer, needed: frozenset[str] = READ) -> list[tuple[Any, str]]:
    inventory = await InventoryRepository(viewer.session, viewer.scope).get(inventory_id)
    viewer.scope.require(inventory.tenant_id, needed, "inventory sources")
    if inventory.kind == "smart":
        raise MethodNotAllowed("A smart inventory has no sources.", key="error")
    return await updatable_sources(viewer.session, viewer.scope, inventory)


def _answer(request: Request, results: list[dict[str, Any]], status: int) -> Response:
    """AWX answers with a bare array, which its clients walk; /v2 puts it under `results`."""
    bare = links_of(request).prefix.endswith("/api/v2")
    return JSONResponse(results if bare else {"results": results}, status)
