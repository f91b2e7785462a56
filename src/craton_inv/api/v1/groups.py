"""/v1/groups, their children and their hosts."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from craton_inv.api.crud import Crud
from craton_inv.api.deps import ScopeDep, SessionDep
from craton_inv.api.markers import MarkerWindow, marker_window
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.api.v1.dialect import V1
from craton_inv.api.v1.owners import OwnerDep
from craton_inv.api.v1.rows import row_of
from craton_inv.api.v1.variables import add_variables_routes
from craton_inv.models import Group as GroupRow
from craton_inv.repositories.groups import GroupRepository
from craton_inv.schemas.v1.groups import Group, GroupCreate, GroupList, GroupReplace, GroupUpdate
from craton_inv.services import busy, placement
from craton_inv.services import groups as service
from craton_inv.services.variables import set_variables

router = APIRouter(prefix="/groups", tags=["groups"])
get_group = row_of(GroupRepository, "group_id")
GroupDep = Annotated[Any, Depends(get_group)]
WindowDep = Annotated[MarkerWindow, Depends(marker_window)]


@router.get("", operation_id="list_groups")
async def list_groups(
    session: SessionDep,
    scope: ScopeDep,
    window: WindowDep,
    owner: OwnerDep,
    name: Annotated[str | None, Query(max_length=512)] = None,
) -> GroupList:
    """Groups, by owner or name. A region means its inventory."""
    conditions = owner.conditions(GroupRow)
    if owner.region is not None:
        conditions.append(GroupRow.inventory_id == owner.region.inventory_id)
    if name is not None:
        conditions.append(GroupRow.name == name)
    return await window.answer(GroupRepository(session, scope), Group, GroupList, *conditions)


@router.post("", status_code=201, operation_id="create_group")
async def create_group(
    session: SessionDep, scope: ScopeDep, body: GroupCreate, request: Request, response: Response
) -> Group:
    """Make a group in an inventory, or in a region's."""
    values = body.model_dump(exclude_unset=True)
    place = await placement.find_place(session, scope, values)
    values = {name: value for name, value in values.items() if name not in ("region_id", "inventory_id")}
    group = await service.create_group(session, scope, place.inventory, values)
    root = request.scope.get("root_path", "")
    response.headers["Location"] = f"{root}/groups/{group.id}"
    tell_etag(response, group)
    return Group.of(group, root)


groups = Crud(V1, router, GroupRepository, Group, GroupList)
groups.read()


async def _changed(
    session: Any, scope: Any, group: GroupRow, body: GroupReplace, request: Request, response: Response
) -> Group:
    require_match(request, group)
    values = body.model_dump(exclude_unset=True)
    await placement.require_inventory(session, scope, values.pop("inventory_id", None), group.inventory_id, "group")
    await service.change_group(session, scope, group, values)
    tell_etag(response, group)
    return Group.of(group, "")


@router.put("/{group_id}", operation_id="replace_group")
async def replace_group(
    session: SessionDep, scope: ScopeDep, group: GroupDep, body: GroupReplace, request: Request, response: Response
) -> Group:
    """Change a group; what the body leaves out stays."""
    return await _changed(session, scope, group, body, request, response)


@router.patch("/{group_id}", operation_id="update_group")
async def update_group(
    session: SessionDep, scope: ScopeDep, group: GroupDep, body: GroupUpdate, request: Request, response: Response
) -> Group:
    """Change a group."""
    return await _changed(session, scope, group, body, request, response)


@router.delete("/{group_id}", status_code=204, operation_id="delete_group")
async def delete_group(session: SessionDep, scope: ScopeDep, group: GroupDep, request: Request) -> None:
    """Delete a group alone: its hosts and subgroups stay (under /v2 it goes with what is only in it)."""
    require_match(request, group)
    await busy.refuse_while_updating(session, scope, group.inventory_id)
    await GroupRepository(session, scope).delete(group)


add_variables_routes(router, "groups", GroupRepository, get_group, set_variables, path="/{group_id}")
