"""The kinds of jobs that this release can run, by the name that `queue.jobs.enqueue` is given."""

from craton_inv.jobs.context import Task

TASKS: dict[str, Task] = {}
