"""credentials/ and organizations/:id/credentials/: what sources log in with. Secrets go in and never come out."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import ColumnElement

from craton_inv import models
from craton_inv.api.deps import ContextDep
from craton_inv.api.ids import PathId
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.getting import referred
from craton_inv.api.v2.kinds import CREDENTIALS
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import CredentialPresenter
from craton_inv.api.v2.present.base import Viewer, ViewerDep
from craton_inv.repositories.credentials import CredentialRepository, of_tenant
from craton_inv.repositories.tenants import OrganizationRepository
from craton_inv.schemas.v2.credentials import (
    Credential,
    CredentialContent,
    CredentialCreate,
    CredentialList,
    CredentialPatch,
    CredentialReplace,
)
from craton_inv.services import credentials as service

router = APIRouter(tags=["credentials"])
RowId = Annotated[PathId, Path(alias="id")]


@router.get("/credentials/", operation_id="list_credentials", response_model_exclude_unset=True)
async def list_credentials(viewer: ViewerDep, window: WindowDep) -> CredentialList:
    """List credentials."""
    repository = CredentialRepository(viewer.session, viewer.scope)
    return await listed(window, repository, CredentialPresenter(viewer), CredentialList)


@router.post("/credentials/", operation_id="create_credential", status_code=201)
async def create_credential(
    body: CredentialCreate, viewer: ViewerDep, context: ContextDep, response: Response
) -> Credential:
    """Create a credential."""
    tenants = OrganizationRepository(viewer.session, viewer.scope)
    tenant = await referred(tenants, "organization", body.organization)
    row = await service.create_credential(
        viewer.session, viewer.scope, context.settings, tenant, body.model_dump(exclude_unset=True)
    )
    response.headers["Location"] = viewer.links.to("credential", row.id)
    return await CredentialPresenter(viewer).one(row)


@router.get("/credentials/{id}/", operation_id="get_credential")
async def get_credential(credential_id: RowId, viewer: ViewerDep, response: Response) -> Credential:
    """Read a credential, but for its secrets."""
    row = await CredentialRepository(viewer.session, viewer.scope).get(credential_id)
    tell_etag(response, row)
    return await CredentialPresenter(viewer).one(row)


@router.put("/credentials/{id}/", operation_id="replace_credential")
async def replace_credential(
    credential_id: RowId, body: CredentialReplace, viewer: ViewerDep, context: ContextDep, request: Request
) -> Credential:
    """Replace a credential."""
    return await _change(credential_id, body, viewer, context, request)


@router.patch("/credentials/{id}/", operation_id="update_credential")
async def update_credential(
    credential_id: RowId, body: CredentialPatch, viewer: ViewerDep, context: ContextDep, request: Request
) -> Credential:
    """Change a credential. `$encrypted$` keeps a stored secret."""
    return await _change(credential_id, body, viewer, context, request)


async def _change(
    credential_id: int, body: CredentialPatch, viewer: Viewer, context: ContextDep, request: Request
) -> Credential:
    row = await CredentialRepository(viewer.session, viewer.scope).get(credential_id, lock=True)
    require_match(request, row)
    values = body.model_dump(exclude_unset=True)
    await service.change_credential(viewer.session, viewer.scope, context.settings, row, values)
    return await CredentialPresenter(viewer).one(row)


@router.delete("/credentials/{id}/", operation_id="delete_credential", status_code=204)
async def delete_credential(credential_id: RowId, viewer: ViewerDep, request: Request) -> None:
    """Delete a credential. Sources that log in with it have none afterwards."""
    repository = CredentialRepository(viewer.session, viewer.scope)
    row = await repository.get(credential_id, lock=True)
    require_match(request, row)
    await repository.delete(row)


@list_below(router, "/organizations/{id}/credentials/", OrganizationRepository, CREDENTIALS)
def list_organization_credentials(tenant: models.Tenant) -> ColumnElement[bool]:
    """List the credentials of an organization."""
    return of_tenant(tenant.id)


@router.post("/organizations/{id}/credentials/", operation_id="create_organization_credential", status_code=201)
async def create_organization_credential(
    organization_id: RowId, body: CredentialContent, viewer: ViewerDep, context: ContextDep, response: Response
) -> Credential:
    """Create a credential of an organization."""
    tenant = await OrganizationRepository(viewer.session, viewer.scope).get(organization_id)
    row = await service.create_credential(
        viewer.session, viewer.scope, context.settings, tenant, body.model_dump(exclude_unset=True)
    )
    response.headers["Location"] = viewer.links.to("credential", row.id)
    return await CredentialPresenter(viewer).one(row)
