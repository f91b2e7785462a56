"""projects/:id/update/ and project_updates/: runs that fetch what a project's branch stands for."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlalchemy import ColumnElement

from craton_inv import models
from craton_inv.api.ids import PathId
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.kinds import PROJECT_UPDATES
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import ProjectUpdatePresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.errors import Forbidden
from craton_inv.models.inventory_update import ACTIVE
from craton_inv.repositories.projects import ProjectRepository, ProjectUpdateRepository, of_project
from craton_inv.schemas.v2.inventory_sources import CanUpdate
from craton_inv.schemas.v2.inventory_updates import CanCancel, Stdout, StdoutRange
from craton_inv.schemas.v2.projects import ProjectUpdate, ProjectUpdateList, ProjectUpdateStarted
from craton_inv.services import project_updates as service
from craton_inv.services.update_output import some_lines

router = APIRouter(tags=["projects"])
RowId = Annotated[PathId, Path(alias="id")]


@router.get("/projects/{id}/update/", operation_id="get_project_update_option")
async def get_project_update_option(project_id: RowId, viewer: ViewerDep) -> CanUpdate:
    """Whether an update of a project can be started."""
    row = await ProjectRepository(viewer.session, viewer.scope).get(project_id)
    return CanUpdate(can_update=not service.why_not_updatable(row))


@router.post("/projects/{id}/update/", operation_id="start_project_update", status_code=202)
async def start_project_update(project_id: RowId, viewer: ViewerDep, response: Response) -> ProjectUpdateStarted:
    """Ask for an update: 202 with the run. A second ask while it waits answers with the same run."""
    row = await service.launch(viewer.session, viewer.scope, project_id)
    response.headers["Location"] = viewer.links.to("project_update", row.id)
    return await ProjectUpdatePresenter(viewer).started(row)


@list_below(router, "/projects/{id}/project_updates/", ProjectRepository, PROJECT_UPDATES)
def list_project_project_updates(project: models.Project) -> ColumnElement[bool]:
    """List the runs of a project."""
    return of_project(project.id)


@router.get("/project_updates/", operation_id="list_project_updates", response_model_exclude_unset=True)
async def list_project_updates(viewer: ViewerDep, window: WindowDep) -> ProjectUpdateList:
    """List runs."""
    repository = ProjectUpdateRepository(viewer.session, viewer.scope)
    return await listed(window, repository, ProjectUpdatePresenter(viewer), ProjectUpdateList)


@router.get("/project_updates/{id}/", operation_id="get_project_update")
async def get_project_update(update_id: RowId, viewer: ViewerDep) -> ProjectUpdate:
    """Read a run."""
    row = await ProjectUpdateRepository(viewer.session, viewer.scope).get(update_id)
    return await ProjectUpdatePresenter(viewer).one(row)


@router.delete("/project_updates/{id}/", operation_id="delete_project_update", status_code=204)
async def delete_project_update(update_id: RowId, viewer: ViewerDep) -> None:
    """Delete a run that has ended."""
    repository = ProjectUpdateRepository(viewer.session, viewer.scope)
    row = await repository.get(update_id, lock=True)
    repository.authorize(row)
    if row.status in ACTIVE:
        raise Forbidden("Cannot delete running job resource.", code="update.running")
    await repository.delete(row)


@router.get("/project_updates/{id}/cancel/", operation_id="get_project_update_cancel")
async def get_project_update_cancel(update_id: RowId, viewer: ViewerDep) -> CanCancel:
    """Whether a run can still be cancelled."""
    row = await ProjectUpdateRepository(viewer.session, viewer.scope).get(update_id)
    return CanCancel(can_cancel=row.status in ACTIVE)


@router.post(
    "/project_updates/{id}/cancel/", operation_id="cancel_project_update", status_code=202, response_class=Response
)
async def cancel_project_update(update_id: RowId, viewer: ViewerDep) -> Response:
    """Cancel a run that waits or works: 202 without a body. One that has ended: 405."""
    await service.cancel(viewer.session, viewer.scope, update_id)
    return Response(status_code=202)


@router.get(
    "/project_updates/{id}/stdout/",
    operation_id="get_project_update_stdout",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "model": Stdout}},
)
async def get_project_update_stdout(
    update_id: RowId,
    viewer: ViewerDep,
    wanted: Annotated[Literal["json", "txt"], Query(alias="format")] = "json",
) -> Response:
    """What a run said, once it has ended."""
    repository = ProjectUpdateRepository(viewer.session, viewer.scope)
    row = await repository.get(update_id)
    text = await repository.output(row.id)
    if wanted == "txt":
        return PlainTextResponse(text)
    lines = some_lines(text, 0, None)
    where = StdoutRange(start=lines.start, end=lines.end, absolute_end=lines.total)
    return JSONResponse(Stdout(range=where, content=lines.content).model_dump())
