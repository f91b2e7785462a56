"""Deletes an inventory that DELETE has marked: its content in chunks of their own transactions, then the rest at once.

Whatever was deleted before a worker died stays deleted; the next attempt goes on from there.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.context import JobContext, Task
from craton_inv.models import Host
from craton_inv.queue import jobs
from craton_inv.repositories.inventories import CONTENT, delete_chunk, delete_content, unmark_deletion

CHUNK = 2000


async def delete_inventory(context: JobContext) -> None:
    """The job: `args` holds `inventory_id`. An inventory that is gone already is a job well done."""
    inventory_id = int(context.args["inventory_id"])
    deleted = await delete_hosts(context, inventory_id)
    async with unit_of_work(context.session_factory) as session:
        await delete_content(session, inventory_id)
        await jobs.finish(session, context.claim)
    context.log.info("inventory_deleted", inventory_id=inventory_id, hosts=deleted)


async def delete_hosts(context: JobContext, inventory_id: int) -> int:
    """Delete what is in a marked inventory, each chunk in a transaction of its own. Returns how many hosts went."""
    deleted = await _delete_rows(context, Host, inventory_id, CHUNK)
    for model, size in CONTENT:
        await _delete_rows(context, model, inventory_id, size)
    return deleted


async def _delete_rows(context: JobContext, model: Any, inventory_id: int, size: int) -> int:
    deleted = 0
    while True:
        async with unit_of_work(context.session_factory) as session:
            count = await delete_chunk(session, model, inventory_id, size)
            # In the same transaction: a chunk of a worker that lost its lease is rolled back.
            await jobs.renew(session, context.claim, context.settings.job_lease)
        deleted += count
        if count < size:
            return deleted


async def gave_up(session: AsyncSession, args: Mapping[str, Any], error: str) -> None:
    """Take the mark off, so that the DELETE can be asked for again instead of pending for ever."""
    await unmark_deletion(session, int(args["inventory_id"]))


TASK = Task(delete_inventory, gave_up)
