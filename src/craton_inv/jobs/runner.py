"""Runs claimed jobs: lease kept by a heartbeat, faults retried with back-off, a graceful stop gives the lease back."""

import asyncio
import os
import random
import socket
from collections.abc import Awaitable, Callable, Mapping

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.errors import CratonInvError, ServiceUnavailable, TransientError
from craton_inv.jobs.context import JobContext, Task
from craton_inv.logs import get_logger
from craton_inv.queue import jobs
from craton_inv.queue.jobs import Claim, LeaseLost
from craton_inv.settings import Settings

log = get_logger(__name__)
FIRST_RETRY = 2.0  # seconds; doubled with each attempt
LONGEST_RETRY = 60.0


async def _never(context: JobContext) -> None:
    """The function of a task that is not known."""


def back_off(attempt: int) -> float:
    """Seconds before the next attempt: 2, 4, 8 ... at most 60, spread by a quarter so that jobs spread out."""
    seconds = min(LONGEST_RETRY, FIRST_RETRY * 2.0 ** (attempt - 1))
    return seconds * random.uniform(0.75, 1.25)  # noqa: S311 - no secret


def worker_name() -> str:
    """Who holds a lease: host and process."""
    return f"{socket.gethostname()}:{os.getpid()}"


class Runner:
    """At most `worker_concurrency` jobs at once in this process; the rest wait for a place, unclaimed."""

    def __init__(
        self, settings: Settings, engine: AsyncEngine, session_factory: SessionFactory, tasks: Mapping[str, Task]
    ) -> None:
        self.settings = settings
        self.engine = engine
        self.session_factory = session_factory
        self.tasks = tasks
        self.name = worker_name()
        self._slots = asyncio.Semaphore(settings.worker_concurrency)
        self._running: dict[int, asyncio.Task[None]] = {}

    def spawn(self, job_id: int) -> asyncio.Task[None]:
        """Work on a job in the background; a job already in hand here is not started twice."""
        known = self._running.get(job_id)
        if known is not None:
            return known
        task = asyncio.create_task(self._run(job_id), name=f"job-{job_id}")
        self._running[job_id] = task
        task.add_done_callback(lambda _: self._running.pop(job_id, None))
        return task

    @property
    def busy(self) -> int:
        """Jobs in hand."""
        return len(self._running)

    async def stop(self) -> None:
        """Interrupt all jobs; each gives its lease back so that another worker takes it at once."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _run(self, job_id: int) -> None:
        async with self._slots:
            try:
                async with unit_of_work(self.session_factory) as session:
                    claim = await jobs.claim(session, job_id, self.name, self.settings.job_lease)
            except Exception as error:
                # Nothing is lost: the row is unclaimed and the sweeper rings again.
                log.warning("job_not_claimed", job_id=job_id, error=repr(error))
                return
            if claim is None:
                return
            with structlog.contextvars.bound_contextvars(job_id=job_id, task=claim.task, attempt=claim.attempt):
                await self._attempt(claim)

    def _limit(self, claim: Claim) -> int:
        """How often the job is tried: what it says itself, else the setting."""
        return claim.max_attempts or self.settings.job_max_attempts

    async def _attempt(self, claim: Claim) -> None:
        task = self.tasks.get(claim.task)
        if task is None:
            await self._give_up(claim, Task(_never), f"This release knows no task {claim.task!r}.")
            return
        if claim.attempt > self._limit(claim):
            text = f"Given up after {self._limit(claim)} attempts: each of their workers stopped without a word."
            await self._give_up(claim, task, text)
            return
        context = JobContext(self.settings, self.engine, self.session_factory, claim, log)
        work = asyncio.ensure_future(task.run(context))
        beat = asyncio.create_task(self._beat(context, work))
        try:
            await work
        except LeaseLost as error:
            log.warning("job_lease_lost", error=error.message)
        except asyncio.CancelledError:
            if beat.done():  # the heartbeat found the lease gone and stopped the work; this task itself goes on
                log.warning("job_lease_lost", error="Taken over by another worker.")
                return
            await asyncio.shield(self._give_back(claim))
            log.info("job_given_back")
            raise
        except ServiceUnavailable as error:
            asked = float(error.headers["Retry-After"]) if isinstance(error, TransientError) else 0.0
            await self._retry(claim, task, error.message, asked)
        except CratonInvError as error:
            await self._give_up(claim, task, error.message)
        except Exception as error:
            log.exception("job_fault")
            await self._retry(claim, task, f"{type(error).__name__}: {error}")
        finally:
            beat.cancel()

    async def _beat(self, context: JobContext, work: "asyncio.Future[None]") -> None:
        """Renew the lease; pass a wish to cancel on; stop the work once the lease is another's."""
        while True:
            await asyncio.sleep(self.settings.job_heartbeat)
            try:
                if not await self._renew(context):
                    return
            except LeaseLost:
                work.cancel()
                return
            except Exception as error:
                # The lease may outlive a short outage; if it does not, the fencing token refuses our writes.
                log.warning("heartbeat_missed", error=repr(error))

    async def _renew(self, context: JobContext) -> bool:
        """Prolong the lease; False when the work has just ended the job itself. Raises LeaseLost."""
        async with unit_of_work(self.session_factory) as session:
            try:
                if await jobs.renew(session, context.claim, self.settings.job_lease):
                    context.canceled.set()
            except LeaseLost:
                # The renewal waited for the row while the work committed its end.
                if await jobs.has_ended(session, context.claim):
                    return False
                raise
        return True

    async def _retry(self, claim: Claim, task: Task, text: str, asked: float = 0.0) -> None:
        """Give the job back for later. `asked`: seconds that the other side wants to be left alone."""
        if claim.attempt >= self._limit(claim):
            await self._give_up(claim, task, text)
            return
        delay = max(back_off(claim.attempt), min(asked, LONGEST_RETRY))
        log.warning("job_retried", error=text, delay=round(delay, 1))
        await self._write(claim, lambda session: jobs.release(session, claim, delay=delay, error=text))

    async def _give_back(self, claim: Claim) -> None:
        await self._write(claim, lambda session: jobs.release(session, claim, count=False))

    async def _give_up(self, claim: Claim, task: Task, text: str) -> None:
        log.error("job_failed", error=text)

        async def write(session: AsyncSession) -> None:
            await task.gave_up(session, claim.args, text)
            await jobs.finish(session, claim, "failed", text)

        await self._write(claim, write)

    async def _write(self, claim: Claim, write: Callable[[AsyncSession], Awaitable[None]]) -> None:
        """Write a job's end; if the database is away the lease runs out and another attempt says it again."""
        try:
            async with unit_of_work(self.session_factory) as session:
                await write(session)
        except LeaseLost as error:
            log.warning("job_lease_lost", error=error.message)
        except Exception as error:
            log.warning("job_end_not_written", job_id=claim.job_id, error=repr(error))
