"""The kinds of jobs that this release can run, by the name that `queue.jobs.enqueue` is given."""

from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.jobs import (
    delete_inventory,
    delete_region,
    delete_source,
    delete_source_content,
    delete_tenant,
    rebuild_smart_memberships,
    reconcile_smart_memberships,
    refresh,
    rewrap_keys,
    update_project,
)
from craton_inv.jobs.context import Task
from craton_inv.services import project_updates
from craton_inv.services.lost_deletions import order_lost_deletions
from craton_inv.services.membership_changes import order_waiting
from craton_inv.services.update_lifecycle import end_lost

TASKS: dict[str, Task] = {
    "refresh": refresh.TASK,
    "update_project": update_project.TASK,
    "delete_inventory": delete_inventory.TASK,
    "delete_region": delete_region.TASK,
    "delete_tenant": delete_tenant.TASK,
    "delete_source": delete_source.TASK,
    "delete_source_hosts": delete_source_content.HOSTS,
    "delete_source_groups": delete_source_content.GROUPS,
    "rebuild_smart_memberships": rebuild_smart_memberships.TASK,
    "reconcile_smart_memberships": reconcile_smart_memberships.TASK,
    "rewrap_keys": rewrap_keys.TASK,
}

# What the sweeper puts in order at each round, in a transaction of its own: rows whose job is lost, and changes that
# nobody saw to.
TIDYING: tuple[Callable[[AsyncSession], Awaitable[None]], ...] = (
    end_lost,
    project_updates.end_lost,
    order_waiting,
    order_lost_deletions,
)
