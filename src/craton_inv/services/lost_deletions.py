"""Ordering again what was marked for deletion and has no job any more: nothing stays pending for ever."""

from sqlalchemy import String, cast, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory, Job, Region
from craton_inv.queue.jobs import enqueue

ALIVE = ("queued", "running")


async def order_lost_deletions(session: AsyncSession) -> None:
    """Give each marked inventory that no job deletes a job of its own; a region's goes with its region."""
    of_inventory = literal("delete_inventory:") + cast(Inventory.id, String)
    of_tenant = literal("delete_tenant:") + cast(Inventory.tenant_id, String)
    of_region = literal("delete_region:") + cast(Region.id, String)
    alive = (
        select(Job.id)
        .where(
            Job.status.in_(ALIVE),
            or_(Job.unique_key == of_inventory, Job.unique_key == of_tenant, Job.unique_key == of_region),
        )
        .correlate(Inventory, Region)
    )
    query = (
        select(Inventory.id, Region.id)
        .outerjoin(Region, Region.inventory_id == Inventory.id)
        .where(Inventory.pending_deletion, ~alive.exists())
        .order_by(Inventory.id)
    )
    for inventory_id, region_id in (await session.execute(query)).all():
        args = {"inventory_id": inventory_id}
        if region_id is None:
            await enqueue(session, "delete_inventory", args, unique_key=f"delete_inventory:{inventory_id}")
        else:
            args["region_id"] = region_id
            await enqueue(session, "delete_region", args, unique_key=f"delete_region:{region_id}")
