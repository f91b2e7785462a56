"""credential_types/: AWX's managed types, which nobody changes, and custom ones."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import ColumnElement

from craton_inv import models
from craton_inv.api.ids import PathId
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.api.v2.associating import COLUMNS
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.getting import referred
from craton_inv.api.v2.kinds import CREDENTIALS
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import CredentialTypePresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.repositories.credential_types import CredentialTypeRepository
from craton_inv.repositories.credentials import of_type
from craton_inv.repositories.tenants import OrganizationRepository
from craton_inv.schemas.v2.credential_types import (
    CredentialType,
    CredentialTypeCreate,
    CredentialTypeList,
    CredentialTypePatch,
    CredentialTypeReplace,
)
from craton_inv.services import credential_types as service

router = APIRouter(prefix="/credential_types", tags=["credentials"])
TypeId = Annotated[PathId, Path(alias="id")]


@router.get("/", operation_id="list_credential_types", response_model_exclude_unset=True)
async def list_credential_types(viewer: ViewerDep, window: WindowDep) -> CredentialTypeList:
    """List credential types."""
    repository = CredentialTypeRepository(viewer.session, viewer.scope)
    return await listed(window, repository, CredentialTypePresenter(viewer), CredentialTypeList)


@router.post("/", operation_id="create_credential_type", status_code=201)
async def create_credential_type(body: CredentialTypeCreate, viewer: ViewerDep, response: Response) -> CredentialType:
    """Create a custom type, of an organization or (by system administrators) of all."""
    if body.organization is not None:
        await referred(OrganizationRepository(viewer.session, viewer.scope), "organization", body.organization)
    row = await service.create_type(viewer.session, viewer.scope, _columns(body))
    response.headers["Location"] = viewer.links.to("credential_type", row.id)
    return await CredentialTypePresenter(viewer).one(row)


@router.get("/{id}/", operation_id="get_credential_type")
async def get_credential_type(type_id: TypeId, viewer: ViewerDep, response: Response) -> CredentialType:
    """Read a credential type."""
    row = await CredentialTypeRepository(viewer.session, viewer.scope).get(type_id)
    tell_etag(response, row)
    return await CredentialTypePresenter(viewer).one(row)


@router.put("/{id}/", operation_id="replace_credential_type")
async def replace_credential_type(
    type_id: TypeId, body: CredentialTypeReplace, viewer: ViewerDep, request: Request
) -> CredentialType:
    """Replace a custom type."""
    return await _change(type_id, body, viewer, request)


@router.patch("/{id}/", operation_id="update_credential_type")
async def update_credential_type(
    type_id: TypeId, body: CredentialTypePatch, viewer: ViewerDep, request: Request
) -> CredentialType:
    """Change a custom type."""
    return await _change(type_id, body, viewer, request)


async def _change(type_id: int, body: CredentialTypePatch, viewer: ViewerDep, request: Request) -> CredentialType:
    row = await CredentialTypeRepository(viewer.session, viewer.scope).get(type_id, lock=True)
    require_match(request, row)
    await service.change_type(viewer.session, viewer.scope, row, _columns(body))
    return await CredentialTypePresenter(viewer).one(row)


@router.delete("/{id}/", operation_id="delete_credential_type", status_code=204)
async def delete_credential_type(type_id: TypeId, viewer: ViewerDep, request: Request) -> None:
    """Delete a custom type that no credential is of."""
    row = await CredentialTypeRepository(viewer.session, viewer.scope).get(type_id, lock=True)
    require_match(request, row)
    await service.delete_type(viewer.session, viewer.scope, row)


@list_below(router, "/{id}/credentials/", CredentialTypeRepository, CREDENTIALS)
def list_credential_type_credentials(credential_type: models.CredentialType) -> ColumnElement[bool]:
    """List the credentials of a type."""
    return of_type(credential_type.id)


def _columns(body: CredentialTypeCreate | CredentialTypePatch) -> dict[str, Any]:
    return {COLUMNS.get(name, name): value for name, value in body.model_dump(exclude_unset=True).items()}
