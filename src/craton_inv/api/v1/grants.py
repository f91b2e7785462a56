"""/v1/tenants/{tenant_id}/grants: who has which role in a tenant."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from craton_inv.api.deps import ScopeDep, SessionDep
from craton_inv.api.markers import MarkerWindow, marker_window
from craton_inv.api.v1.rows import row_of
from craton_inv.errors import NotFound
from craton_inv.models import Grant as GrantRow
from craton_inv.repositories.tenants import TenantRepository
from craton_inv.repositories.users import GrantRepository, require_user
from craton_inv.schemas.v1.users import Grant, GrantCreate, GrantList

router = APIRouter(prefix="/tenants/{tenant_id}/grants", tags=["grants"])
TenantDep = Annotated[Any, Depends(row_of(TenantRepository, "tenant_id", changes=False))]


@router.get("", operation_id="list_grants")
async def list_grants(
    session: SessionDep, scope: ScopeDep, tenant: TenantDep, window: Annotated[MarkerWindow, Depends(marker_window)]
) -> GrantList:
    """The grants of a tenant."""
    return await window.answer(GrantRepository(session, scope), Grant, GrantList, GrantRow.tenant_id == tenant.id)


@router.post("", status_code=201, operation_id="create_grant")
async def create_grant(
    session: SessionDep, scope: ScopeDep, tenant: TenantDep, body: GrantCreate, request: Request, response: Response
) -> Grant:
    """Give a user a role in a tenant."""
    rows = GrantRepository(session, scope)
    grant = GrantRow(tenant_id=tenant.id, user_id=body.user_id, role=body.role)
    rows.authorize(grant)
    await require_user(session, body.user_id)
    await rows.add(grant)
    root = request.scope.get("root_path", "")
    response.headers["Location"] = f"{root}/tenants/{tenant.id}/grants/{grant.id}"
    return Grant.of(grant, root)


async def get_grant(session: SessionDep, scope: ScopeDep, tenant: TenantDep, grant_id: int) -> GrantRow:
    """The grant of the path. Raises NotFound, also when it is another tenant's."""
    grant = await GrantRepository(session, scope).get(grant_id)
    if grant.tenant_id != tenant.id:
        raise NotFound("Not found.")
    return grant


GrantDep = Annotated[GrantRow, Depends(get_grant)]


@router.get("/{grant_id}", operation_id="get_grant")
async def read_grant(grant: GrantDep) -> Grant:
    """Read a grant."""
    return Grant.of(grant, "")


@router.delete("/{grant_id}", status_code=204, operation_id="delete_grant")
async def delete_grant(session: SessionDep, scope: ScopeDep, grant: GrantDep) -> None:
    """Take a role away."""
    await GrantRepository(session, scope).delete(grant)
