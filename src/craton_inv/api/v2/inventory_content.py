"""Lists below an inventory: its hosts, groups and sources, and the tree of its groups."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from sqlalchemy import ColumnElement

from craton_inv import models
from craton_inv.api.ids import PathId
from craton_inv.api.v2.associating import Wish, linked, new_content, wish_of
from craton_inv.api.v2.below import list_below
from craton_inv.api.v2.host_search import HostFilterDep, list_hosts_where
from craton_inv.api.v2.kinds import GROUPS
from craton_inv.api.v2.listing import WindowDep
from craton_inv.api.v2.present import GroupPresenter, HostPresenter
from craton_inv.api.v2.present.base import Viewer, ViewerDep
from craton_inv.errors import BadRequest
from craton_inv.models import Group as GroupRow
from craton_inv.repositories import groups
from craton_inv.repositories.groups import GroupRepository
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.memberships import MembershipRepository
from craton_inv.schemas.v2.groups import Group, GroupTree
from craton_inv.schemas.v2.hosts import Host, HostList
from craton_inv.schemas.v2.links import GroupLink, HostLink
from craton_inv.services.groups import create_group, delete_group, group_to_delete
from craton_inv.services.hosts import create_host, delete_host

router = APIRouter(prefix="/inventories", tags=["inventories"])
InventoryId = Annotated[PathId, Path(alias="id")]
LINKED: dict[int | str, dict[str, Any]] = {204: {"description": "It was there, or it was deleted."}}


@router.get("/{id}/hosts/", operation_id="list_inventory_hosts", response_model_exclude_unset=True)
async def list_inventory_hosts(
    inventory_id: InventoryId, viewer: ViewerDep, window: WindowDep, host_filter: HostFilterDep
) -> HostList:
    """List the hosts of an inventory; of a smart one, what its search gives now."""
    inventory = await InventoryRepository(viewer.session, viewer.scope).get(inventory_id)
    return await list_hosts_where(viewer, window, host_filter, inventories=[inventory])


@router.post(
    "/{id}/hosts/", operation_id="associate_inventory_hosts", status_code=201, response_model=Host, responses=LINKED
)
async def associate_inventory_hosts(
    inventory_id: InventoryId, body: HostLink, viewer: ViewerDep, response: Response
) -> Any:
    """Create a host in an inventory; with `id` and `disassociate`, delete it."""
    session, scope = viewer.session, viewer.scope
    inventory = await InventoryRepository(session, scope).get(inventory_id)
    wish = wish_of(body)
    if wish is Wish.CREATE:
        host = await create_host(session, scope, inventory, new_content(body))
        response.headers["Location"] = viewer.links.to("host", host.id)
        return await HostPresenter(viewer).one(host)
    host = await linked(HostRepository(session, scope), body, lock=True)
    _own(inventory.id, host)
    if wish is Wish.DETACH:
        await delete_host(session, scope, host)
    return Response(status_code=204)


@list_below(router, "/{id}/groups/", InventoryRepository, GROUPS)
def list_inventory_groups(inventory: models.Inventory) -> ColumnElement[bool]:
    """List the groups of an inventory."""
    return groups.in_inventory(inventory.id)


@router.post(
    "/{id}/groups/", operation_id="associate_inventory_groups", status_code=201, response_model=Group, responses=LINKED
)
async def associate_inventory_groups(
    inventory_id: InventoryId, body: GroupLink, viewer: ViewerDep, response: Response
) -> Any:
    """Create a group in an inventory; with `id` and `disassociate`, delete it."""
    return await _associate_group(inventory_id, body, viewer, response)


@list_below(router, "/{id}/root_groups/", InventoryRepository, GROUPS)
def list_inventory_root_groups(inventory: models.Inventory) -> ColumnElement[bool]:
    """List the groups of an inventory that are below no other."""
    return groups.roots_of(inventory.id)


@router.post(
    "/{id}/root_groups/",
    operation_id="associate_inventory_root_groups",
    status_code=201,
    response_model=Group,
    responses=LINKED,
)
async def associate_inventory_root_groups(
    inventory_id: InventoryId, body: GroupLink, viewer: ViewerDep, response: Response
) -> Any:
    """Create a group in an inventory; with `id` and `disassociate`, delete it."""
    return await _associate_group(inventory_id, body, viewer, response)


@router.get("/{id}/tree/", operation_id="get_inventory_tree")
async def get_inventory_tree(inventory_id: InventoryId, viewer: ViewerDep) -> list[GroupTree]:
    """The groups of an inventory, nested, by name; groups only, no pages."""
    inventory = await InventoryRepository(viewer.session, viewer.scope).get(inventory_id)
    rows = await GroupRepository(viewer.session, viewer.scope).page(
        where=(groups.in_inventory(inventory.id),),
        order=(GroupRow.name.asc(), GroupRow.id.asc()),
        limit=2**31,
        count=False,
    )
    edges = await MembershipRepository(viewer.session).edges_of(inventory.id)
    return await GroupPresenter(viewer).tree(rows.items, edges)


async def _associate_group(inventory_id: int, body: GroupLink, viewer: Viewer, response: Response) -> Any:
    session, scope = viewer.session, viewer.scope
    inventory = await InventoryRepository(session, scope).get(inventory_id)
    wish = wish_of(body)
    if wish is Wish.CREATE:
        group = await create_group(session, scope, inventory, new_content(body))
        response.headers["Location"] = viewer.links.to("group", group.id)
        return await GroupPresenter(viewer).one(group)
    group = await linked(GroupRepository(session, scope), body)
    _own(inventory.id, group)
    if wish is Wish.DETACH:
        await delete_group(session, scope, await group_to_delete(session, scope, group.id))
    return Response(status_code=204)


def _own(inventory_id: int, row: Any) -> None:
    # AWX moves a host of another inventory here and leaves its groups behind; a move is never meant by this.
    if row.inventory_id != inventory_id:
        raise BadRequest("Cannot associate two items from different inventories.", code="cross_inventory")
