"""Runs one update of a project: fetch the commit its branch stands for, keep its files, end run and job together."""

import traceback

from sqlalchemy import select

from craton_inv.db.session import unit_of_work
from craton_inv.errors import CratonInvError, ServiceUnavailable, TransientError, UpdateCanceled
from craton_inv.jobs.context import JobContext, Task
from craton_inv.jobs.faults import is_transient
from craton_inv.jobs.limits import within_limits
from craton_inv.models import ProjectUpdate
from craton_inv.providers.scm.git import Fetched
from craton_inv.queue import jobs
from craton_inv.queue.jobs import LeaseLost
from craton_inv.services import project_files, project_updates
from craton_inv.services.project_files import Wanted
from craton_inv.services.project_output import ProjectOutput
from craton_inv.services.project_updates import Over, StartedUpdate, Waits

BUSY_DELAY = 2.0  # seconds until a job looks again whether the project's running update has ended


async def update_project(context: JobContext) -> None:
    """The job: `args` holds `project_update_id`. Transient faults raise, to be tried again."""
    async with unit_of_work(context.session_factory) as session:
        started = await project_updates.start(session, int(context.args["project_update_id"]), context.claim)
        if isinstance(started, Over):
            await jobs.finish(session, context.claim)
            return
        if isinstance(started, Waits):
            await jobs.release(session, context.claim, delay=BUSY_DELAY, count=False)
            return
    async with ProjectOutput(context.session_factory, started.update_id) as output:
        if started.resumed:
            output.say(f"Resumed by worker {context.claim.worker} (attempt {context.claim.attempt}).")
        await _run(context, started, output)


async def _run(context: JobContext, started: StartedUpdate, output: ProjectOutput) -> None:
    """Work until done, cancelled or out of time, and write how it ended."""
    try:
        limit = started.timeout or context.settings.project_update_timeout
        wish = select(ProjectUpdate.cancel_requested).where(ProjectUpdate.id == started.update_id)
        work = _fetch(context, started, output)
        wanted, fetched = await within_limits(context, work, seconds=limit, wish=wish)
        await _succeed(context, started, output, wanted, fetched)
    except LeaseLost:
        raise
    except ServiceUnavailable as fault:
        output.say(fault.message)
        patience = int(fault.headers["Retry-After"])
        raise TransientError(output.hide(fault.message), retry_after=patience, code=fault.code) from None
    except UpdateCanceled as stop:
        canceled = stop.reason == "canceled"
        text = project_updates.CANCELED_TEXT if canceled else project_updates.TIMED_OUT_TEXT
        await _end(context, started, output, "canceled", text)
    except CratonInvError as failure:
        await _end(context, started, output, "failed", failure.message)
    except Exception as error:
        if is_transient(error):
            if output.hide(said := "".join(traceback.format_exception(error))) != said:
                raise ServiceUnavailable(f"Interrupted ({type(error).__name__}).") from None
            raise
        trace = output.hide("".join(traceback.format_exception(error)))
        context.log.error("project_update_error", update_id=started.update_id, exception=trace)
        await _end(context, started, output, "error", "Error occured while updating the project, see server logs")


async def _fetch(context: JobContext, started: StartedUpdate, output: ProjectOutput) -> tuple[Wanted, Fetched]:
    wanted = await project_files.wanted_by(context.session_factory, context.settings, started.project_id)
    output.conceal(wanted.credentials)
    return wanted, await project_files.bring(context.settings, wanted, output.say)


async def _succeed(
    context: JobContext, started: StartedUpdate, output: ProjectOutput, wanted: Wanted, fetched: Fetched
) -> None:
    """Keep the files, end the run and finish the job together: all of it, or nothing."""
    await output.flush()
    async with unit_of_work(context.session_factory) as session:
        ended = await project_updates.end(session, started.update_id, "successful", revision=fetched.revision)
        if ended == "successful":
            await project_files.keep(session, wanted, fetched)
        await jobs.finish(session, context.claim, "canceled" if ended == "canceled" else "done")


async def _end(context: JobContext, started: StartedUpdate, output: ProjectOutput, status: str, reason: str) -> None:
    reason = output.hide(reason)
    await output.flush()
    async with unit_of_work(context.session_factory) as session:
        await project_updates.end(session, started.update_id, status, reason)
        await jobs.finish(session, context.claim, "canceled" if status == "canceled" else "done", reason)


TASK = Task(update_project, project_updates.gave_up)
