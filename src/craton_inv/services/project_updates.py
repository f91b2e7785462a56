"""Runs of projects: asked for, begun, ended, cancelled; one runs and one waits at a time.

Rows are locked in one order everywhere: project, run, job.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import MethodNotAllowed
from craton_inv.models import Job, Project, ProjectUpdate
from craton_inv.models.inventory_update import ENDED
from craton_inv.queue import jobs
from craton_inv.queue.jobs import Claim
from craton_inv.repositories.projects import ProjectRepository, ProjectUpdateRepository
from craton_inv.repositories.scope import WRITE, Scope
from craton_inv.services.project_output import append_output
from craton_inv.services.update_events import storable

TASK = "update_project"
WAITING = ("new", "pending", "waiting")
NAME_LENGTH = 512
LOCK: dict[str, Any] = {"key_share": True}  # sources refer to their project meanwhile
CANCELED_TEXT = "Project update has been canceled"
TIMED_OUT_TEXT = "Project update has timed out"


@dataclass(frozen=True)
class StartedUpdate:
    """What a worker needs to run an update. `timeout`: seconds, 0 for the default. `resumed`: a worker was lost."""

    update_id: int
    project_id: int
    timeout: float
    resumed: bool = False


@dataclass(frozen=True)
class Over:
    """The run has ended already; the job has nothing to do."""


@dataclass(frozen=True)
class Waits:
    """Another run of the project works; this one has to wait."""


def why_not_updatable(project: Project) -> str:
    """Why a project cannot be updated; "" when it can."""
    return "" if project.scm_type else "A manual project is a folder; there is nothing to be updated from."


async def launch(session: AsyncSession, scope: Scope, project_id: int, *, launch_type: str = "manual") -> ProjectUpdate:
    """Ask for an update: run and job rows, committed by the caller. A run that waits is answered with.

    Raises NotFound, Forbidden, MethodNotAllowed (405) for a manual project.
    """
    project = await ProjectRepository(session, scope).get(project_id, lock=True)
    scope.require(project.tenant_id, WRITE, "projects")
    reason = why_not_updatable(project)
    if reason:
        raise MethodNotAllowed(reason)
    await end_lost(session, project.id)
    waiting = await session.scalar(
        select(ProjectUpdate)
        .where(ProjectUpdate.project_id == project.id, ProjectUpdate.status.in_(WAITING))
        .with_for_update()
    )
    if waiting is not None:
        return waiting
    row = ProjectUpdate(
        project_id=project.id,
        tenant_id=project.tenant_id,
        name=project.name[:NAME_LENGTH],
        description=project.description,
        launch_type=launch_type,
        status="pending",
        scm_url=project.scm_url,
        scm_branch=project.scm_branch,
        created_by_id=scope.user_id,
    )
    session.add(row)
    await session.flush()
    row.job_id = await jobs.enqueue(session, TASK, {"project_update_id": row.id}, tenant_id=project.tenant_id)
    _show(project, row)
    await session.flush()
    return row


async def cancel(session: AsyncSession, scope: Scope, update_id: int) -> ProjectUpdate:
    """Cancel a run: at once when it waits, else its worker hears of it. Raises MethodNotAllowed once it has ended."""
    repository = ProjectUpdateRepository(session, scope)
    found = await repository.get(update_id)
    scope.require(found.tenant_id, WRITE, "project updates")
    await session.get(Project, found.project_id, with_for_update=LOCK)
    row = await repository.get(update_id, lock=True)
    if row.status in ENDED:
        raise MethodNotAllowed(f"The update has ended ({row.status}); it cannot be cancelled.")
    row.cancel_requested = True
    told = "canceled" if row.job_id is None else await jobs.request_cancel(session, row.job_id)
    await session.flush()
    if told != "running":
        await end(session, row.id, "canceled", CANCELED_TEXT)
    return row


async def start(session: AsyncSession, update_id: int, claim: Claim) -> StartedUpdate | Over | Waits:
    """Move a run to `running` for the worker that claimed its job, or say why not."""
    project, row = await _locked(session, update_id)
    if project is None or row is None or row.status in ENDED:
        return Over()
    if row.cancel_requested:
        await end(session, row.id, "canceled", CANCELED_TEXT)
        return Over()
    await end_lost(session, project.id)
    other = select(ProjectUpdate.id).where(
        ProjectUpdate.project_id == project.id, ProjectUpdate.status == "running", ProjectUpdate.id != row.id
    )
    if await session.scalar(other) is not None:
        row.status = "waiting"
        await session.flush()
        return Waits()
    resumed = row.status == "running"
    row.status = "running"
    row.started = row.started or func.now()
    row.execution_node = claim.worker
    row.scm_url, row.scm_branch = project.scm_url, project.scm_branch
    _show(project, row)
    await session.flush()
    return StartedUpdate(row.id, project.id, float(project.timeout), resumed)


async def end(session: AsyncSession, update_id: int, status: str, explanation: str = "", *, revision: str = "") -> str:
    """End a run, its project in step; how it ended, "" when it had ended before. The explanation is its last line.

    A wish to cancel that was taken before the end wins over success: whoever was told 202 finds it cancelled.
    """
    project, row = await _locked(session, update_id)
    if project is None or row is None or row.status in ENDED:
        return ""
    if status == "successful" and row.cancel_requested:
        status, explanation, revision = "canceled", CANCELED_TEXT, ""
    now = await session.scalar(select(func.clock_timestamp()))
    explanation = storable(explanation)
    row.status, row.job_explanation, row.finished = status, explanation, now
    row.canceled_on = now if status == "canceled" else None
    row.scm_revision = revision
    project.status, project.last_updated, project.last_update_id = status, now, row.id
    project.last_error = "" if status == "successful" else explanation
    if revision and (row.scm_url, row.scm_branch) == (project.scm_url, project.scm_branch):
        project.scm_revision = revision
    await session.flush()
    await append_output(session, row.id, explanation)
    following = await session.scalar(
        select(ProjectUpdate).where(ProjectUpdate.project_id == project.id, ProjectUpdate.status.not_in(ENDED)).limit(1)
    )
    project.current_update_id = None if following is None else following.id
    if following is not None:
        project.status = following.status
    await session.flush()
    return status


async def end_lost(session: AsyncSession, project_id: int | None = None) -> None:
    """End runs that look active though their job is over or gone: nobody works on them."""
    query = (
        select(ProjectUpdate.id)
        .outerjoin(Job, Job.id == ProjectUpdate.job_id)
        .where(ProjectUpdate.status.not_in(ENDED), Job.id.is_(None) | Job.status.not_in(("queued", "running")))
    )
    if project_id is not None:
        query = query.where(ProjectUpdate.project_id == project_id)
    for update_id in (await session.scalars(query)).all():
        await end(session, update_id, "error", "Its job ended without finishing the update.")


async def gave_up(session: AsyncSession, args: Mapping[str, Any], error: str) -> None:
    """All attempts are used up."""
    await end(session, int(args["project_update_id"]), "error", error)


async def _locked(session: AsyncSession, update_id: int) -> tuple[Project | None, ProjectUpdate | None]:
    project_id = await session.scalar(select(ProjectUpdate.project_id).where(ProjectUpdate.id == update_id))
    if project_id is None:
        return None, None
    project = await session.get(Project, project_id, with_for_update=LOCK, populate_existing=True)
    return project, await session.get(ProjectUpdate, update_id, with_for_update=True, populate_existing=True)


def _show(project: Project, row: ProjectUpdate) -> None:
    """Show a waiting or running run on its project; a running one stays in sight when another starts to wait."""
    if project.status == "running" and row.status != "running":
        return
    project.status = row.status
    project.current_update_id = row.id
