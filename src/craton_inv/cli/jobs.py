"""`craton-inv jobs`: what waits and runs in the background, listed and cancelled directly by the database."""

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.cli.database import DataDir, in_transaction, settings_of
from craton_inv.models import Job
from craton_inv.repositories.jobs import JobRepository, in_statuses, of_task
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.jobs import AT_WORK
from craton_inv.services.jobs import cancel as cancel_job

STATUSES = (*AT_WORK, "done", "failed", "canceled")
MOST = 1000
LINE = "{:>8}  {:<8}  {:<28}  {:>7}  {:<24}  {}"

app = typer.Typer(no_args_is_help=True)


@app.callback()
def jobs() -> None:
    """List the work in the background, or cancel some of it."""


@app.command("list")
def list_jobs(
    status: Annotated[
        list[str] | None, typer.Option(help=f"Only these: {', '.join(STATUSES)}. Repeatable; default queued, running.")
    ] = None,
    task: Annotated[str, typer.Option(help="Only jobs that do this, refresh for instance.")] = "",
    data_dir: DataDir = None,
) -> None:
    """List the jobs that wait and run.

    Example: craton-inv jobs list --status failed --task refresh
    """
    wanted = tuple(status or AT_WORK)
    unknown = [name for name in wanted if name not in STATUSES]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none; known: {', '.join(STATUSES)}", param_hint="'--status'")

    async def find(session: AsyncSession) -> list[Job]:
        where = [in_statuses(wanted), *([of_task(task)] if task else [])]
        page = await JobRepository(session, SYSTEM).page(where=where, limit=MOST + 1, count=False)
        return page.items

    found = in_transaction(settings_of(data_dir), find)
    if not found:
        print("No such jobs.")
        return
    print(LINE.format("ID", "STATUS", "TASK", "ATTEMPT", "WORKER", "LAST SIGN OF LIFE"))
    for job in found[:MOST]:
        beat = f"{job.heartbeat_at:%Y-%m-%d %H:%M:%SZ}" if job.heartbeat_at else "-"
        print(LINE.format(job.id, job.status, job.task, job.attempt, job.worker or "-", beat))
        if job.error:
            print(f"{'':>10}{job.error.splitlines()[0]}")
    if len(found) > MOST:
        print(f"... and more than these {MOST}; /v1/jobs lists them in pages.")


@app.command("cancel")
def cancel(
    job_id: Annotated[int, typer.Argument(metavar="ID", help="The job's id.")], data_dir: DataDir = None
) -> None:
    """Cancel an update of a source or a project by its job.

    Example: craton-inv jobs cancel 17
    """

    async def work(session: AsyncSession) -> str:
        return (await cancel_job(session, SYSTEM, job_id)).status

    status = in_transaction(settings_of(data_dir), work)
    print(f"Job {job_id} is canceled." if status == "canceled" else f"Job {job_id}: its worker is told to stop.")
