"""Refreshing single objects: hosts/:id/refresh/, inventory_sources/:id/events/, inventory_updates/:id/targets/."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path
from pydantic import BeforeValidator

from craton_inv.api.deps import ContextDep
from craton_inv.api.ids import PathId
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import InventoryUpdatePresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.api.v2.present.inventory_updates import TargetPresenter
from craton_inv.providers.events import Event, ObjectRef
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventory_updates import InventoryUpdateRepository, InventoryUpdateTargetRepository
from craton_inv.schemas.v2.refreshes import (
    EventsTaken,
    HostRefresh,
    HostRefreshStarted,
    InventoryUpdateTargetList,
    RefreshingSource,
    SourceEvent,
)
from craton_inv.services.refresh_queue import HostTarget, queue_refresh, sources_of_host
from craton_inv.services.source_events import take_events

router = APIRouter()
RowId = Annotated[PathId, Path(alias="id")]


def _as_list(body: Any) -> Any:
    return body if isinstance(body, list) else [body]


Events = Annotated[
    list[SourceEvent], BeforeValidator(_as_list), Body(description="Events; a single one may come without the list.")
]


@router.get("/hosts/{id}/refresh/", operation_id="get_host_refresh", tags=["hosts"])
async def get_host_refresh(host_id: RowId, viewer: ViewerDep) -> HostRefresh:
    """Whether a host can be refreshed by itself, and by which of its sources."""
    host = await HostRepository(viewer.session, viewer.scope).get(host_id)
    sources = [
        RefreshingSource(
            can_update=ref is not None,
            inventory_source=source.id,
            name=source.name,
            reason=reason,
            manager_ref=dict(ref.manager_ref) if ref is not None else None,
        )
        for source, reason, ref in await sources_of_host(viewer.session, viewer.scope, host)
    ]
    return HostRefresh(can_refresh=any(source.can_update for source in sources), sources=sources)


@router.post("/hosts/{id}/refresh/", operation_id="start_host_refresh", status_code=202, tags=["hosts"])
async def start_host_refresh(host_id: RowId, viewer: ViewerDep, context: ContextDep) -> HostRefreshStarted:
    """Ask all sources of a host for this host: 202 with their runs. No source can: 405."""
    threshold = context.settings.full_refresh_threshold
    updates = await queue_refresh(viewer.session, viewer.scope, [HostTarget(host_id)], threshold=threshold)
    presenter = InventoryUpdatePresenter(viewer)
    return HostRefreshStarted(results=[await presenter.started(update) for update in updates])


@router.post(
    "/inventory_sources/{id}/events/",
    operation_id="take_inventory_source_events",
    status_code=202,
    tags=["inventory_sources"],
)
async def take_inventory_source_events(
    source_id: RowId, viewer: ViewerDep, context: ContextDep, body: Events
) -> EventsTaken:
    """Take events of a provider: what they concern is refreshed. All are taken or, with a 400, none."""
    events = [_event(each) for each in body]
    taken = await take_events(
        viewer.session,
        viewer.scope,
        source_id,
        events,
        most=context.settings.event_flood_limit,
        threshold=context.settings.full_refresh_threshold,
    )
    return EventsTaken(
        events=len(events),
        accepted=taken.accepted,
        duplicates=taken.duplicates,
        blocked=taken.blocked,
        targets=taken.targets,
        inventory_update=taken.update.id if taken.update is not None else None,
    )


def _event(body: SourceEvent) -> Event:
    given = body.model_fields_set
    return Event(
        event_type=body.event_type,
        uid=body.uid or body.event_id,
        timestamp=body.timestamp.isoformat() if "timestamp" in given else "",
        payload=body.payload,
        targets=tuple(ObjectRef(target.association, target.manager_ref) for target in body.targets),
    )


@router.get(
    "/inventory_updates/{id}/targets/",
    operation_id="list_inventory_update_targets",
    response_model_exclude_unset=True,
    tags=["inventory_updates"],
)
async def list_inventory_update_targets(
    update_id: RowId, viewer: ViewerDep, window: WindowDep
) -> InventoryUpdateTargetList:
    """The objects that a run of single objects refreshes; none for one of a whole source."""
    update = await InventoryUpdateRepository(viewer.session, viewer.scope).get(update_id)
    repository = InventoryUpdateTargetRepository(viewer.session, viewer.scope, update)
    return await listed(window, repository, TargetPresenter(), InventoryUpdateTargetList)
