"""The worker process: arq's bell and the sweeper hand job ids to the runner, until SIGTERM or SIGINT.

Run as `python -m craton_inv.worker`. It lives through the loss of Redis (the sweeper alone then finds the jobs) and of
the database (claims fail, rows stay).
"""

import asyncio
import signal
import sys
from typing import Any

from arq.connections import ArqRedis
from arq.worker import Worker, func

from craton_inv.db.engine import make_engine
from craton_inv.db.session import SessionFactory, make_session_factory, unit_of_work
from craton_inv.jobs.registry import TASKS, TIDYING
from craton_inv.jobs.runner import Runner
from craton_inv.logs import configure_logs, get_logger
from craton_inv.queue import jobs
from craton_inv.queue.bell import FUNCTION, UNREACHABLE, ArqBell, connected, dump, load
from craton_inv.repositories.path_indexes import keep_indexes, use_declared
from craton_inv.services.membership_changes import keep_memberships
from craton_inv.services.membership_reconciliation import order_reconciliation
from craton_inv.services.retention import forget
from craton_inv.services.schedules import fire_due
from craton_inv.settings import Settings, get_settings

log = get_logger(__name__)
ALONE_INTERVAL = 2.0  # seconds between sweeps while Redis is away
SHORTEST_INTERVAL = 1.0  # seconds between sweeps at least, so that a lease at its end is not asked for in a loop
SWEPT = 16  # jobs that a sweep hands to the runner, for each of its places
REBUILD_PAUSE = 2.0  # seconds before a broken arq worker is built again
SCHEDULE_INTERVAL = 5.0  # seconds between two looks for schedules whose moment has come
GRACE = 3.0  # seconds a rung job may wait for its bell before the sweeper takes it
LONGEST_JOB = DAY = 24 * 3600  # arq's own limit; ours are the lease and the timeout of the update


class Listener:
    """arq, rebuilt whenever it falls: it exits when Redis goes away."""

    def __init__(self, url: str, settings: Settings, runner: Runner) -> None:
        self.url = url
        self.settings = settings
        self.runner = runner
        self.connected = False
        self._told: bool | None = None

    async def listen(self) -> None:
        """Take ids off arq's queue for ever."""
        while True:
            try:
                async with connected(self.url, self.settings.queue_name) as redis:
                    self._tell(True)
                    await self._serve(redis)
            except UNREACHABLE as error:
                self._tell(False, error)
            except Exception as error:
                log.warning("bell_broken", error=repr(error))
            finally:
                self.connected = False
            await asyncio.sleep(REBUILD_PAUSE)

    def _tell(self, connected: bool, error: Exception | None = None) -> None:
        """Log once per change, not once per try."""
        self.connected = connected
        if connected != self._told:
            self._told = connected
            if connected:
                log.info("redis_reached")
            else:
                log.warning("redis_away", error=repr(error), effect="jobs wait for the sweeper")

    async def _serve(self, redis: ArqRedis) -> None:
        async def run_job(ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> None:
            # Shielded: when arq falls with Redis, the job in hand goes on.
            await asyncio.shield(self.runner.spawn(int(args[0])))

        worker = Worker(
            [func(run_job, name=FUNCTION, max_tries=1, timeout=LONGEST_JOB, keep_result=0)],
            redis_pool=redis,
            queue_name=self.settings.queue_name,
            handle_signals=False,
            max_jobs=self.settings.worker_concurrency,
            keep_result=0,
            max_tries=1,
            retry_jobs=False,
            poll_delay=0.2,
            log_results=False,
            job_serializer=dump,
            job_deserializer=load,
        )
        try:
            await worker.main()
        finally:
            # Not arq's own close: it leaves its connections open when a job is in hand.
            for task in worker.tasks.values():
                task.cancel()
            await asyncio.gather(*worker.tasks.values(), return_exceptions=True)


async def sweep(settings: Settings, factory: SessionFactory, runner: Runner, listener: Listener | None) -> None:
    """Find jobs that nobody rang for or whose worker went silent, and run them here, for ever."""
    most = settings.worker_concurrency * SWEPT
    while True:
        alone = listener is None or not listener.connected
        interval = min(settings.job_sweep_interval, ALONE_INTERVAL) if alone else settings.job_sweep_interval
        try:
            async with unit_of_work(factory) as session:
                # Another worker may take the same ids: the claim decides.
                waiting = await jobs.due(session, grace=0 if alone else GRACE, limit=most)
                expiry = await jobs.next_expiry(session)
            if len(waiting) == most:  # there are more: a whole queue was lost
                interval = min(interval, SHORTEST_INTERVAL)
            if expiry is not None:  # a worker that is gone: its job is taken as soon as its lease has run out
                interval = min(interval, max(SHORTEST_INTERVAL, expiry))
            for job_id in waiting:
                runner.spawn(job_id)
        except Exception as error:
            log.warning("sweep_failed", error=repr(error))
        await asyncio.sleep(interval)


async def tidy(settings: Settings, factory: SessionFactory) -> None:
    """Put lost rows in order and let old ones go, for ever; at the sweeper's full interval, whatever it finds."""
    while True:
        try:
            for put_in_order in TIDYING:
                async with unit_of_work(factory) as session:
                    await put_in_order(session)
            more = True
            while more:
                async with unit_of_work(factory) as session:
                    more = await forget(session, settings)
        except Exception as error:
            log.warning("tidying_failed", error=repr(error))
        await asyncio.sleep(settings.job_sweep_interval)


async def fire_schedules(factory: SessionFactory) -> None:
    """Start what schedules ask for, for ever. Every worker looks; each moment is fired once."""
    while True:
        try:
            await fire_due(factory)
        except Exception as error:
            log.warning("schedules_not_fired", error=repr(error))
        await asyncio.sleep(SCHEDULE_INTERVAL)


async def reconcile_daily(settings: Settings, factory: SessionFactory) -> None:
    """Have the memberships of smart inventories compared with what they should be: now, and once a day, for ever.

    Changes made while the setting was off were not noted: the comparison at the start makes up for them.
    """
    while True:
        pause: float = DAY
        try:
            async with unit_of_work(factory) as session:
                await order_reconciliation(session)
        except Exception as error:
            log.warning("reconciliation_not_ordered", error=repr(error))
            pause = settings.job_sweep_interval
        await asyncio.sleep(pause)


async def keep_declared(url: str, settings: Settings) -> None:
    """Have the indexes that CRATON_INV_FACT_INDEXES declares, and no others; until then searches read instead."""
    try:
        for line in await keep_indexes(url, settings.indexed_paths()):
            log.info("declared_index", done=line)
    except Exception as error:
        log.warning("declared_indexes_not_kept", error=repr(error))


async def work(settings: Settings, stopping: asyncio.Event) -> None:
    """Serve jobs until `stopping` is set, then give every lease back."""
    if settings.database_url is None:
        raise SystemExit("The worker needs CRATON_INV_DATABASE_URL; `craton-inv up` sets it for the embedded server.")
    use_declared(settings.indexed_paths())
    # A refresh of a large inventory has statements far longer than any request's.
    engine = make_engine(settings.database_url, settings, application="craton-inv-worker", statement_timeout=0)
    keeping = settings.awx_rebuild_smart_membership
    # A job orders others: they are rung for like those of a request.
    bell = ArqBell(settings.redis_url, settings.queue_name) if settings.redis_url else None
    factory = make_session_factory(
        engine, keep_memberships(settings.filter_statement_timeout) if keeping else None, {jobs.BELL: bell}
    )
    runner = Runner(settings, engine, factory, TASKS)
    listener = Listener(settings.redis_url, settings, runner) if settings.redis_url else None
    loops = [
        asyncio.create_task(sweep(settings, factory, runner, listener)),
        asyncio.create_task(tidy(settings, factory)),
        asyncio.create_task(fire_schedules(factory)),
        asyncio.create_task(keep_declared(settings.database_url, settings)),
    ]
    if keeping:
        loops.append(asyncio.create_task(reconcile_daily(settings, factory)))
    if listener is not None:
        loops.append(asyncio.create_task(listener.listen()))
    log.info("worker_started", worker=runner.name, concurrency=settings.worker_concurrency)
    try:
        await stopping.wait()
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await runner.stop()
        if bell is not None:
            await bell.close()
        await engine.dispose()
        log.info("worker_stopped", worker=runner.name)


async def main() -> None:
    """Run until a signal."""
    settings = get_settings()
    configure_logs(settings.log_level, as_json=settings.log_json)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await work(settings, stopping)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
