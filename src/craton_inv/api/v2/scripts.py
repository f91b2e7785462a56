"""/v2/inventories/{id}/script/: an inventory as Ansible's inventory scripts give it."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from craton_inv.api.deps import ContextDep, ScopeDep, SessionDep
from craton_inv.api.ids import PathId
from craton_inv.api.scripts import RESPONSES, answer, known_tags, limited
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.services.scripts import ScriptQuery, inventory_script

router = APIRouter(prefix="/inventories", tags=["inventories"])

# AWX's switches are on for any text that is not empty: `hostvars=0` too.
Switch = Annotated[str, Query(description="On for any text that is not empty, `0` too.", max_length=100)]


@router.get(
    "/{id}/script/",
    operation_id="get_inventory_script",
    summary="Read an inventory as Ansible does",
    responses=RESPONSES,
    response_class=Response,
)
async def get_inventory_script(
    inventory_id: Annotated[PathId, Path(alias="id")],
    request: Request,
    session: SessionDep,
    scope: ScopeDep,
    context: ContextDep,
    hostvars: Switch = "",
    towervars: Switch = "",
    all_hosts: Annotated[str, Query(alias="all", description="Disabled hosts too.", max_length=100)] = "",
    host: Annotated[str, Query(description="Only the variables of this host.", max_length=512)] = "",
    subset: Annotated[str, Query(description="`slice2of5`: every fifth host from the second.", max_length=100)] = "",
) -> Response:
    """Groups with their enabled hosts; `hostvars` adds the variables of each. No filters and no pages."""
    inventory = await InventoryRepository(session, scope).get(inventory_id)
    query = ScriptQuery(bool(hostvars), bool(towervars), bool(all_hosts), host, subset)
    async with limited(session, inventory, context.settings):
        return answer(await inventory_script(session, scope, inventory, query, known_tags(request)))
