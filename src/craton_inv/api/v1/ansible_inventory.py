"""/v1/ansible-inventory: a region, an inventory or a host as Ansible's dynamic inventory."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from craton_inv.api.deps import ContextDep, ScopeDep, SessionDep
from craton_inv.api.scripts import RESPONSES, answer, known_tags, limited
from craton_inv.errors import InvalidField
from craton_inv.services.placement import find_place
from craton_inv.services.scripts import ScriptQuery, effective_script, host_script

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
) -> Response:
    """Enabled hosts with their variables, groups, and the variables of tenant, region and inventory as those of `all`.

    `host` alone needs a name that only one inventory has.
    """
    if region_id is None and inventory_id is None:
        if not host:
            raise InvalidField("region_id", "Say what is wanted: region_id, inventory_id or host.")
        return answer(await host_script(session, scope, host))
    if region_id is not None and inventory_id is not None:
        raise InvalidField("inventory_id", "Give region_id or inventory_id, not both.")
    place = await find_place(session, scope, {"region_id": region_id, "inventory_id": inventory_id})
    query = ScriptQuery(hostvars=True, host=host)
    async with limited(session, place.inventory, context.settings):
        return answer(await effective_script(session, scope, place.inventory, query, known_tags(request)))
