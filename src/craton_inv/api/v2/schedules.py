"""schedules/: when sources are refreshed by themselves; rules to be tried, and the zones they may name."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import ColumnElement

from craton_inv import models
from craton_inv.api.deps import ScopeDep
from craton_inv.api.ids import PathId
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.getting import referred
from craton_inv.api.v2.kinds import INVENTORY_UPDATES, SCHEDULES
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import SchedulePresenter
from craton_inv.api.v2.present.base import Viewer, ViewerDep
from craton_inv.errors import Forbidden
from craton_inv.models import InventorySource
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.repositories.inventory_updates import of_schedule
from craton_inv.repositories.schedules import ScheduleRepository, of_source
from craton_inv.schemas.v2.schedules import (
    Schedule,
    ScheduleContent,
    ScheduleCreate,
    ScheduleList,
    SchedulePatch,
    SchedulePreview,
    SchedulePreviewed,
    ScheduleReplace,
    ZoneInfo,
)
from craton_inv.services import schedules as service
from craton_inv.services.recurrence import zone_links, zones

router = APIRouter(tags=["schedules"])
RowId = Annotated[PathId, Path(alias="id")]
PREVIEWED = 10


@router.get("/schedules/", operation_id="list_schedules", response_model_exclude_unset=True)
async def list_schedules(viewer: ViewerDep, window: WindowDep) -> ScheduleList:
    """List schedules."""
    repository = ScheduleRepository(viewer.session, viewer.scope)
    return await listed(window, repository, SchedulePresenter(viewer), ScheduleList)


@router.post("/schedules/", operation_id="create_schedule", status_code=201)
async def create_schedule(body: ScheduleCreate, viewer: ViewerDep, response: Response) -> Schedule:
    """Create a schedule of a source."""
    repository = InventorySourceRepository(viewer.session, viewer.scope)
    source = await referred(repository, "unified_job_template", body.unified_job_template)
    return await _create(source, body, viewer, response)


@router.get("/schedules/zoneinfo/", operation_id="get_schedule_zones")
async def get_schedule_zones(scope: ScopeDep) -> ZoneInfo:
    """The time zones that a rule may name."""
    return ZoneInfo(zones=zones(), links=zone_links())


@router.post("/schedules/preview/", operation_id="preview_schedule")
async def preview_schedule(body: SchedulePreview, scope: ScopeDep) -> SchedulePreviewed:
    """The next ten moments of a rule; nothing is kept."""
    # In a thread: looking for rare moments takes some hundredths of a second.
    rule, moments = await asyncio.to_thread(service.preview, body.rrule, PREVIEWED)
    return SchedulePreviewed(
        local=[moment.astimezone(rule.zone).isoformat() for moment in moments],
        utc=[f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in moments],
    )


@router.get("/schedules/{id}/", operation_id="get_schedule")
async def get_schedule(schedule_id: RowId, viewer: ViewerDep, response: Response) -> Schedule:
    """Read a schedule."""
    row = await ScheduleRepository(viewer.session, viewer.scope).get(schedule_id)
    tell_etag(response, row)
    return await SchedulePresenter(viewer).one(row)


@router.put("/schedules/{id}/", operation_id="replace_schedule")
async def replace_schedule(schedule_id: RowId, body: ScheduleReplace, viewer: ViewerDep, request: Request) -> Schedule:
    """Replace a schedule."""
    return await _change(schedule_id, body, viewer, request)


@router.patch("/schedules/{id}/", operation_id="update_schedule")
async def update_schedule(schedule_id: RowId, body: SchedulePatch, viewer: ViewerDep, request: Request) -> Schedule:
    """Change a schedule. What was missed while it was switched off is not made up for."""
    return await _change(schedule_id, body, viewer, request)


@router.delete("/schedules/{id}/", operation_id="delete_schedule", status_code=204)
async def delete_schedule(schedule_id: RowId, viewer: ViewerDep, request: Request) -> None:
    """Delete a schedule. The runs that it started stay."""
    repository = ScheduleRepository(viewer.session, viewer.scope)
    row = await repository.get(schedule_id, lock=True)
    require_match(request, row)
    await repository.delete(row)


@list_below(router, "/schedules/{id}/jobs/", ScheduleRepository, INVENTORY_UPDATES)
def list_schedule_jobs(schedule: models.Schedule) -> ColumnElement[bool]:
    """List the runs that a schedule started or joined."""
    return of_schedule(schedule.id)


@list_below(router, "/inventory_sources/{id}/schedules/", InventorySourceRepository, SCHEDULES)
def list_inventory_source_schedules(source: models.InventorySource) -> ColumnElement[bool]:
    """List the schedules of a source."""
    return of_source(source.id)


@router.post("/inventory_sources/{id}/schedules/", operation_id="create_inventory_source_schedule", status_code=201)
async def create_inventory_source_schedule(
    source_id: RowId, body: ScheduleContent, viewer: ViewerDep, response: Response
) -> Schedule:
    """Create a schedule of this source."""
    source = await InventorySourceRepository(viewer.session, viewer.scope).get(source_id)
    return await _create(source, body, viewer, response)


async def _create(source: InventorySource, body: ScheduleContent, viewer: Viewer, response: Response) -> Schedule:
    values = body.model_dump(exclude_unset=True, exclude={"unified_job_template"})
    row = await service.create_schedule(viewer.session, viewer.scope, source, values)
    response.headers["Location"] = viewer.links.to("schedule", row.id)
    return await SchedulePresenter(viewer).one(row)


async def _change(
    schedule_id: int, body: ScheduleReplace | SchedulePatch, viewer: Viewer, request: Request
) -> Schedule:
    row = await ScheduleRepository(viewer.session, viewer.scope).get(schedule_id, lock=True)
    require_match(request, row)
    named = "unified_job_template" in body.model_fields_set
    if named and body.unified_job_template != row.inventory_source_id:
        raise Forbidden("Unable to change unified_job_template on a schedule.", code="unified_job_template.fixed")
    values = body.model_dump(exclude_unset=True, exclude={"unified_job_template"})
    await service.change_schedule(viewer.session, viewer.scope, row, values)
    return await SchedulePresenter(viewer).one(row)
