"""hosts/:id/ansible_facts/: what Ansible found out about a host. AWX only reads them here."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path

from craton_inv.api.deps import ContextDep
from craton_inv.api.ids import PathId
from craton_inv.api.v2.present.base import ViewerDep
from craton_inv.repositories.hosts import HostRepository
from craton_inv.services import host_facts

router = APIRouter(prefix="/hosts", tags=["hosts"])
HostId = Annotated[PathId, Path(alias="id")]
Facts = Annotated[dict[str, Any], Body(description="Facts, as Ansible's setup module gives them.")]


@router.get("/{id}/ansible_facts/", operation_id="get_host_facts")
async def get_host_facts(host_id: HostId, viewer: ViewerDep) -> dict[str, Any]:
    """Read the facts of a host; {} when there are none."""
    host = await HostRepository(viewer.session, viewer.scope).get(host_id)
    return await host_facts.read_facts(viewer.session, host)


@router.put("/{id}/ansible_facts/", operation_id="replace_host_facts")
async def replace_host_facts(host_id: HostId, body: Facts, viewer: ViewerDep, context: ContextDep) -> dict[str, Any]:
    """Replace all facts of a host."""
    host = await HostRepository(viewer.session, viewer.scope).get(host_id, lock=True)
    limit = context.settings.body_limit
    return await host_facts.write_facts(viewer.session, viewer.scope, host, body, merge=False, limit=limit)


@router.patch("/{id}/ansible_facts/", operation_id="update_host_facts")
async def update_host_facts(host_id: HostId, body: Facts, viewer: ViewerDep, context: ContextDep) -> dict[str, Any]:
    """Merge facts of a host at their top level: the keys given are replaced, the others stay."""
    host = await HostRepository(viewer.session, viewer.scope).get(host_id, lock=True)
    limit = context.settings.body_limit
    return await host_facts.write_facts(viewer.session, viewer.scope, host, body, merge=True, limit=limit)


@router.delete("/{id}/ansible_facts/", operation_id="clear_host_facts", status_code=204)
async def clear_host_facts(host_id: HostId, viewer: ViewerDep) -> None:
    """Forget the facts of a host."""
    host = await HostRepository(viewer.session, viewer.scope).get(host_id, lock=True)
    await host_facts.clear_facts(viewer.session, viewer.scope, host)
