"""Deletes a source that DELETE has marked because it has much: what it delivered beside hosts and groups, its runs, it.

Its hosts and groups stay, and are people's or other sources' from then on. Other sources of the inventory are refreshed
meanwhile: a piece and a save wait for one another, so neither finds rows half changed.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.context import JobContext, Task
from craton_inv.jobs.deleting import repeat, take_all
from craton_inv.models import InventorySource
from craton_inv.queue import jobs
from craton_inv.repositories.deletion_pieces import OF_SOURCE, SOME
from craton_inv.repositories.deletions import marked
from craton_inv.repositories.inventory_sources import delete_marked, unmark
from craton_inv.repositories.source_release import release_hosts

PIECES = OF_SOURCE
HOSTS = SOME


async def delete_source(context: JobContext) -> None:
    """The job: `args` holds `source_id`. A source that is gone already is a job well done."""
    source_id = int(context.args["source_id"])
    mark = marked(InventorySource, source_id)
    async with context.session_factory() as session:
        inventory_id = await session.scalar(select(InventorySource.inventory_id).where(InventorySource.id == source_id))
    lock = f"inventory:{inventory_id}"
    hosts = await repeat(context, lambda session: release_hosts(session, source_id, HOSTS, mark), HOSTS, lock)
    await take_all(context, PIECES, source_id, mark, lock)
    async with unit_of_work(context.session_factory) as session:
        await delete_marked(session, source_id)
        await jobs.finish(session, context.claim)
    context.log.info("source_deleted", source_id=source_id, hosts=hosts)


async def gave_up(session: AsyncSession, args: Mapping[str, Any], error: str) -> None:
    """Take the mark off, so that the source can be used, or its DELETE asked for again."""
    await unmark(session, int(args["source_id"]))


TASK = Task(delete_source, gave_up)
