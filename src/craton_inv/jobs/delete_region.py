"""Deletes a region that is not empty: its inventory's content in pieces, then the region and the inventory at once."""

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.context import JobContext, Task
from craton_inv.jobs.delete_inventory import empty_inventory, gave_up
from craton_inv.jobs.deleting import take_all
from craton_inv.models import Inventory
from craton_inv.queue import jobs
from craton_inv.repositories.deletion_pieces import OF_REGION
from craton_inv.repositories.deletions import marked
from craton_inv.repositories.regions import drop_region

PIECES = OF_REGION


async def delete_region(context: JobContext) -> None:
    """The job: `args` holds `region_id` and `inventory_id`. A region that is gone already is a job well done."""
    region_id, inventory_id = int(context.args["region_id"]), int(context.args["inventory_id"])
    await empty_inventory(context, inventory_id)
    await take_all(context, PIECES, region_id, marked(Inventory, inventory_id))
    async with unit_of_work(context.session_factory) as session:
        await drop_region(session, region_id, inventory_id)
        await jobs.finish(session, context.claim)
    context.log.info("region_deleted", region_id=region_id)


TASK = Task(delete_region, gave_up)
