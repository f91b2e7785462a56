"""`craton-inv refresh`: a source, a host or a single object is refreshed, directly by the database.

Exit status: 0 refreshed (or queued, with --no-wait); 1 refused, failed or nobody to do it; 2 wrong usage.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.cli.database import DataDir, database, settings_of
from craton_inv.cli.refresh_watch import Watch, workers
from craton_inv.db.engine import make_engine
from craton_inv.db.migrate import upgrade
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.embedded.postgres import running_url
from craton_inv.embedded.valkey import EmbeddedValkey
from craton_inv.errors import BadRequest, NotFound
from craton_inv.jobs.registry import TASKS
from craton_inv.jobs.runner import Runner
from craton_inv.logs import configure_logs
from craton_inv.queue.bell import ArqBell
from craton_inv.queue.jobs import BELL
from craton_inv.repositories.named import find_all_named
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.refresh_queue import HostTarget, ObjectTarget, RefreshTarget, SourceTarget, queue_refresh
from craton_inv.settings import Settings

NOBODY = "No worker is at work: `craton-inv up` starts one, and --here does the work in this process."
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Show how it goes until it has ended.")]
Here = Annotated[bool, typer.Option("--here", help="Do the work in this process, without a worker.")]
ForceDelete = Annotated[bool, typer.Option("--force-delete", help="Delete even what the deletion guard would keep.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Write nothing: tell what would be done, and keep it.")]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def refresh() -> None:
    """Refresh a source, a host or a single object. What waits already is joined."""


@app.command("source")
def source(
    which: Annotated[str, typer.Argument(metavar="SOURCE", help="Id or name of the source.")],
    wait: Wait = True,
    here: Here = False,
    force_delete: ForceDelete = False,
    dry_run: DryRun = False,
    data_dir: DataDir = None,
) -> None:
    """Refresh all that a source delivers.

    Example: craton-inv refresh source "my cloud" --no-wait
    """

    async def find(session: AsyncSession) -> RefreshTarget:
        return SourceTarget(await _one(session, "inventory_sources", which))

    _refresh(settings_of(data_dir), find, wait=wait, here=here, force_delete=force_delete, dry_run=dry_run)


@app.command("host")
def host(
    which: Annotated[str, typer.Argument(metavar="HOST", help="Id or name of the host.")],
    wait: Wait = True,
    here: Here = False,
    force_delete: ForceDelete = False,
    dry_run: DryRun = False,
    data_dir: DataDir = None,
) -> None:
    """Refresh one host, by every source that delivers it.

    Example: craton-inv refresh host web-1
    """

    async def find(session: AsyncSession) -> RefreshTarget:
        return HostTarget(await _one(session, "hosts", which))

    _refresh(settings_of(data_dir), find, wait=wait, here=here, force_delete=force_delete, dry_run=dry_run)


@app.command("target")
def target(
    which: Annotated[str, typer.Argument(metavar="SOURCE", help="Id or name of the source.")],
    association: Annotated[str, typer.Argument(help="Where the object belongs, hosts for instance.")],
    reference: Annotated[list[str], typer.Argument(metavar="COLUMN=VALUE...", help="What identifies it there.")],
    wait: Wait = True,
    here: Here = False,
    force_delete: ForceDelete = False,
    dry_run: DryRun = False,
    data_dir: DataDir = None,
) -> None:
    """Refresh one object of a source, known here or not yet.

    Example: craton-inv refresh target "my cloud" hosts instance_id=i-0123456789
    """
    manager_ref = _reference(reference)

    async def find(session: AsyncSession) -> RefreshTarget:
        return ObjectTarget(await _one(session, "inventory_sources", which), association, manager_ref)

    _refresh(settings_of(data_dir), find, wait=wait, here=here, force_delete=force_delete, dry_run=dry_run)


def _reference(words: Sequence[str]) -> Mapping[str, str]:
    found = {}
    for word in words:
        column, equals, value = word.partition("=")
        if not equals or not column or column in found:
            raise typer.BadParameter(f"{word!r} is not COLUMN=VALUE, each column once", param_hint="'COLUMN=VALUE'")
        found[column] = value
    return found


async def _one(session: AsyncSession, plural: str, which: str) -> int:
    """The id of the host or source that `which` is, or is the name of. Raises NotFound, BadRequest for several."""
    found = await find_all_named(session, plural, which)
    kind = {"hosts": "host", "inventory_sources": "source"}[plural]
    if not found:
        raise NotFound(f"There is no {kind} {which!r}.")
    if len(found) > 1:
        places = "\n".join(f"  {row_id}  in {place}" for row_id, place in found[:20])
        raise BadRequest(f"{len(found)} {kind}s are named {which!r}; say one of these ids:\n{places}")
    return found[0][0]


def _refresh(
    settings: Settings,
    find: Callable[[AsyncSession], Awaitable[RefreshTarget]],
    *,
    wait: bool,
    here: bool,
    **options: bool,
) -> None:
    """Queue what `find` gives, and follow it. `options`: of the update."""
    if here and not wait:
        raise typer.BadParameter("work that is done here is waited for", param_hint="'--here' / '--no-wait'")
    configure_logs("ERROR", as_json=settings.log_json)  # what goes wrong with an update is told as its event
    wanted = {name: True for name, value in options.items() if value}
    with database(settings) as url:
        done = asyncio.run(_queue_and_follow(settings, url, find, wanted, wait=wait, here=here))
    if not done:
        raise typer.Exit(1)


async def _queue_and_follow(
    settings: Settings,
    url: str,
    find: Callable[[AsyncSession], Awaitable[RefreshTarget]],
    options: Mapping[str, bool],
    *,
    wait: bool,
    here: bool,
) -> bool:
    """Whether all is well: everything refreshed, or queued where nobody waits."""
    await upgrade(url)
    redis_url = settings.redis_url or running_url(settings.data_dir, EmbeddedValkey.lock_name)
    bell = ArqBell(redis_url, settings.queue_name) if redis_url and not here else None
    engine = make_engine(url, settings, application="craton-inv-cli", statement_timeout=0 if here else None)
    factory = make_session_factory(engine, info={BELL: bell})
    try:
        async with unit_of_work(factory) as session:
            updates = await queue_refresh(
                session, SYSTEM, [await find(session)], threshold=settings.full_refresh_threshold, options=options
            )
        watch = Watch(factory, {update.id: update.name for update in updates})
        watch.tell_queued(updates)
        if here:
            runner = Runner(settings, engine, factory, TASKS)
            job_ids = [update.job_id for update in updates if update.job_id is not None]
            try:
                # Again and again: a job that waits for another update, or for a second attempt, is not due yet.
                return await watch.follow(lambda: [runner.spawn(job_id) for job_id in job_ids])
            finally:
                await runner.stop()
        if not wait:
            return True
        if not await workers(factory):
            print(NOBODY, file=sys.stderr)
            return False
        return await watch.follow()
    finally:
        if bell is not None:
            await bell.close()
        await engine.dispose()
