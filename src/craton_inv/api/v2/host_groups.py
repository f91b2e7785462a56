"""hosts/:id/groups/: the groups a host is a direct member of."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from sqlalchemy import ColumnElement

from craton_inv import models
from craton_inv.api.ids import PathId
from craton_inv.api.v2.associating import Wish, linked, new_content, wish_of
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.kinds import GROUPS
from craton_inv.api.v2.present import GroupPresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.repositories import groups
from craton_inv.repositories.groups import GroupRepository
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.schemas.v2.groups import Group
from craton_inv.schemas.v2.links import GroupLink
from craton_inv.services import associations
from craton_inv.services.groups import create_group

router = APIRouter(prefix="/hosts", tags=["hosts"])
HostId = Annotated[PathId, Path(alias="id")]


@list_below(router, "/{id}/groups/", HostRepository, GROUPS)
def list_host_groups(host: models.Host) -> ColumnElement[bool]:
    """List the groups of a host."""
    return groups.of_host(host.id)


@router.post(
    "/{id}/groups/",
    operation_id="associate_host_groups",
    status_code=201,
    response_model=Group,
    responses={204: {"description": "Attached or detached."}},
)
async def associate_host_groups(host_id: HostId, body: GroupLink, viewer: ViewerDep, response: Response) -> Any:
    """Attach, detach or create a group of a host."""
    session, scope = viewer.session, viewer.scope
    host = await HostRepository(session, scope).get(host_id)
    repository = GroupRepository(session, scope)
    wish = wish_of(body)
    if wish is Wish.CREATE:
        inventory = await InventoryRepository(session, scope).get(host.inventory_id)
        await associations.begin_hosts(session, host)
        group = await create_group(session, scope, inventory, new_content(body))
        await associations.attach_host(session, scope, group, host)
        response.headers["Location"] = viewer.links.to("group", group.id)
        return await GroupPresenter(viewer).one(group)
    group = await linked(repository, body)
    change = associations.attach_host if wish is Wish.ATTACH else associations.detach_host
    await change(session, scope, group, host)
    return Response(status_code=204)
