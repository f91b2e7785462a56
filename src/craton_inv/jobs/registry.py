"""The kinds of jobs that this release can run, by the name that `queue.jobs.enqueue` is given."""

from craton_inv.jobs import delete_inventory, delete_region, delete_tenant, refresh
from craton_inv.jobs.context import Task

TASKS: dict[str, Task] = {
    "refresh": refresh.TASK,
    "delete_inventory": delete_inventory.TASK,
    "delete_region": delete_region.TASK,
    "delete_tenant": delete_tenant.TASK,
}
