"""Deletes the many hosts or groups that a source made, in chunks, each in a transaction of its own.

Only what was there when it was asked for goes; while an update of the inventory waits or runs the job waits, too.
"""

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.context import JobContext, Task
from craton_inv.models import Group, Host
from craton_inv.queue import jobs
from craton_inv.repositories.inventory_sources import delete_made_chunk
from craton_inv.repositories.inventory_updates import InventoryUpdateRepository
from craton_inv.repositories.scope import SYSTEM

CHUNK = {Host: 2000, Group: 500}
BUSY_DELAY = 5.0  # seconds until the job looks again whether the inventory's updates are over


async def delete_source_hosts(context: JobContext) -> None:
    """The job: `args` holds `source_id`, `inventory_id` and `up_to`, the highest id that may go."""
    await _delete(context, Host)


async def delete_source_groups(context: JobContext) -> None:
    """The job: `args` as for hosts."""
    await _delete(context, Group)


async def _delete(context: JobContext, model: type[Host] | type[Group]) -> None:
    args = {name: int(context.args[name]) for name in ("source_id", "inventory_id", "up_to")}
    deleted = 0
    while True:
        async with unit_of_work(context.session_factory) as session:
            if await InventoryUpdateRepository(session, SYSTEM).active_in(args["inventory_id"], None):
                await jobs.release(session, context.claim, delay=BUSY_DELAY, count=False)
                return
            count = await delete_made_chunk(session, model, args["source_id"], args["up_to"], CHUNK[model])
            deleted += count
            if count < CHUNK[model]:
                await jobs.finish(session, context.claim)
                break
            # In the same transaction: a chunk of a worker that lost its lease is rolled back.
            await jobs.renew(session, context.claim, context.settings.job_lease)
    context.log.info("source_content_deleted", source_id=args["source_id"], what=model.__tablename__, rows=deleted)


HOSTS = Task(delete_source_hosts)
GROUPS = Task(delete_source_groups)
