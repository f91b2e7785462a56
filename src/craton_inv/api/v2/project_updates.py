"""projects/:id/update/ and project_updates/: runs that fetch what a project's branch stands for."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlalchemy import ColumnElement

from craton_inv import models
from craton_inv.api.ids import PathId
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.kinds import PROJECT_UPDATES
from craton_inv.api.v2.present import ProjectUpdatePresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.api.v2.runs import Runs, add_run_routes
from craton_inv.repositories.projects import ProjectRepository, ProjectUpdateRepository, of_project
from craton_inv.schemas.v2.inventory_sources import CanUpdate
from craton_inv.schemas.v2.inventory_updates import Stdout, StdoutRange
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


RUNS = Runs(
    "project_update",
    ProjectUpdateRepository,
    ProjectUpdatePresenter,
    ProjectUpdate,
    ProjectUpdateList,
    service.cancel,
)
add_run_routes(router, "/project_updates", RUNS)


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
    """What a run has said so far; it grows at most every half second while the run works."""
    repository = ProjectUpdateRepository(viewer.session, viewer.scope)
    row = await repository.get(update_id)
    text = await repository.output(row.id)
    if wanted == "txt":
        return PlainTextResponse(text)
    lines = some_lines(text, 0, None)
    where = StdoutRange(start=lines.start, end=lines.end, absolute_end=lines.total)
    return JSONResponse(Stdout(range=where, content=lines.content).model_dump())
