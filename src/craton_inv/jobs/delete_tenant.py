"""Deletes a tenant that is not empty: the hosts of its inventories in chunks, then all the rest at once."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.context import JobContext, Task
from craton_inv.jobs.delete_inventory import delete_hosts
from craton_inv.queue import jobs
from craton_inv.repositories.tenants import drop_tenant, mark_inventories


async def delete_tenant(context: JobContext) -> None:
    """The job: `args` holds `tenant_id`. A tenant that is gone already is a job well done."""
    tenant_id = int(context.args["tenant_id"])
    async with unit_of_work(context.session_factory) as session:
        inventory_ids = await mark_inventories(session, tenant_id)
    deleted = 0
    for inventory_id in inventory_ids:
        deleted += await delete_hosts(context, inventory_id)
    async with unit_of_work(context.session_factory) as session:
        await drop_tenant(session, tenant_id)
        await jobs.finish(session, context.claim)
    context.log.info("tenant_deleted", tenant_id=tenant_id, hosts=deleted)


async def gave_up(session: AsyncSession, args: Mapping[str, Any], error: str) -> None:
    """Take the marks off, so that the tenant can be used, or its DELETE asked for again."""
    await mark_inventories(session, int(args["tenant_id"]), pending=False)


TASK = Task(delete_tenant, gave_up)
