"""Deleting tenants: at once when they are empty, else by the worker with everything in them."""

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Tenant
from craton_inv.queue.jobs import enqueue
from craton_inv.repositories.activity import record
from craton_inv.repositories.deletion_pieces import OF_TENANT
from craton_inv.repositories.deletions import is_much
from craton_inv.repositories.scope import Scope
from craton_inv.repositories.tenants import TenantRepository, mark_tenant
from craton_inv.services import busy

AT_ONCE = 1000  # rows that a request deletes itself; more of them are the worker's


async def delete_tenant(session: AsyncSession, scope: Scope, tenant: Tenant) -> int | None:
    """Delete a tenant got with `lock=True` that has no inventories and regions. None: done; else the worker's job.

    The worker deletes one whose activity, credentials and so on are many, and one that waits for it already.
    Raises Forbidden but for system administrators, Conflict for one that has inventories or regions.
    """
    scope.require_superuser()
    repository = TenantRepository(session, scope)
    empty = await repository.is_empty(tenant)
    if tenant.pending_deletion or (empty and await is_much(session, OF_TENANT, tenant.id, AT_ONCE)):
        return await force_delete_tenant(session, scope, tenant)
    await repository.delete(tenant)
    return None


async def force_delete_tenant(session: AsyncSession, scope: Scope, tenant: Tenant) -> int:
    """Let the worker delete a tenant got with `lock=True`. Returns the job's id; asked again, the same one.

    Raises Forbidden but for system administrators, Busy while updates of its inventories run.
    """
    scope.require_superuser()
    if not tenant.pending_deletion:
        await record(session, "delete", tenant)
    for inventory_id in await mark_tenant(session, tenant.id):
        await busy.refuse_while_updating(session, scope, inventory_id)
    # The job's row names no tenant: it would go with it before it is done.
    return await enqueue(session, "delete_tenant", {"tenant_id": tenant.id}, unique_key=f"delete_tenant:{tenant.id}")
