"""Seals everything under the newest keys after one was added. A worker that dies over it loses nothing."""

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.context import JobContext, Task
from craton_inv.queue import jobs
from craton_inv.services.key_rotation import rewrap_all


async def rewrap_keys(context: JobContext) -> None:
    """The job; it has no arguments."""

    async def renew(session: AsyncSession) -> None:
        await jobs.renew(session, context.claim, context.settings.job_lease)

    await rewrap_all(context.session_factory, context.settings, renew=renew)
    async with unit_of_work(context.session_factory) as session:
        await jobs.finish(session, context.claim)


TASK = Task(rewrap_keys)
