"""Background jobs as those who operate the service cancel them: by what they work on, which is told along."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import Conflict, MethodNotAllowed, NotFound
from craton_inv.models import InventoryUpdate, Job, ProjectUpdate
from craton_inv.queue import jobs
from craton_inv.repositories.jobs import JobRepository
from craton_inv.repositories.scope import WRITE, Scope
from craton_inv.services import inventory_updates, project_updates

Cancel = Callable[[AsyncSession, Scope, int], Awaitable[Any]]
# Tasks that roll back what they began, with the argument that names their run. All others go on where they stopped, so
# that one left half done would be begun again by the next look for lost work.
CANCELABLE: dict[str, tuple[type[Any], str, Cancel]] = {
    "refresh": (InventoryUpdate, "update_id", inventory_updates.cancel),
    "update_project": (ProjectUpdate, "project_update_id", project_updates.cancel),
}
AT_WORK = ("queued", "running")


async def cancel(session: AsyncSession, scope: Scope, job_id: int) -> Job:
    """Cancel a job together with the run that it works on; a waiting one ends at once.

    Raises NotFound, also for a run of another tenant, Forbidden, Conflict when it has ended or is of a kind that cannot
    be cancelled.
    """
    repository = JobRepository(session, scope)
    job = await repository.get(job_id)
    if job.tenant_id is None:
        scope.require_superuser()
    else:
        scope.require(job.tenant_id, WRITE, "jobs")
    if job.status not in AT_WORK:
        raise _ended(job.status)
    if job.task not in CANCELABLE:
        raise Conflict(
            f"A job of the kind {job.task} cannot be cancelled: what it began has to be finished.",
            code="job.not_cancelable",
        )
    model, argument, cancel_run = CANCELABLE[job.task]
    run_id = int(job.args.get(argument, 0))
    try:
        # The run locks its source or project, itself and its job, in this order.
        await cancel_run(session, scope, run_id)
    except NotFound:
        if await session.scalar(select(model.id).where(model.id == run_id)) is not None:
            raise  # it has moved to another tenant, with its inventory
        await jobs.request_cancel(session, job.id)
    except MethodNotAllowed as error:
        raise Conflict(error.message, code="job.ended") from None
    await session.refresh(job)
    return job


def _ended(status: str) -> Conflict:
    return Conflict(f"The job has ended ({status}); it cannot be cancelled.", code="job.ended")
