"""inventories/:id/ansible_facts/: the facts of all hosts of an inventory as NDJSON, read and written in one go."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import StreamingResponse

from craton_inv.api.body import NDJSON
from craton_inv.api.context import AppContext
from craton_inv.api.deps import ContextDep, ScopeDep, SessionDep, writing
from craton_inv.api.ids import PathId
from craton_inv.api.ndjson import read_rows, require_ndjson
from craton_inv.api.parameters import refuse_unknown_parameters
from craton_inv.api.searches import searching
from craton_inv.api.v2.facts import KeysDep
from craton_inv.api.v2.host_search import HostFilterDep
from craton_inv.db.session import unit_of_work
from craton_inv.errors import InvalidField
from craton_inv.filters import compile_where, parse
from craton_inv.models import Host, Inventory
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.scope import Scope
from craton_inv.schemas.v2.facts import FactsCleared, FactsLine, FactsLoaded
from craton_inv.services import facts_load
from craton_inv.services.facts_reading import FactsQuery, FactsReading
from craton_inv.services.smart_inventories import search_of

router = APIRouter(prefix="/inventories", tags=["inventories"], dependencies=[Depends(refuse_unknown_parameters)])
InventoryId = Annotated[PathId, Path(alias="id")]
Names = Annotated[list[str] | None, Query(alias="host", description="Only hosts of these names; may be repeated.")]
Missing = Annotated[
    facts_load.Missing,
    Query(description="Hosts that the inventory does not have: refuse all lines, or skip."),
]
_CONTENT: dict[str, Any] = {NDJSON[0]: {"schema": FactsLine.model_json_schema()}}
READ: dict[int | str, dict[str, Any]] = {200: {"description": "One host a line, by id.", "content": _CONTENT}}
WRITE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "One host a line, named by `name`, else by `id`. `ansible_facts_modified` is not read.",
        "content": _CONTENT,
    }
}


@router.get(
    "/{id}/ansible_facts/", operation_id="list_inventory_facts", response_class=StreamingResponse, responses=READ
)
async def list_inventory_facts(
    inventory_id: InventoryId,
    session: SessionDep,
    scope: ScopeDep,
    context: ContextDep,
    host_filter: HostFilterDep,
    keys: KeysDep,
    names: Names = None,
    newer_than: Annotated[
        float | None,
        Query(ge=0, le=10**10, allow_inf_nan=False, description="Only facts written in the last so many seconds."),
    ] = None,
) -> StreamingResponse:
    """Read the facts of all hosts of an inventory, one host a line; of a smart one, of those its search gives now."""
    inventory = await InventoryRepository(session, scope).get(inventory_id)
    node = parse(host_filter) if host_filter else None
    query = FactsQuery(names, keys, newer_than)
    async with searching(session, context.settings, search_of(inventory), node):
        where = [compile_where(node, Host)] if node is not None else []
        reading = await FactsReading.of(session, scope, inventory, query, where)
    return StreamingResponse(reading.lines(context.session_factory), media_type=NDJSON[0])


@router.patch("/{id}/ansible_facts/", operation_id="update_inventory_facts", openapi_extra=WRITE)
async def update_inventory_facts(
    inventory_id: InventoryId, request: Request, scope: ScopeDep, context: ContextDep, missing: Missing = "refuse"
) -> FactsLoaded:
    """Merge facts of many hosts: of each, the keys given are replaced and the others stay. All or nothing."""
    return await _load(inventory_id, request, scope, context, merge=True, missing=missing)


@router.put("/{id}/ansible_facts/", operation_id="replace_inventory_facts", openapi_extra=WRITE)
async def replace_inventory_facts(
    inventory_id: InventoryId, request: Request, scope: ScopeDep, context: ContextDep, missing: Missing = "refuse"
) -> FactsLoaded:
    """Replace the facts of the hosts named; those of all others stay. All or nothing."""
    return await _load(inventory_id, request, scope, context, merge=False, missing=missing)


@router.delete("/{id}/ansible_facts/", operation_id="clear_inventory_facts")
async def clear_inventory_facts(
    inventory_id: InventoryId,
    session: SessionDep,
    scope: ScopeDep,
    context: ContextDep,
    names: Names = None,
    missing: Missing = "refuse",
) -> FactsCleared:
    """Forget the facts of the hosts named by `host`."""
    inventory = await _writable(InventoryRepository(session, scope), inventory_id)
    if not names:
        raise InvalidField("host", "Name the hosts whose facts are to go: ?host=NAME, repeated for more.")
    async with searching(session, context.settings, search_of(inventory)):
        found = await facts_load.find_hosts(session, scope, inventory, names)
    cleared = await facts_load.clear(session, scope, inventory, found, names, missing=missing)
    return FactsCleared.model_validate(cleared, from_attributes=True)


async def _load(
    inventory_id: int, request: Request, scope: Scope, context: AppContext, *, merge: bool, missing: facts_load.Missing
) -> FactsLoaded:
    settings = context.settings
    async with unit_of_work(context.session_factory) as session:
        await _writable(InventoryRepository(session, scope), inventory_id)
    require_ndjson(request)
    with facts_load.FactLines() as lines:
        # A line wraps facts of the deepest nesting in one more object.
        async for number, row in read_rows(request, limit=settings.body_limit, depth=settings.json_depth_limit + 1):
            lines.add(number, row)
        async with writing(context) as session:
            inventory = await _writable(InventoryRepository(session, scope), inventory_id)
            async with searching(session, settings, search_of(inventory)):
                found = await facts_load.find_hosts(session, scope, inventory, lines.hosts)
            hosts = await lines.lock(session, scope, found, missing=missing)
            limit = settings.facts_limit
            loaded = await lines.save(session, scope, inventory, hosts, merge=merge, limit=limit)
    return FactsLoaded.model_validate(loaded, from_attributes=True)


async def _writable(inventories: InventoryRepository, inventory_id: int) -> Inventory:
    inventory = await inventories.get(inventory_id)
    inventories.authorize(inventory)
    return inventory
