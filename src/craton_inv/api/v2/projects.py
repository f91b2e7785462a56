"""projects/: where inventories of kind `scm` come from."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import ColumnElement

from craton_inv import models
from craton_inv.api.deps import ContextDep
from craton_inv.api.ids import PathId
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.getting import referred
from craton_inv.api.v2.kinds import PROJECTS
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import ProjectPresenter
from craton_inv.api.v2.present.base import Viewer, ViewerDep
from craton_inv.errors import Forbidden
from craton_inv.models import Tenant
from craton_inv.repositories.projects import ProjectRepository, of_tenant
from craton_inv.repositories.tenants import OrganizationRepository
from craton_inv.schemas.v2.projects import (
    Project,
    ProjectContent,
    ProjectCreate,
    ProjectList,
    ProjectPatch,
    ProjectReplace,
)
from craton_inv.services import project_updates
from craton_inv.services import projects as service
from craton_inv.settings import Settings

router = APIRouter(tags=["projects"])
RowId = Annotated[PathId, Path(alias="id")]


@router.get("/projects/", operation_id="list_projects", response_model_exclude_unset=True)
async def list_projects(viewer: ViewerDep, window: WindowDep) -> ProjectList:
    """List projects."""
    repository = ProjectRepository(viewer.session, viewer.scope)
    return await listed(window, repository, ProjectPresenter(viewer), ProjectList)


@router.post("/projects/", operation_id="create_project", status_code=201)
async def create_project(body: ProjectCreate, viewer: ViewerDep, context: ContextDep, response: Response) -> Project:
    """Create a project. One with a repository is updated at once, as AWX does."""
    tenants = OrganizationRepository(viewer.session, viewer.scope)
    tenant = await referred(tenants, "organization", body.organization)
    return await _create(body, viewer, context.settings, tenant, response)


@router.get("/projects/{id}/", operation_id="get_project")
async def get_project(project_id: RowId, viewer: ViewerDep, response: Response) -> Project:
    """Read a project."""
    row = await ProjectRepository(viewer.session, viewer.scope).get(project_id)
    tell_etag(response, row)
    return await ProjectPresenter(viewer).one(row)


@router.put("/projects/{id}/", operation_id="replace_project")
async def replace_project(
    project_id: RowId, body: ProjectReplace, viewer: ViewerDep, context: ContextDep, request: Request
) -> Project:
    """Replace a project."""
    return await _change(project_id, body, viewer, context.settings, request)


@router.patch("/projects/{id}/", operation_id="update_project")
async def update_project(
    project_id: RowId, body: ProjectPatch, viewer: ViewerDep, context: ContextDep, request: Request
) -> Project:
    """Change a project. When something else is to be fetched now, it is updated at once."""
    return await _change(project_id, body, viewer, context.settings, request)


@router.delete("/projects/{id}/", operation_id="delete_project", status_code=204)
async def delete_project(project_id: RowId, viewer: ViewerDep, request: Request) -> None:
    """Delete a project with its runs. Sources that read from it stay, without a project."""
    row = await ProjectRepository(viewer.session, viewer.scope).get(project_id, lock=True)
    require_match(request, row)
    await service.delete_project(viewer.session, viewer.scope, row)


@router.get("/projects/{id}/inventories/", operation_id="get_project_inventories")
async def get_project_inventories(project_id: RowId, viewer: ViewerDep, context: ContextDep) -> list[str]:
    """Paths in a project that look like inventories, for a source's `source_path`."""
    row = await ProjectRepository(viewer.session, viewer.scope).get(project_id)
    return await service.inventories_of(viewer.session, context.settings, row)


@list_below(router, "/organizations/{id}/projects/", OrganizationRepository, PROJECTS)
def list_organization_projects(tenant: models.Tenant) -> ColumnElement[bool]:
    """List the projects of an organization."""
    return of_tenant(tenant.id)


@router.post("/organizations/{id}/projects/", operation_id="create_organization_project", status_code=201)
async def create_organization_project(
    organization_id: RowId, body: ProjectContent, viewer: ViewerDep, context: ContextDep, response: Response
) -> Project:
    """Create a project of an organization."""
    tenant = await OrganizationRepository(viewer.session, viewer.scope).get(organization_id)
    return await _create(body, viewer, context.settings, tenant, response)


async def _create(
    body: ProjectContent, viewer: Viewer, settings: Settings, tenant: Tenant, response: Response
) -> Project:
    values = body.model_dump(exclude_unset=True, exclude={"organization"})
    row = await service.create_project(viewer.session, viewer.scope, settings, tenant, values)
    if row.scm_type:
        await project_updates.launch(viewer.session, viewer.scope, row.id)
    response.headers["Location"] = viewer.links.to("project", row.id)
    return await ProjectPresenter(viewer).one(row)


async def _change(
    project_id: int, body: ProjectReplace | ProjectPatch, viewer: Viewer, settings: Settings, request: Request
) -> Project:
    row = await ProjectRepository(viewer.session, viewer.scope).get(project_id, lock=True)
    require_match(request, row)
    if "organization" in body.model_fields_set and body.organization != row.tenant_id:
        raise Forbidden("Unable to change organization on a project.", code="organization.fixed")
    values = body.model_dump(exclude_unset=True, exclude={"organization"})
    if await service.change_project(viewer.session, viewer.scope, settings, row, values):
        await project_updates.launch(viewer.session, viewer.scope, row.id)
    return await ProjectPresenter(viewer).one(row)
