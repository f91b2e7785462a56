"""hosts/:id/ansible_facts/: what Ansible found out about a host. AWX only reads them here."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from craton_inv.api.deps import ContextDep
from craton_inv.api.ids import PathId
from craton_inv.api.preconditions import require_match, tell_etag
from craton_inv.api.v2.present.base import Viewer, ViewerDep
from craton_inv.errors import BadRequest
from craton_inv.models import Host
from craton_inv.repositories.hosts import HostRepository
from craton_inv.services import host_facts
from craton_inv.services.constructed_hosts import original_of

router = APIRouter(prefix="/hosts", tags=["hosts"])
HostId = Annotated[PathId, Path(alias="id")]
Facts = Annotated[dict[str, Any], Body(description="Facts, as Ansible's setup module gives them.")]


def chosen_keys(
    keys: Annotated[
        list[str] | None,
        Query(description="Only these keys of the top level: `keys=a,b` or repeated. Empty for none of them."),
    ] = None,
) -> Sequence[str] | None:
    """The dependency that reads `?keys=`; None when all keys are wanted."""
    if keys is None:
        return None
    return [key for text in keys for key in text.split(",") if key]


KeysDep = Annotated[Sequence[str] | None, Depends(chosen_keys)]


@router.get(
    "/{id}/ansible_facts/",
    operation_id="get_host_facts",
    response_model=dict[str, Any],
    responses={302: {"description": "The host is of a constructed inventory; its facts are the original host's."}},
)
async def get_host_facts(
    host_id: HostId, viewer: ViewerDep, request: Request, response: Response, keys: KeysDep
) -> Any:
    """Read the facts of a host; {} when there are none."""
    host = await HostRepository(viewer.session, viewer.scope).get(host_id)
    original = await original_of(viewer.session, viewer.scope, host)
    if original is not None:
        there = viewer.links.to("host", original.id, "ansible_facts")
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{there}{query}", status_code=302)
    tell_etag(response, host)
    return await host_facts.read_facts(viewer.session, host, keys)


@router.put("/{id}/ansible_facts/", operation_id="replace_host_facts")
async def replace_host_facts(
    host_id: HostId, body: Facts, viewer: ViewerDep, context: ContextDep, request: Request, response: Response
) -> dict[str, Any]:
    """Replace all facts of a host."""
    host = await _locked(host_id, viewer, request)
    limit = context.settings.facts_limit
    facts = await host_facts.write_facts(viewer.session, viewer.scope, host, body, merge=False, limit=limit)
    tell_etag(response, host)
    return facts


@router.patch("/{id}/ansible_facts/", operation_id="update_host_facts")
async def update_host_facts(
    host_id: HostId, body: Facts, viewer: ViewerDep, context: ContextDep, request: Request, response: Response
) -> dict[str, Any]:
    """Merge facts of a host at their top level: the keys given are replaced, the others stay."""
    host = await _locked(host_id, viewer, request)
    limit = context.settings.facts_limit
    facts = await host_facts.write_facts(viewer.session, viewer.scope, host, body, merge=True, limit=limit)
    tell_etag(response, host)
    return facts


@router.delete("/{id}/ansible_facts/", operation_id="clear_host_facts", status_code=204)
async def clear_host_facts(host_id: HostId, viewer: ViewerDep, request: Request) -> None:
    """Forget the facts of a host."""
    host = await _locked(host_id, viewer, request)
    await host_facts.clear_facts(viewer.session, viewer.scope, host)


async def _locked(host_id: int, viewer: Viewer, request: Request) -> Host:
    """The host, locked, and still at the generation that the caller means."""
    host = await HostRepository(viewer.session, viewer.scope).get(host_id, lock=True)
    require_match(request, host)
    original = await original_of(viewer.session, viewer.scope, host)
    if original is not None:
        raise BadRequest(
            f"The facts of this host are those of the host it comes from: {viewer.links.to('host', original.id)}",
            key="error",
        )
    return host
