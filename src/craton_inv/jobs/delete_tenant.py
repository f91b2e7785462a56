"""Deletes a tenant that DELETE has marked: its inventories, then all else that it has, in pieces, at last itself."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.context import JobContext, Task
from craton_inv.jobs.delete_inventory import empty_inventory
from craton_inv.jobs.deleting import take_all
from craton_inv.models import Tenant
from craton_inv.queue import jobs
from craton_inv.repositories.deletion_pieces import OF_TENANT
from craton_inv.repositories.deletions import marked
from craton_inv.repositories.tenants import drop_tenant, mark_tenant, unmark_tenant

PIECES = OF_TENANT


async def delete_tenant(context: JobContext) -> None:
    """The job: `args` holds `tenant_id`. A tenant that is gone already is a job well done."""
    tenant_id = int(context.args["tenant_id"])
    dropped = False
    while not dropped:
        async with unit_of_work(context.session_factory) as session:
            inventory_ids = await mark_tenant(session, tenant_id)
            # In the same transaction: what was given up by another worker is not marked again.
            await jobs.renew(session, context.claim, context.settings.job_lease)
        for inventory_id in inventory_ids:
            await empty_inventory(context, inventory_id)
        await take_all(context, PIECES, tenant_id, marked(Tenant, tenant_id))
        async with unit_of_work(context.session_factory) as session:
            # An inventory that was on its way in when the mark was set has its turn in the next round.
            dropped = await drop_tenant(session, tenant_id)
            if dropped:
                await jobs.finish(session, context.claim)
    context.log.info("tenant_deleted", tenant_id=tenant_id)


async def gave_up(session: AsyncSession, args: Mapping[str, Any], error: str) -> None:
    """Take the marks off, so that the tenant can be used, or its DELETE asked for again."""
    await unmark_tenant(session, int(args["tenant_id"]))


TASK = Task(delete_tenant, gave_up)
