"""/v1/ansible-inventory: a region, an inventory, a host or what a search finds as Ansible's dynamic inventory."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from craton_inv.api.deps import ContextDep, ScopeDep, SessionDep
from craton_inv.api.scripts import RESPONSES, answer, known_tags, limited
from craton_inv.api.searches import searching
from craton_inv.errors import InvalidField
from craton_inv.filters import parse
from craton_inv.services.placement import find_place
from craton_inv.services.scripts import ScriptQuery, effective_script, host_script
from craton_inv.services.search_scripts import search_script
from craton_inv.services.smart_inventories import search_of

router = APIRouter(prefix="/ansible-inventory", tags=["ansible"])


@router.get(
    "",
    operation_id="get_ansible_inventory",
    summary="Read a region, an inventory or a host as Ansible does",
    responses=RESPONSES,
    response_class=Response,
)
async def get_ansible_inventory(
    request: Request,
    session: SessionDep,
    scope: ScopeDep,
    context: ContextDep,
    region_id: Annotated[int | None, Query(description="The inventory that this region owns.")] = None,
    inventory_id: Annotated[int | None, Query(description="This inventory.")] = None,
    host: Annotated[str, Query(description="Only the variables of this enabled host.", max_length=512)] = "",
    host_filter: Annotated[
        str | None, Query(description="The hosts that this search finds, of all inventories.")
    ] = None,
) -> Response:
    """Enabled hosts with their variables, groups, and the variables of tenant, region and inventory as those of `all`.

    `host` alone needs a name that only one inventory has. With `host_filter`, alone or within a region or an inventory,
    there are the groups that the hosts found are in; across inventories, the lowest id stands for hosts of one name.
    """
    if region_id is not None and inventory_id is not None:
        raise InvalidField("inventory_id", "Give region_id or inventory_id, not both.")
    if host and host_filter is not None:
        raise InvalidField("host", "Give host or host_filter, not both.")
    search = None if host_filter is None else parse(host_filter)
    inventory = None
    if region_id is not None or inventory_id is not None:
        place = await find_place(session, scope, {"region_id": region_id, "inventory_id": inventory_id})
        inventory = place.inventory
    if search is not None:
        stored = None if inventory is None else search_of(inventory)
        async with searching(session, context.settings, stored, search):
            return answer(await search_script(session, scope, search, inventory, known_tags(request)))
    if inventory is None:
        if not host:
            raise InvalidField("region_id", "Say what is wanted: region_id, inventory_id, host or host_filter.")
        return answer(await host_script(session, scope, host))
    query = ScriptQuery(hostvars=True, host=host)
    async with limited(session, inventory, context.settings):
        return answer(await effective_script(session, scope, inventory, query, known_tags(request)))
