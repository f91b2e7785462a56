"""/v1/regions/{tenant_id} and below."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from craton_inv.api.deps import SAFE_METHODS, ScopeDep, SessionDep
from craton_inv.api.markers import MarkerWindow, marker_window
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.api.v1.deleting import ACCEPTED, Force, accepted
from craton_inv.api.v1.variables import add_variables_routes
from craton_inv.errors import NotFound
from craton_inv.models import Region as RegionRow
from craton_inv.models import Tenant
from craton_inv.repositories.regions import RegionRepository
from craton_inv.repositories.tenants import TenantRepository
from craton_inv.schemas.v1.regions import Region, RegionCreate, RegionList, RegionUpdate
from craton_inv.services import regions as service


async def get_tenant(session: SessionDep, scope: ScopeDep, tenant_id: int) -> Tenant:
    """The tenant of the path. Raises NotFound."""
    return await TenantRepository(session, scope).get(tenant_id)


TenantDep = Annotated[Tenant, Depends(get_tenant)]
router = APIRouter(prefix="/regions/{tenant_id}", tags=["regions"])


async def get_region(
    session: SessionDep, scope: ScopeDep, tenant: TenantDep, region_id: int, request: Request
) -> RegionRow:
    """The region of the path, locked when it will change. Raises NotFound, also when it is another tenant's."""
    region = await RegionRepository(session, scope).get(region_id, lock=request.method not in SAFE_METHODS)
    if region.tenant_id != tenant.id:
        raise NotFound("Not found.")
    return region


RegionDep = Annotated[RegionRow, Depends(get_region)]


@router.get("", operation_id="list_regions")
async def list_regions(
    session: SessionDep, scope: ScopeDep, tenant: TenantDep, window: Annotated[MarkerWindow, Depends(marker_window)]
) -> RegionList:
    """The regions of a tenant."""
    return await window.answer(RegionRepository(session, scope), Region, RegionList, RegionRow.tenant_id == tenant.id)


@router.post("", status_code=201, operation_id="create_region")
async def create_region(
    session: SessionDep, scope: ScopeDep, tenant: TenantDep, body: RegionCreate, request: Request, response: Response
) -> Region:
    """Make a region, and the inventory it owns."""
    region = await service.create_region(session, scope, tenant, body.model_dump(exclude_unset=True))
    root = request.scope.get("root_path", "")
    response.headers["Location"] = f"{root}/regions/{tenant.id}/{region.id}"
    tell_etag(response, region)
    return Region.of(region, root)


@router.get("/{region_id}", operation_id="get_region")
async def read_region(region: RegionDep, response: Response) -> Region:
    """Read a region."""
    tell_etag(response, region)
    return Region.of(region, "")


async def _changed(
    session: SessionDep, scope: ScopeDep, region: RegionRow, body: RegionCreate | RegionUpdate, response: Response
) -> Region:
    await RegionRepository(session, scope).change(region, body.model_dump(exclude_unset=True))
    tell_etag(response, region)
    return Region.of(region, "")


@router.put("/{region_id}", operation_id="replace_region")
async def replace_region(
    session: SessionDep, scope: ScopeDep, region: RegionDep, body: RegionCreate, request: Request, response: Response
) -> Region:
    """Change a region; what the body leaves out stays."""
    require_match(request, region)
    return await _changed(session, scope, region, body, response)


@router.patch("/{region_id}", operation_id="update_region")
async def update_region(
    session: SessionDep, scope: ScopeDep, region: RegionDep, body: RegionUpdate, request: Request, response: Response
) -> Region:
    """Change a region."""
    require_match(request, region)
    return await _changed(session, scope, region, body, response)


@router.delete("/{region_id}", status_code=204, operation_id="delete_region", responses=ACCEPTED)
async def delete_region(
    session: SessionDep, scope: ScopeDep, region: RegionDep, request: Request, force: Force = False
) -> Response:
    """Delete an empty region and its inventory; 409 while anything is in them, unless forced."""
    require_match(request, region)
    if force:
        return accepted(await service.force_delete_region(session, scope, region))
    await service.delete_region(session, scope, region)
    return Response(status_code=204)


add_variables_routes(router, "regions", RegionRepository, get_region, path="/{region_id}")
