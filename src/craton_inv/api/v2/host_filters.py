"""host_filters/: what a filter means and finds, the paths that one can name, and the lookups."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from craton_inv.api.deps import ContextDep, ReadingScopeDep, ScopeDep, SessionDep
from craton_inv.api.parameters import refuse_unknown_parameters
from craton_inv.api.query import PageWindow
from craton_inv.api.v2.present import host_filters as present
from craton_inv.repositories.base import Rows
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.schemas.v2.host_filters import (
    FilterExplanation,
    FilterIndex,
    FilterPathList,
    FilterQuestion,
    FilterWords,
)
from craton_inv.services.filter_paths import known_paths
from craton_inv.services.host_filters import explain

router = APIRouter(prefix="/host_filters", tags=["host_filters"])


@router.get("/", operation_id="get_host_filters")
async def get_host_filters(request: Request, scope: ScopeDep) -> FilterIndex:
    """What can be asked about the filter language."""
    here = f"{str(request.scope.get('root_path', '')).rstrip('/')}{router.prefix}"
    return FilterIndex(explain=f"{here}/explain/", lookups=f"{here}/lookups/", paths=f"{here}/paths/")


@router.post("/explain/", operation_id="explain_host_filter")
async def explain_host_filter(
    body: FilterQuestion, session: SessionDep, scope: ReadingScopeDep, context: ContextDep
) -> FilterExplanation:
    """Explain a filter term by term: its SQL, its index, its matches, what looks wrong, and what a host has there."""
    host = None if body.host is None else await HostRepository(session, scope).get(body.host)
    inventory = None if body.inventory is None else await InventoryRepository(session, scope).get(body.inventory)
    seconds = context.settings.filter_statement_timeout
    found = await explain(session, scope, body.host_filter, host=host, inventory=inventory, seconds=seconds)
    return present.explanation(found)


@router.get(
    "/paths/",
    operation_id="list_host_filter_paths",
    response_model_exclude_unset=True,
    dependencies=[Depends(refuse_unknown_parameters)],
)
async def list_host_filter_paths(
    request: Request,
    session: SessionDep,
    scope: ScopeDep,
    prefix: Annotated[str, Query(description="What the paths begin with: `ansible_facts__ansible_lo`.")] = "",
    search: Annotated[str, Query(description="A text that the paths contain, case-insensitively.")] = "",
    page: Annotated[int, Query(ge=1, description="The page, from 1.")] = 1,
    page_size: Annotated[int, Query(ge=1, description="Rows a page; more than 200 are capped to 200.")] = 25,
    count_disabled: Annotated[str | None, Query(description="Any text: the results alone.")] = None,
) -> FilterPathList:
    """List the paths that begin with `prefix`: fields and relations, and behind `ansible_facts__` what facts have."""
    window = PageWindow(request, page=page, page_size=page_size, order_by="")
    found = await known_paths(session, scope, prefix, search, offset=window.offset, limit=window.page_size)
    window.require_page_of(found.count)
    frame: dict[str, Any] = window.frame(Rows([], found.count if window.counted else None))
    return FilterPathList(**frame, results=[present.path(item) for item in found.items])


@router.get("/lookups/", operation_id="get_host_filter_lookups")
async def get_host_filter_lookups(scope: ScopeDep) -> FilterWords:
    """Read the lookups, with the types of field that they serve, and the operators."""
    return present.words()
