"""Deletes an inventory that DELETE has marked: its content in pieces of their own transactions, then the rest at once.

Whatever was deleted before a worker died stays deleted; the next attempt goes on from there.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.context import JobContext, Task
from craton_inv.jobs.deleting import take_all
from craton_inv.models import Inventory
from craton_inv.queue import jobs
from craton_inv.repositories.deletion_pieces import OF_INVENTORY
from craton_inv.repositories.deletions import marked
from craton_inv.repositories.inventories import delete_content, unmark_deletion

PIECES = OF_INVENTORY


async def delete_inventory(context: JobContext) -> None:
    """The job: `args` holds `inventory_id`. An inventory that is gone already is a job well done."""
    inventory_id = int(context.args["inventory_id"])
    await empty_inventory(context, inventory_id)
    async with unit_of_work(context.session_factory) as session:
        await delete_content(session, inventory_id)
        await jobs.finish(session, context.claim)
    context.log.info("inventory_deleted", inventory_id=inventory_id)


async def empty_inventory(context: JobContext, inventory_id: int) -> None:
    """Delete what is in a marked inventory; sources stay, without what they delivered and their runs."""
    await take_all(context, PIECES, inventory_id, marked(Inventory, inventory_id))


async def gave_up(session: AsyncSession, args: Mapping[str, Any], error: str) -> None:
    """Take the mark off, so that the DELETE can be asked for again instead of pending for ever."""
    await unmark_deletion(session, int(args["inventory_id"]))


TASK = Task(delete_inventory, gave_up)
