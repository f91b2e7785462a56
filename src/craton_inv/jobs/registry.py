"""The kinds of jobs that this release can run, by the name that `queue.jobs.enqueue` is given."""

from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.jobs import delete_inventory, delete_region, delete_tenant, refresh
from craton_inv.jobs.context import Task
from craton_inv.services.update_lifecycle import end_lost

TASKS: dict[str, Task] = {
    "refresh": refresh.TASK,
    "delete_inventory": delete_inventory.TASK,
    "delete_region": delete_region.TASK,
    "delete_tenant": delete_tenant.TASK,
}

# What the sweeper puts in order at each round, in a transaction of its own: rows whose job is lost.
TIDYING: tuple[Callable[[AsyncSession], Awaitable[None]], ...] = (end_lost,)
