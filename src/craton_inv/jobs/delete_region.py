"""Deletes a region that is not empty: its inventory's hosts in chunks, then the region and the inventory at once."""

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.context import JobContext, Task
from craton_inv.jobs.delete_inventory import delete_hosts, gave_up
from craton_inv.queue import jobs
from craton_inv.repositories.regions import drop_region


async def delete_region(context: JobContext) -> None:
    """The job: `args` holds `region_id` and `inventory_id`. A region that is gone already is a job well done."""
    region_id, inventory_id = int(context.args["region_id"]), int(context.args["inventory_id"])
    deleted = await delete_hosts(context, inventory_id)
    async with unit_of_work(context.session_factory) as session:
        await drop_region(session, region_id, inventory_id)
        await jobs.finish(session, context.claim)
    context.log.info("region_deleted", region_id=region_id, hosts=deleted)


TASK = Task(delete_region, gave_up)
