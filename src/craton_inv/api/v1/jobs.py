"""/v1/jobs: what waits and what runs, for those who operate the service; updates can be cancelled here."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query

from craton_inv.api.deps import ScopeDep, SessionDep
from craton_inv.api.ids import PathId
from craton_inv.api.markers import MarkerWindow, marker_window
from craton_inv.repositories import jobs
from craton_inv.repositories.jobs import JobRepository
from craton_inv.schemas.v1.jobs import Job, JobList
from craton_inv.services.jobs import cancel

router = APIRouter(prefix="/jobs", tags=["jobs"])
Status = Literal["queued", "running", "done", "failed", "canceled"]
AT_WORK: tuple[Status, ...] = ("queued", "running")


@router.get("", operation_id="list_jobs")
async def list_jobs(
    session: SessionDep,
    scope: ScopeDep,
    window: Annotated[MarkerWindow, Depends(marker_window)],
    status: Annotated[
        list[Status], Query(description="Jobs in these statuses; by default those that wait and that run.")
    ] = [*AT_WORK],  # noqa: B006 - never changed
    task: Annotated[str | None, Query(max_length=64, description="Jobs that do this, refresh for instance.")] = None,
) -> JobList:
    """Jobs of the caller's tenants; a system administrator sees all."""
    where = [jobs.in_statuses(tuple(status))]
    if task is not None:
        where.append(jobs.of_task(task))
    return await window.answer(JobRepository(session, scope), Job, JobList, *where)


@router.get("/{job_id}", operation_id="get_job")
async def get_job(session: SessionDep, scope: ScopeDep, job_id: Annotated[PathId, Path()]) -> Job:
    """Read a job."""
    return Job.of(await JobRepository(session, scope).get(job_id), "")


@router.post("/{job_id}/cancel", operation_id="cancel_job", status_code=202)
async def cancel_job(session: SessionDep, scope: ScopeDep, job_id: Annotated[PathId, Path()]) -> Job:
    """Cancel an update of a source or a project: at once when it waits, else its worker is told and rolls it back.

    409 for a job that has ended, and for one whose kind is not left half done.
    """
    return Job.of(await cancel(session, scope, job_id), "")
