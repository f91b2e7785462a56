"""Background jobs in the database, as those who may watch them see them."""

from sqlalchemy import ColumnElement

from craton_inv.errors import Forbidden
from craton_inv.queue.models import Job
from craton_inv.repositories.base import Repository


class JobRepository(Repository[Job]):
    """Jobs of the caller's tenants; a system administrator sees those of the service itself, too. Never written."""

    model = Job
    label = "Job"

    def authorize(self, row: Job) -> None:
        """Raise Forbidden: jobs are written by those who ask for the work, and by workers."""
        raise Forbidden("Jobs are not changed here.")


def in_statuses(statuses: tuple[str, ...]) -> ColumnElement[bool]:
    """Jobs in one of these statuses."""
    return Job.status.in_(statuses)


def of_task(task: str) -> ColumnElement[bool]:
    """Jobs that do this."""
    return Job.task == task
