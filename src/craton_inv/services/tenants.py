"""Deleting a tenant with everything in it."""

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Tenant
from craton_inv.queue.jobs import enqueue
from craton_inv.repositories.scope import Scope
from craton_inv.repositories.tenants import mark_inventories
from craton_inv.services import busy


async def force_delete_tenant(session: AsyncSession, scope: Scope, tenant: Tenant) -> int:
    """Let the worker delete a tenant got with `lock=True`. Returns the job's id; asked again, the same one.

    Raises Forbidden but for system administrators, Busy while updates of its inventories run.
    """
    scope.require_superuser()
    for inventory_id in await mark_inventories(session, tenant.id):
        await busy.refuse_while_updating(session, scope, inventory_id)
    # The job's row names no tenant: it would go with it before it is done.
    return await enqueue(session, "delete_tenant", {"tenant_id": tenant.id}, unique_key=f"delete_tenant:{tenant.id}")
