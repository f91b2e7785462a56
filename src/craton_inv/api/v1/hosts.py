"""/v1/hosts."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import IPvAnyAddress
from sqlalchemy import ColumnElement

from craton_inv import filters
from craton_inv.api.context import context_of
from craton_inv.api.crud import Crud
from craton_inv.api.deps import ScopeDep, SessionDep
from craton_inv.api.markers import MarkerWindow, marker_window
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.api.searches import limit_filter_time, searching
from craton_inv.api.v1.dialect import V1
from craton_inv.api.v1.owners import OwnerDep
from craton_inv.api.v1.rows import row_of
from craton_inv.api.v1.variables import add_variables_routes
from craton_inv.models import Host as HostRow
from craton_inv.repositories import host_queries
from craton_inv.repositories.hosts import HostRepository
from craton_inv.schemas.v1.hosts import Host, HostCreate, HostList, HostReplace, HostUpdate
from craton_inv.services import hosts as service
from craton_inv.services import placement
from craton_inv.services.variables import set_variables

router = APIRouter(prefix="/hosts", tags=["hosts"])
get_host = row_of(HostRepository, "host_id")
HostDep = Annotated[Any, Depends(get_host)]
VARS = (
    "Craton's form over the hosts' own variables: `hardware.disks[*].vendor:\"Seagate\",os.release:12`; a comma means"
    " and. The filter language is taken too. Given several times, all must hold."
)


class HostQuery:
    """The filters of a list of hosts."""

    def __init__(
        self,
        owner: OwnerDep,
        name: Annotated[str | None, Query(max_length=512)] = None,
        group: Annotated[str | None, Query(max_length=512, description="A group's name; its subgroups count.")] = None,
        ip_address: Annotated[IPvAnyAddress | None, Query(description="IPv4 or IPv6.")] = None,
        host_filter: Annotated[str | None, Query(description="The filter language, as under /v2.")] = None,
        variables: Annotated[list[str], Query(alias="vars", description=VARS)] = [],  # noqa: B006
    ) -> None:
        self.owner = owner
        self.name = name
        self.group = group
        self.ip_address = ip_address
        self.searches = [] if host_filter is None else [filters.parse(host_filter)]
        self.searches += map(filters.parse_vars, variables)

    def conditions(self) -> list[ColumnElement[bool]]:
        """What the hosts must fulfil. Raises InvalidFilter."""
        wanted = self.owner.conditions(HostRow)
        if self.owner.region_id is not None:
            wanted.append(HostRow.region_id == self.owner.region_id)
        if self.name is not None:
            wanted.append(HostRow.name == self.name)
        if self.group is not None:
            wanted.append(host_queries.below_group_named(self.group))
        if self.ip_address is not None:
            wanted.append(host_queries.with_address(self.ip_address))
        return wanted + [filters.compile_where(search, HostRow) for search in self.searches]


@router.get("", operation_id="list_hosts")
async def list_hosts(
    session: SessionDep,
    scope: ScopeDep,
    window: Annotated[MarkerWindow, Depends(marker_window)],
    query: Annotated[HostQuery, Depends()],
    request: Request,
) -> HostList:
    """Hosts, by owner, name, group, address, variables or the filter language; all that is given must hold."""
    conditions = query.conditions()
    settings = context_of(request).settings
    if query.group is not None:
        await limit_filter_time(session, settings)
    async with searching(session, settings, *query.searches, query.owner.search):
        rows = HostRepository(session, scope)
        searched = bool(query.searches) or query.group is not None
        return await window.answer(rows, Host, HostList, *conditions, searched=searched)


@router.post("", status_code=201, operation_id="create_host")
async def create_host(
    session: SessionDep, scope: ScopeDep, body: HostCreate, request: Request, response: Response
) -> Host:
    """Make a host in a region or an inventory."""
    values = body.model_dump(exclude_unset=True)
    place = await placement.find_place(session, scope, values)
    values = {name: value for name, value in values.items() if name not in ("tenant_id", "inventory_id")}
    host = await service.create_host(session, scope, place.inventory, values)
    root = request.scope.get("root_path", "")
    response.headers["Location"] = f"{root}/hosts/{host.id}"
    tell_etag(response, host)
    return Host.of(host, root)


hosts = Crud(V1, router, HostRepository, Host, HostList)
hosts.read()


async def _changed(
    session: Any, scope: Any, host: HostRow, body: HostReplace, request: Request, response: Response
) -> Host:
    require_match(request, host)
    values = body.model_dump(exclude_unset=True)
    await placement.require_inventory(session, scope, values.pop("inventory_id", None), host.inventory_id, "host")
    await placement.require_tenant(session, scope, values.pop("tenant_id", None), host.tenant_id)
    await placement.require_region(session, scope, values.get("region_id"), host.tenant_id)
    await service.change_host(session, scope, host, values)
    tell_etag(response, host)
    return Host.of(host, "")


@router.put("/{host_id}", operation_id="replace_host")
async def replace_host(
    session: SessionDep, scope: ScopeDep, host: HostDep, body: HostReplace, request: Request, response: Response
) -> Host:
    """Change a host; what the body leaves out stays."""
    return await _changed(session, scope, host, body, request, response)


@router.patch("/{host_id}", operation_id="update_host")
async def update_host(
    session: SessionDep, scope: ScopeDep, host: HostDep, body: HostUpdate, request: Request, response: Response
) -> Host:
    """Change a host."""
    return await _changed(session, scope, host, body, request, response)


@router.delete("/{host_id}", status_code=204, operation_id="delete_host")
async def delete_host(session: SessionDep, scope: ScopeDep, host: HostDep, request: Request) -> None:
    """Delete a host; 409 while an update of its inventory runs."""
    require_match(request, host)
    await service.delete_host(session, scope, host)


add_variables_routes(router, "hosts", HostRepository, get_host, set_variables, path="/{host_id}")
