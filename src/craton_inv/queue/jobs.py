"""Enqueue, claim, renew, finish and sweep: the whole life of a job, in SQL and by the database's clock.

A job is at least once: a worker that dies loses its lease and another claims the row with the next fencing token.
Effect and `done` commit in one transaction guarded by that token, so an effect never counts twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.session import after_commit
from craton_inv.errors import CratonInvError
from craton_inv.queue.bell import Bell
from craton_inv.queue.models import Job

ALIVE = ("queued", "running")
BELL = "bell"  # where a session's info keeps the doorbell; sessions without one leave it to the sweeper


class LeaseLost(CratonInvError):
    """Another worker holds the job now: what this one did must roll back."""

    status = 409
    code = "job.lease_lost"


@dataclass(frozen=True)
class Claim:
    """The right to work on a job until the lease ends. `token` is the fencing token."""

    job_id: int
    task: str
    args: Mapping[str, Any]
    attempt: int
    max_attempts: int | None
    token: int
    worker: str


async def enqueue(
    session: AsyncSession,
    task: str,
    args: Mapping[str, int],
    *,
    tenant_id: int | None = None,
    unique_key: str | None = None,
    max_attempts: int | None = None,
    delay: float = 0,
) -> int:
    """Insert a job row in the caller's transaction and ring the bell once that commits. Returns the job's id.

    `unique_key`: while a queued or running job has it, that job's id is returned and nothing is inserted.
    `delay`: seconds until it may start. `max_attempts`: how often it is tried, unless the worker's setting decides.
    """
    statement = insert(Job).values(
        task=task,
        args=dict(args),
        tenant_id=tenant_id,
        unique_key=unique_key,
        max_attempts=max_attempts,
        run_at=func.now() + timedelta(seconds=delay),
    )
    if unique_key is not None:
        # Writing the key onto itself makes RETURNING give the id of the row that is already there. The condition of the
        # index has no parameters: a plan that PostgreSQL keeps for all values could not match them with the index.
        statement = statement.on_conflict_do_update(
            index_elements=[Job.unique_key],
            index_where=text("status IN ('queued', 'running') AND unique_key IS NOT NULL"),
            set_={"unique_key": unique_key},
        )
    job_id = (await session.execute(statement.returning(Job.id))).scalar_one()
    bell: Bell | None = session.info.get(BELL)
    if bell is not None and not delay:
        ring = bell.ring
        after_commit(session, lambda: ring(job_id))
    return job_id


async def claim(session: AsyncSession, job_id: int, worker: str, lease: float) -> Claim | None:
    """Take a job that is queued and due, or whose lease ran out. None when there is nothing to take.

    A claim whose `attempt` is above the limit is only good for ending the job as failed.
    """
    row = await session.scalar(
        select(Job)
        .where(
            Job.id == job_id,
            or_(
                (Job.status == "queued") & (Job.run_at <= func.now()),
                (Job.status == "running") & (Job.lease_until < func.now()),
            ),
        )
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if row is None:
        return None
    row.status = "running"
    row.attempt += 1
    row.token += 1
    row.worker = worker
    row.started = func.now()
    row.heartbeat_at = func.now()
    row.lease_until = func.now() + timedelta(seconds=lease)
    await session.flush()
    return Claim(row.id, row.task, row.args, row.attempt, row.max_attempts, row.token, worker)


def _held(claim: Claim) -> Any:
    return (Job.id == claim.job_id) & (Job.token == claim.token) & (Job.status == "running")


async def renew(session: AsyncSession, claim: Claim, lease: float) -> bool:
    """Prolong the lease. Returns whether a cancel was asked for. Raises LeaseLost."""
    asked = await session.scalar(
        update(Job)
        .where(_held(claim))
        .values(lease_until=func.clock_timestamp() + timedelta(seconds=lease), heartbeat_at=func.clock_timestamp())
        .returning(Job.cancel_requested)
        .execution_options(synchronize_session=False)
    )
    if asked is None:
        raise LeaseLost(f"Job {claim.job_id} was taken over by another worker.")
    return bool(asked)


async def has_ended(session: AsyncSession, claim: Claim) -> bool:
    """Whether the job ended under this very claim, rather than being taken over."""
    query = select(Job.id).where(Job.id == claim.job_id, Job.token == claim.token, Job.status != "running")
    return await session.scalar(query) is not None


async def finish(session: AsyncSession, claim: Claim, status: str = "done", error: str = "") -> None:
    """End the job in the transaction of its effect. Raises LeaseLost, which must roll the effect back."""
    ended = await session.scalar(
        update(Job)
        .where(_held(claim))
        .values(status=status, error=error, finished=func.clock_timestamp(), lease_until=None)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    if ended is None:
        raise LeaseLost(f"Job {claim.job_id} was taken over by another worker.")


async def release(
    session: AsyncSession, claim: Claim, *, delay: float = 0, error: str = "", count: bool = True
) -> None:
    """Give a job back: after a transient fault (`delay` seconds later) or at a graceful stop (`count=False`)."""
    await session.execute(
        update(Job)
        .where(_held(claim))
        .values(
            status="queued",
            error=error,
            worker=None,
            lease_until=None,
            attempt=Job.attempt if count else func.greatest(Job.attempt - 1, 0),
            run_at=func.now() + timedelta(seconds=delay),
        )
        .execution_options(synchronize_session=False)
    )


async def due(session: AsyncSession, *, grace: float = 0, limit: int = 1000) -> list[int]:
    """Jobs that wait to be rung: due for longer than `grace` seconds, or with a lease that ran out. Oldest first."""
    rows = await session.scalars(
        select(Job.id)
        .where(
            or_(
                (Job.status == "queued") & (Job.run_at <= func.now() - timedelta(seconds=grace)),
                (Job.status == "running") & (Job.lease_until < func.now()),
            )
        )
        .order_by(Job.run_at, Job.id)
        .limit(limit)
    )
    return list(rows)


async def at_work(session: AsyncSession, job_id: int | None) -> bool:
    """Whether a worker holds the job at this moment."""
    return await session.scalar(select(Job.status).where(Job.id == job_id)) == "running"


async def next_expiry(session: AsyncSession) -> float | None:
    """Seconds until the first lease of a running job ends, if nobody renews it; None when no job runs."""
    left = func.extract("epoch", func.min(Job.lease_until) - func.now())
    seconds = await session.scalar(select(left).where(Job.status == "running"))
    return None if seconds is None else float(seconds)


async def request_cancel(session: AsyncSession, job_id: int) -> str:
    """Ask a job to stop: a queued one ends at once, a running one hears of it by heartbeat. Returns the status."""
    row = await session.scalar(
        select(Job).where(Job.id == job_id).with_for_update().execution_options(populate_existing=True)
    )
    if row is None:
        return "canceled"
    row.cancel_requested = True
    if row.status == "queued":
        row.status = "canceled"
        row.finished = func.now()
    await session.flush()
    return row.status
