"""groups/: single groups and the list of all."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import ColumnElement

from craton_inv import models
from craton_inv.api.ids import PathId
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.api.v2.associating import content_of
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.getting import keep_inventory, referred
from craton_inv.api.v2.host_search import HostFilterDep, list_hosts_where
from craton_inv.api.v2.kinds import GROUPS, INVENTORY_SOURCES
from craton_inv.api.v2.listing import WindowDep, listed
from craton_inv.api.v2.present import GroupPresenter
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.repositories import groups, hosts, inventory_sources
from craton_inv.repositories.groups import GroupRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.schemas.v2.groups import Group, GroupCreate, GroupList, GroupPatch, GroupReplace
from craton_inv.schemas.v2.hosts import HostList
from craton_inv.services import groups as service

router = APIRouter(prefix="/groups", tags=["groups"])
GroupId = Annotated[PathId, Path(alias="id")]


@router.get("/", operation_id="list_groups", response_model_exclude_unset=True)
async def list_groups(viewer: ViewerDep, window: WindowDep) -> GroupList:
    """List groups."""
    repository = GroupRepository(viewer.session, viewer.scope)
    return await listed(window, repository, GroupPresenter(viewer), GroupList)


@router.post("/", operation_id="create_group", status_code=201)
async def create_group(body: GroupCreate, viewer: ViewerDep, response: Response) -> Group:
    """Create a group."""
    inventories = InventoryRepository(viewer.session, viewer.scope)
    inventory = await referred(inventories, "inventory", body.inventory)
    row = await service.create_group(viewer.session, viewer.scope, inventory, content_of(body))
    response.headers["Location"] = viewer.links.to("group", row.id)
    return await GroupPresenter(viewer).one(row)


@router.get("/{id}/", operation_id="get_group")
async def get_group(group_id: GroupId, viewer: ViewerDep, response: Response) -> Group:
    """Read a group."""
    row = await GroupRepository(viewer.session, viewer.scope).get(group_id)
    tell_etag(response, row)
    return await GroupPresenter(viewer).one(row)


@router.put("/{id}/", operation_id="replace_group")
async def replace_group(group_id: GroupId, body: GroupReplace, viewer: ViewerDep, request: Request) -> Group:
    """Replace a group."""
    return await _change(group_id, body, viewer, request)


@router.patch("/{id}/", operation_id="update_group")
async def update_group(group_id: GroupId, body: GroupPatch, viewer: ViewerDep, request: Request) -> Group:
    """Change a group."""
    return await _change(group_id, body, viewer, request)


async def _change(group_id: int, body: GroupReplace | GroupPatch, viewer: ViewerDep, request: Request) -> Group:
    row = await GroupRepository(viewer.session, viewer.scope).get(group_id, lock=True)
    require_match(request, row)
    keep_inventory(row, body, "group")
    await service.change_group(viewer.session, viewer.scope, row, content_of(body))
    return await GroupPresenter(viewer).one(row)


@router.delete("/{id}/", operation_id="delete_group", status_code=204)
async def delete_group(group_id: GroupId, viewer: ViewerDep, request: Request) -> None:
    """Delete a group with its sub-groups that have no other parent, and the hosts left in no group."""
    row = await service.group_to_delete(viewer.session, viewer.scope, group_id)
    require_match(request, row)
    await service.delete_group(viewer.session, viewer.scope, row)


@list_below(router, "/{id}/potential_children/", GroupRepository, GROUPS)
def list_group_potential_children(group: models.Group) -> ColumnElement[bool]:
    """List the groups that could become children of a group."""
    return groups.potential_children_of(group)


@router.get("/{id}/all_hosts/", operation_id="list_group_all_hosts", response_model_exclude_unset=True)
async def list_group_all_hosts(
    group_id: GroupId, viewer: ViewerDep, window: WindowDep, host_filter: HostFilterDep
) -> HostList:
    """List the hosts of a group and of all groups below it."""
    group = await GroupRepository(viewer.session, viewer.scope).get(group_id)
    return await list_hosts_where(viewer, window, host_filter, hosts.below_group(group.id))


@list_below(router, "/{id}/inventory_sources/", GroupRepository, INVENTORY_SOURCES)
def list_group_inventory_sources(group: models.Group) -> ColumnElement[bool]:
    """List the sources that deliver a group."""
    return inventory_sources.of_group(group.id)
