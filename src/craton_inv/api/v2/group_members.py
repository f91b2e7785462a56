"""groups/:id/hosts/ and groups/:id/children/: direct members and direct sub-groups."""

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
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.models import Host as HostRow
from craton_inv.repositories import groups, hosts
from craton_inv.repositories.groups import GroupRepository
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.schemas.v2.groups import Group
from craton_inv.schemas.v2.hosts import Host, HostList
from craton_inv.schemas.v2.links import GroupLink, HostLink
from craton_inv.services import associations
from craton_inv.services.groups import create_group, dissolve_group, group_to_delete
from craton_inv.services.hosts import create_host

router = APIRouter(prefix="/groups", tags=["groups"])
GroupId = Annotated[PathId, Path(alias="id")]
LINKED: dict[int | str, dict[str, Any]] = {204: {"description": "Attached or detached."}}


@router.get("/{id}/hosts/", operation_id="list_group_hosts", response_model_exclude_unset=True)
async def list_group_hosts(
    group_id: GroupId, viewer: ViewerDep, window: WindowDep, host_filter: HostFilterDep
) -> HostList:
    """List the direct members of a group."""
    group = await GroupRepository(viewer.session, viewer.scope).get(group_id)
    return await list_hosts_where(viewer, window, host_filter, hosts.in_group(group.id))


@router.post(
    "/{id}/hosts/", operation_id="associate_group_hosts", status_code=201, response_model=Host, responses=LINKED
)
async def associate_group_hosts(group_id: GroupId, body: HostLink, viewer: ViewerDep, response: Response) -> Any:
    """Attach, detach or create a host of a group. A name the inventory has, without variables, attaches that host."""
    session, scope = viewer.session, viewer.scope
    group = await GroupRepository(session, scope).get(group_id)
    repository = HostRepository(session, scope)
    wish = wish_of(body)
    if wish is not Wish.CREATE:
        host: HostRow = await linked(repository, body)
        change = associations.attach_host if wish is Wish.ATTACH else associations.detach_host
        await change(session, scope, group, host)
        return Response(status_code=204)
    values = new_content(body)
    known = None if values.get("variables_text") else await repository.find_named(group.inventory_id, values["name"])
    if known is not None:
        await associations.attach_host(session, scope, group, known)
        return Response(status_code=204)
    inventory = await InventoryRepository(session, scope).get(group.inventory_id)
    await associations.begin_hosts(session, group)
    host = await create_host(session, scope, inventory, values)
    await associations.attach_host(session, scope, group, host)
    response.headers["Location"] = viewer.links.to("host", host.id)
    return await HostPresenter(viewer).one(host)


@list_below(router, "/{id}/children/", GroupRepository, GROUPS)
def list_group_children(group: models.Group) -> ColumnElement[bool]:
    """List the direct sub-groups of a group."""
    return groups.children_of(group.id)


@router.post(
    "/{id}/children/", operation_id="associate_group_children", status_code=201, response_model=Group, responses=LINKED
)
async def associate_group_children(group_id: GroupId, body: GroupLink, viewer: ViewerDep, response: Response) -> Any:
    """Attach, detach or create a sub-group.

    `disassociate` without an id deletes the parent itself and gives its content to its own parents, as AWX does.
    """
    session, scope = viewer.session, viewer.scope
    repository = GroupRepository(session, scope)
    parent = await repository.get(group_id)
    if "disassociate" in body.model_fields_set and "id" not in body.model_fields_set:
        await dissolve_group(session, scope, await group_to_delete(session, scope, parent.id))
        return Response(status_code=204)
    wish = wish_of(body)
    if wish is Wish.CREATE:
        inventory = await InventoryRepository(session, scope).get(parent.inventory_id)
        await associations.begin_children(session, parent)
        child = await create_group(session, scope, inventory, new_content(body))
        await associations.attach_child(session, scope, parent, child)
        response.headers["Location"] = viewer.links.to("group", child.id)
        return await GroupPresenter(viewer).one(child)
    child = await linked(repository, body)
    change = associations.attach_child if wish is Wish.ATTACH else associations.detach_child
    await change(session, scope, parent, child)
    return Response(status_code=204)
