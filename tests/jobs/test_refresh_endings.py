"""How updates end beside the straight way: cancelled without a worker, told in full, source in step."""

import asyncio

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from craton_inv.db.engine import make_engine
from craton_inv.db.locks import lock_transaction
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.jobs import refresh as job
from craton_inv.jobs.limits import cancel_asked
from craton_inv.models import InventoryUpdate, Job
from craton_inv.queue import jobs
from craton_inv.queue.jobs import LeaseLost
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services import inventory_updates
from craton_inv.services.update_events import INTERVAL, EventWriter
from craton_inv.settings import Settings
from tests.jobs.updates import Updates


async def begin(updates: Updates, update_id: int) -> jobs.Claim:
    """Claim and start an update, as a worker does before it collects."""
    claim = await updates.claim(update_id)
    async with unit_of_work(updates.world.factory) as session:
        await job.lifecycle.start(session, update_id, claim)
    return claim


async def cancel(updates: Updates, update_id: int) -> None:
    async with unit_of_work(updates.world.factory) as session:
        await inventory_updates.cancel(session, SYSTEM, update_id)


async def test_an_update_between_two_attempts_is_cancelled_at_once(updates: Updates) -> None:
    update_id = await updates.launch()
    claim = await begin(updates, update_id)
    async with unit_of_work(updates.world.factory) as session:
        await jobs.release(session, claim, delay=60, error="the database was away")
    await cancel(updates, update_id)
    assert (await updates.update(update_id)).status == "canceled"
    assert (await updates.source()).status == "canceled"


@pytest.mark.parametrize(
    "lost", ["UPDATE jobs SET status = 'failed' WHERE id = :id", "DELETE FROM jobs WHERE id = :id"]
)
async def test_a_running_update_whose_job_is_over_or_gone_can_be_cancelled(updates: Updates, lost: str) -> None:
    update_id = await updates.launch()
    claim = await begin(updates, update_id)
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(text(lost), {"id": claim.job_id})
    await cancel(updates, update_id)
    assert (await updates.update(update_id)).status == "canceled"


async def test_cancelling_the_update_that_waits_leaves_the_running_one_in_sight(updates: Updates) -> None:
    running = await updates.launch()
    await begin(updates, running)
    waiting = await updates.launch()
    await cancel(updates, waiting)
    source = await updates.source()
    assert (source.status, source.current_update_id) == ("running", running)


async def test_a_source_shows_the_update_that_waits_once_the_running_one_ends(updates: Updates) -> None:
    running = await updates.launch()
    claim = await begin(updates, running)
    waiting = await updates.launch()
    await job.refresh(updates.context(claim))
    source = await updates.source()
    assert (source.status, source.current_update_id, source.last_update_id) == ("pending", waiting, running)


async def test_no_free_connection_is_no_wish_to_cancel(updates: Updates) -> None:
    update_id = await updates.launch()
    context = updates.context(await begin(updates, update_id))
    narrow = make_engine(
        updates.world.engine.url.render_as_string(hide_password=False), Settings(database_pool_size=1)
    ).execution_options()
    narrow.pool._timeout = 0.1  # type: ignore[attr-defined]
    narrow.pool._max_overflow = 0  # type: ignore[attr-defined]
    crowded = job.JobContext(
        context.settings, narrow, make_session_factory(narrow), context.claim, context.log, context.canceled
    )
    wish = select(InventoryUpdate.cancel_requested).where(InventoryUpdate.id == update_id)
    async with narrow.connect():
        watching = asyncio.create_task(cancel_asked(crowded, wish))
        await asyncio.wait({watching}, timeout=1)
        assert not watching.done()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    await narrow.dispose()


@pytest.mark.parametrize(("values", "last"), [
    ({}, "Inventory import completed."),
    ({"source": "file", "source_path": "nothing-here"}, "does not exist"),
])  # fmt: skip
async def test_all_is_told_before_an_update_shows_its_end(
    updates: Updates, values: dict[str, object], last: str
) -> None:
    row = await updates.run("told", **values)
    events = await updates.events(row.id)
    assert last in events[-1].stdout
    assert row.finished is not None
    assert [event.stdout for event in events if event.created > row.finished] == []


async def test_lines_on_their_way_into_the_database_are_not_lost_at_the_end(updates: Updates) -> None:
    update_id = await updates.launch()
    factory = updates.world.factory

    async def talk() -> None:
        async with EventWriter(factory, update_id) as events:
            events.say("on its way")
            await asyncio.sleep(INTERVAL * 2)

    async with factory() as blocker:
        await blocker.execute(text("LOCK TABLE inventory_update_events IN EXCLUSIVE MODE"))
        talking = asyncio.create_task(talk())
        await asyncio.sleep(INTERVAL * 3)
        await blocker.rollback()
    await talking
    assert await updates.output(update_id) == "on its way"


async def test_a_reason_that_is_no_valid_text_still_ends_the_update(updates: Updates) -> None:
    update_id = await updates.launch()
    claim = await begin(updates, update_id)
    async with unit_of_work(updates.world.factory) as session:
        await job.lifecycle.end(session, update_id, "failed", "bad \udcff name\x00", traceback="\udcff")
        await jobs.finish(session, claim)
    row = await updates.update(update_id)
    assert (row.status, row.job_explanation) == ("failed", "bad \ufffd name\ufffd")


async def test_a_line_that_is_no_valid_text_does_not_hold_the_others_back(updates: Updates) -> None:
    update_id = await updates.launch()
    async with EventWriter(updates.world.factory, update_id) as events:
        events.say("good")
        events.say("bad \udcff\x00")
    assert await updates.output(update_id) == "good\nbad \ufffd\ufffd"


async def test_an_update_shows_the_definition_it_ran_with(updates: Updates) -> None:
    update_id = await updates.launch()
    await updates.change_source(overwrite=True, limit="web-1")
    row = await updates.work(update_id)
    assert (row.source_definition["overwrite"], row.source_definition["limit"]) == (True, "web-1")


async def test_a_save_whose_worker_sleeps_in_its_transaction_is_ended_by_the_next(updates: Updates) -> None:
    update_id = await updates.launch()
    async with updates.world.factory() as asleep:
        await lock_transaction(asleep, f"inventory_source:{updates.world.sources['source']}")
        row = await asyncio.wait_for(updates.work(update_id), 20)
        assert row.status == "successful"
        with pytest.raises(DBAPIError):
            await asleep.execute(text("SELECT 1"))


async def test_a_worker_without_its_lease_ends_nobody_s_save(updates: Updates) -> None:
    update_id = await updates.launch()
    stale = await updates.claim(update_id, "stale")
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(update(Job).where(Job.id == stale.job_id).values(token=stale.token + 1))
    async with updates.world.factory() as rightful:
        await lock_transaction(rightful, f"inventory_source:{updates.world.sources['source']}")
        with pytest.raises(LeaseLost):
            await asyncio.wait_for(job.refresh(updates.context(stale)), 20)
        assert await rightful.scalar(text("SELECT 1")) == 1


async def test_an_update_can_be_launched_and_cancelled_while_another_is_being_saved(updates: Updates) -> None:
    source_id = await updates.world.source("source", source="example", source_vars="{}")
    async with updates.world.factory() as saving:
        host = "INSERT INTO hosts (inventory_id, tenant_id, name) VALUES (:inventory, :tenant, 'h') RETURNING id"
        values = {"inventory": updates.world.inventory_id, "tenant": updates.world.tenant_id}
        host_id = await saving.scalar(text(host), values)
        layer = "INSERT INTO host_sources (inventory_source_id, host_id, ref, digest) VALUES (:source, :host, 'h', '')"
        await saving.execute(text(layer), {"source": source_id, "host": host_id})
        update_id = await asyncio.wait_for(updates.launch(), 5)
        await asyncio.wait_for(cancel(updates, update_id), 5)
        await saving.rollback()
    assert (await updates.update(update_id)).status == "canceled"


@pytest.mark.parametrize(("seconds", "status"), [(0, "canceled"), (-1, "successful")])
async def test_a_timeout_of_zero_is_the_default_and_a_negative_one_is_none(
    updates: Updates, seconds: int, status: str
) -> None:
    updates.settings = updates.settings.model_copy(update={"inventory_update_timeout": 0.001})
    row = await updates.run("slow", source="example", source_vars='{"hosts": 2000}', timeout=seconds)
    assert row.status == status
