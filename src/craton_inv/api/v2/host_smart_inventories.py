"""hosts/:id/smart_inventories/: the smart inventories that a host is a member of."""

from typing import Annotated

from fastapi import APIRouter, Path

from craton_inv.api.deps import ContextDep
from craton_inv.api.ids import PathId
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import InventoryPresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.smart_memberships import of_host
from craton_inv.schemas.v2.inventories import InventoryList
from craton_inv.services.smart_memberships import refresh_host

router = APIRouter(prefix="/hosts", tags=["hosts"])
HostId = Annotated[PathId, Path(alias="id")]


@router.get("/{id}/smart_inventories/", operation_id="list_host_smart_inventories", response_model_exclude_unset=True)
async def list_host_smart_inventories(
    host_id: HostId, viewer: ViewerDep, window: WindowDep, context: ContextDep
) -> InventoryList:
    """List the smart inventories that have a host as a member; its memberships are brought up to date first."""
    host = await HostRepository(viewer.session, viewer.scope).get(host_id)
    kept = context.settings.awx_rebuild_smart_membership
    await refresh_host(viewer.session, host, kept=kept, seconds=viewer.filter_timeout)
    repository = InventoryRepository(viewer.session, viewer.scope)
    return await listed(window, repository, InventoryPresenter(viewer), InventoryList, of_host(host))
