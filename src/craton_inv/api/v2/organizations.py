"""organizations/: the tenants of /v1 in AWX's words."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import ColumnElement

from craton_inv import models
from craton_inv.api.ids import PathId
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.kinds import INVENTORIES
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import OrganizationPresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.repositories.tenants import OrganizationRepository
from craton_inv.schemas.v2.inventories import DeletionAccepted
from craton_inv.schemas.v2.organizations import (
    Organization,
    OrganizationCreate,
    OrganizationList,
    OrganizationPatch,
)
from craton_inv.services.tenants import delete_tenant, force_delete_tenant

router = APIRouter(prefix="/organizations", tags=["organizations"])
OrganizationId = Annotated[PathId, Path(alias="id")]


@router.get("/", operation_id="list_organizations", response_model_exclude_unset=True)
async def list_organizations(viewer: ViewerDep, window: WindowDep) -> OrganizationList:
    """List organizations."""
    repository = OrganizationRepository(viewer.session, viewer.scope)
    return await listed(window, repository, OrganizationPresenter(viewer), OrganizationList)


@router.post("/", operation_id="create_organization", status_code=201)
async def create_organization(body: OrganizationCreate, viewer: ViewerDep, response: Response) -> Organization:
    """Create an organization."""
    row = await OrganizationRepository(viewer.session, viewer.scope).create(body.model_dump(exclude_unset=True))
    response.headers["Location"] = viewer.links.to("organization", row.id)
    return await OrganizationPresenter(viewer).one(row)


@router.get("/{id}/", operation_id="get_organization")
async def get_organization(organization_id: OrganizationId, viewer: ViewerDep, response: Response) -> Organization:
    """Read an organization."""
    row = await OrganizationRepository(viewer.session, viewer.scope).get(organization_id)
    tell_etag(response, row)
    return await OrganizationPresenter(viewer).one(row)


@router.put("/{id}/", operation_id="replace_organization")
async def replace_organization(
    organization_id: OrganizationId, body: OrganizationCreate, viewer: ViewerDep, request: Request
) -> Organization:
    """Replace an organization."""
    return await _change(organization_id, body, viewer, request)


@router.patch("/{id}/", operation_id="update_organization")
async def update_organization(
    organization_id: OrganizationId, body: OrganizationPatch, viewer: ViewerDep, request: Request
) -> Organization:
    """Change an organization."""
    return await _change(organization_id, body, viewer, request)


async def _change(
    organization_id: int, body: OrganizationCreate | OrganizationPatch, viewer: ViewerDep, request: Request
) -> Organization:
    repository = OrganizationRepository(viewer.session, viewer.scope)
    row = await repository.get(organization_id, lock=True)
    require_match(request, row)
    await repository.change(row, body.model_dump(exclude_unset=True))
    return await OrganizationPresenter(viewer).one(row)


@router.delete(
    "/{id}/",
    operation_id="delete_organization",
    status_code=204,
    responses={
        202: {"model": DeletionAccepted, "description": "It has inventories or else much; a worker deletes it."}
    },
)
async def delete_organization(organization_id: OrganizationId, viewer: ViewerDep, request: Request) -> Response:
    """Delete an organization: at once when it has next to nothing, else a worker does, with all that it has."""
    repository = OrganizationRepository(viewer.session, viewer.scope)
    row = await repository.get(organization_id, lock=True)
    require_match(request, row)
    if not await repository.is_empty(row):
        await force_delete_tenant(viewer.session, viewer.scope, row)
    elif await delete_tenant(viewer.session, viewer.scope, row) is None:
        return Response(status_code=204)
    return JSONResponse(DeletionAccepted(id=row.id, pending_deletion=True).model_dump(), 202)


@list_below(router, "/{id}/inventories/", OrganizationRepository, INVENTORIES)
def list_organization_inventories(tenant: models.Tenant) -> ColumnElement[bool]:
    """List the inventories of an organization."""
    return models.Inventory.tenant_id == tenant.id
