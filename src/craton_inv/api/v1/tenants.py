"""/v1/tenants."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from craton_inv.api.crud import Crud
from craton_inv.api.deps import ScopeDep, SessionDep
from craton_inv.api.preconditions import require_match
from craton_inv.api.v1.deleting import ACCEPTED, Force, accepted
from craton_inv.api.v1.dialect import V1
from craton_inv.api.v1.rows import row_of
from craton_inv.api.v1.variables import add_variables_routes
from craton_inv.repositories.tenants import TenantRepository
from craton_inv.schemas.v1.tenants import Tenant, TenantCreate, TenantList, TenantUpdate
from craton_inv.services import tenants as service
from craton_inv.services.tenants import force_delete_tenant

router = APIRouter(prefix="/tenants", tags=["tenants"])

tenants = Crud(V1, router, TenantRepository, Tenant, TenantList)
tenants.list()
tenants.create(TenantCreate)
tenants.read()
tenants.replace(TenantCreate)
tenants.update(TenantUpdate)
get_tenant = row_of(TenantRepository, "tenant_id")


@router.delete("/{tenant_id}", status_code=204, operation_id="delete_tenant", responses=ACCEPTED)
async def delete_tenant(
    session: SessionDep,
    scope: ScopeDep,
    tenant: Annotated[Any, Depends(get_tenant)],
    request: Request,
    force: Force = False,
) -> Response:
    """Delete an empty tenant, at once or by a worker; 409 while it has regions or inventories, unless forced."""
    require_match(request, tenant)
    if force:
        return accepted(await force_delete_tenant(session, scope, tenant))
    job_id = await service.delete_tenant(session, scope, tenant)
    return Response(status_code=204) if job_id is None else accepted(job_id)


add_variables_routes(router, "tenants", TenantRepository, get_tenant, path="/{tenant_id}")
