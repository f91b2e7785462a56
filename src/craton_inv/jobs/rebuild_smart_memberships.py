"""Sees to changes that reach too many hosts for the write that made them: refreshes, bulk writes, renamed groups.

AWX's task is called update_host_smart_inventory_memberships; it puts every smart inventory together anew.
"""

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.context import JobContext, Task
from craton_inv.queue import jobs
from craton_inv.repositories.smart_changes import hand_to_tenants, has_changes
from craton_inv.services.membership_changes import NO_TENANT, order_rebuild, work_off


async def rebuild_smart_memberships(context: JobContext) -> None:
    """The job: `args` holds `tenant_id`; of none, what waits is handed to every tenant."""
    tenant_id = int(context.args["tenant_id"])
    if tenant_id == NO_TENANT:
        async with unit_of_work(context.session_factory) as session:
            await order_rebuild(session, await hand_to_tenants(session))
            await jobs.finish(session, context.claim)
        return
    steps = 0
    while True:
        while await _step(context, tenant_id):
            steps += 1
        if await _finished(context, tenant_id):
            context.log.info("smart_memberships_rebuilt", tenant_id=tenant_id, steps=steps)
            return


async def _step(context: JobContext, tenant_id: int) -> bool:
    """A part of the work in a transaction of its own, so that writers wait for the tenant's lock only shortly."""
    async with unit_of_work(context.session_factory) as session:
        more = await work_off(session, tenant_id, context.settings.database_statement_timeout)
        # Last, so that the row of the job is held for a moment only.
        await jobs.renew(session, context.claim, context.settings.job_lease)
    return more


async def _finished(context: JobContext, tenant_id: int) -> bool:
    """End the job unless a change came meanwhile. From here on a writer that leaves one makes a job of its own.

    Until the job's row says so, a writer's `enqueue` finds this job and waits for it: what it has left must be seen.
    """
    async with context.session_factory() as session:
        await jobs.finish(session, context.claim)
        if await has_changes(session, tenant_id):
            await session.rollback()
            return False
        await session.commit()
    return True


TASK = Task(rebuild_smart_memberships)
