"""/v1/groups/{group_id}/children and /hosts: what is in a group."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from craton_inv.api.deps import ScopeDep, SessionDep
from craton_inv.api.markers import MarkerWindow, marker_window
from craton_inv.api.v1.rows import row_of
from craton_inv.repositories import groups as group_rows
from craton_inv.repositories import hosts as host_rows
from craton_inv.repositories.groups import GroupRepository
from craton_inv.repositories.hosts import HostRepository
from craton_inv.schemas.v1.groups import Group, GroupList
from craton_inv.schemas.v1.hosts import Host, HostList
from craton_inv.services import associations

router = APIRouter(prefix="/groups/{group_id}", tags=["groups"])
GroupDep = Annotated[Any, Depends(row_of(GroupRepository, "group_id", changes=False))]
ChildDep = Annotated[Any, Depends(row_of(GroupRepository, "child_id", changes=False))]
HostDep = Annotated[Any, Depends(row_of(HostRepository, "host_id", changes=False))]
WindowDep = Annotated[MarkerWindow, Depends(marker_window)]


@router.get("/children", operation_id="list_group_children")
async def list_children(session: SessionDep, scope: ScopeDep, group: GroupDep, window: WindowDep) -> GroupList:
    """The direct children of a group."""
    return await window.answer(GroupRepository(session, scope), Group, GroupList, group_rows.children_of(group.id))


@router.put("/children/{child_id}", status_code=204, operation_id="add_group_child")
async def add_child(session: SessionDep, scope: ScopeDep, group: GroupDep, child: ChildDep) -> None:
    """Put a group below a group; 409 for a cycle."""
    await associations.attach_child(session, scope, group, child)


@router.delete("/children/{child_id}", status_code=204, operation_id="remove_group_child")
async def remove_child(session: SessionDep, scope: ScopeDep, group: GroupDep, child: ChildDep) -> None:
    """Take a group from below a group."""
    await associations.detach_child(session, scope, group, child)


@router.get("/hosts", operation_id="list_group_hosts")
async def list_hosts(session: SessionDep, scope: ScopeDep, group: GroupDep, window: WindowDep) -> HostList:
    """The direct members of a group."""
    return await window.answer(HostRepository(session, scope), Host, HostList, host_rows.in_group(group.id))


@router.put("/hosts/{host_id}", status_code=204, operation_id="add_group_host")
async def add_host(session: SessionDep, scope: ScopeDep, group: GroupDep, host: HostDep) -> None:
    """Put a host into a group."""
    await associations.attach_host(session, scope, group, host)


@router.delete("/hosts/{host_id}", status_code=204, operation_id="remove_group_host")
async def remove_host(session: SessionDep, scope: ScopeDep, group: GroupDep, host: HostDep) -> None:
    """Take a host out of a group."""
    await associations.detach_host(session, scope, group, host)
