"""Sources that are updated before what is put together from them, by the clock that they are told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.refresh import refresh
from craton_inv.models import InputInventory, Inventory, InventorySource, InventoryUpdate, Job, Tenant
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services import inventory_updates
from craton_inv.services.schedules import create_schedule, fire_due
from craton_inv.services.update_on_launch import due_sources
from tests.factories import make_host, make_inventory, make_source, save
from tests.jobs.updates import EXAMPLE, Updates

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
CONSTRUCTED = {"source": "constructed", "overwrite": True, "overwrite_vars": True, "update_on_launch": True}


async def add_run(updates: Updates, name: str = "source", **values: Any) -> int:
    """A run of a source that ended well at noon, unless told otherwise; its id."""
    world = updates.world
    values = {"status": "successful", "finished": NOON, "name": name, **values}
    async with unit_of_work(world.factory) as session:
        row = InventoryUpdate(
            inventory_id=world.inventory_id,
            tenant_id=world.tenant_id,
            inventory_source_id=world.sources[name],
            **values,
        )
        return (await save(session, row)).id


async def is_due(updates: Updates, now: datetime = NOON, **source: Any) -> bool:
    """Whether the world's one source is due at a moment."""
    given = {"source": "example", "source_vars": EXAMPLE, "update_on_launch": True, **source}
    await updates.world.source(**given)
    async with updates.world.factory() as session:
        return bool(await due_sources(session, [updates.world.inventory_id], now))


async def test_a_source_without_a_run_is_due(updates: Updates) -> None:
    assert await is_due(updates)


async def test_one_that_is_not_updated_on_launch_never_is(updates: Updates) -> None:
    assert not await is_due(updates, update_on_launch=False)


async def test_a_good_run_counts_until_its_time_is_over(updates: Updates) -> None:
    await updates.world.source(source="example", update_on_launch=True, update_cache_timeout=60)
    await add_run(updates)
    moments = [NOON + timedelta(seconds=seconds) for seconds in (0, 59, 60, 61)]
    assert [await is_due(updates, moment) for moment in moments] == [False, False, True, True]


async def test_without_a_time_a_good_run_counts_no_longer_than_it_lasts(updates: Updates) -> None:
    await updates.world.source(source="example", update_on_launch=True)
    await add_run(updates)
    assert await is_due(updates)


@pytest.mark.parametrize("status", ["failed", "error", "canceled"])
async def test_a_run_that_did_not_end_well_is_always_redone(updates: Updates, status: str) -> None:
    await updates.world.source(source="example", update_on_launch=True, update_cache_timeout=3600)
    await add_run(updates)
    await add_run(updates, status=status)
    assert await is_due(updates)


@pytest.mark.parametrize("status", ["pending", "waiting", "running"])
async def test_a_run_under_way_is_good_enough(updates: Updates, status: str) -> None:
    await updates.world.source(source="example", update_on_launch=True)
    await add_run(updates, status=status, finished=None)
    assert not await is_due(updates)


@pytest.mark.parametrize("other", [{"kind": "targeted"}, {"purpose": "dry_run"}, {"purpose": "apply"}])
async def test_runs_that_are_not_of_the_whole_source_as_it_is_do_not_count(
    updates: Updates, other: dict[str, str]
) -> None:
    await updates.world.source(source="example", update_on_launch=True, update_cache_timeout=3600)
    await add_run(updates, **other)
    assert await is_due(updates)


@pytest.fixture
async def inputs(updates: Updates) -> dict[str, int]:
    """The world's inventory is put together from another: ids of that one's sources `fresh`, `broken` and `hand`."""
    world = updates.world
    async with unit_of_work(world.factory) as session:
        tenant = await session.get_one(Tenant, world.tenant_id)
        await session.execute(update(Inventory).where(Inventory.id == world.inventory_id).values(kind="constructed"))
        given = await make_inventory(session, f"given-to-{world.inventory_id}", tenant=tenant)
        await make_host(session, "by-hand", inventory=given)
        session.add(
            InputInventory(
                inventory_id=world.inventory_id, input_inventory_id=given.id, tenant_id=tenant.id, position=1
            )
        )
        kinds = {
            "fresh": {"source": "example", "source_vars": EXAMPLE, "update_on_launch": True},
            "broken": {"source": "example", "source_vars": '{"hosts": 1, "fail_after": 0}', "update_on_launch": True},
            "hand": {"source": "example", "source_vars": EXAMPLE},
        }
        return {
            name: (await make_source(session, name, inventory=given, **values)).id for name, values in kinds.items()
        }


async def runs_of(updates: Updates, source_id: int) -> list[InventoryUpdate]:
    """A source's runs in order."""
    async with updates.world.factory() as session:
        query = select(InventoryUpdate).where(InventoryUpdate.inventory_source_id == source_id)
        return [*await session.scalars(query.order_by(InventoryUpdate.id))]


async def off(updates: Updates, source_id: int) -> None:
    """Take a source out of those that are updated on launch."""
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(
            update(InventorySource).where(InventorySource.id == source_id).values(update_on_launch=False)
        )


async def attempt(updates: Updates, update_id: int) -> str:
    """One attempt at an update's job; its status then."""
    await refresh(updates.context(await updates.claim(update_id)))
    return (await updates.update(update_id)).status


async def test_a_constructed_inventory_waits_for_the_due_sources_of_its_inputs(
    updates: Updates, inputs: dict[str, int]
) -> None:
    await off(updates, inputs["broken"])
    update_id = await updates.launch(**CONSTRUCTED)
    [asked] = await runs_of(updates, inputs["fresh"])
    assert (asked.launch_type, await runs_of(updates, inputs["hand"])) == ("dependency", [])
    assert await attempt(updates, update_id) == "waiting"
    assert (await updates.work(asked.id)).status == "successful"
    job = await updates.job(update_id)
    async with updates.world.factory() as session:
        assert job.run_at <= await session.scalar(select(func.clock_timestamp()))
    assert await attempt(updates, update_id) == "successful"
    assert set(await updates.world.hosts()) > {"by-hand"}


@pytest.mark.full
async def test_an_input_that_failed_is_told_and_used_as_it_is(updates: Updates, inputs: dict[str, int]) -> None:
    await off(updates, inputs["fresh"])
    update_id = await updates.launch(**CONSTRUCTED)
    [asked] = await runs_of(updates, inputs["broken"])
    async with unit_of_work(updates.world.factory) as session:
        await inventory_updates.cancel(session, SYSTEM, asked.id)
    assert await attempt(updates, update_id) == "successful"
    assert f'Update {asked.id} of the input source "broken" ended as canceled' in await updates.output(update_id)
    assert set(await updates.world.hosts()) == {"by-hand"}


async def test_asked_again_while_it_waits_nothing_more_is_asked_of_the_inputs(
    updates: Updates, inputs: dict[str, int]
) -> None:
    first = await updates.launch(**CONSTRUCTED)
    assert await updates.launch(**CONSTRUCTED) == first
    assert len(await runs_of(updates, inputs["fresh"])) == 1


async def test_a_dry_run_asks_nothing_of_the_inputs(updates: Updates, inputs: dict[str, int]) -> None:
    await updates.launch(options={"dry_run": True}, **CONSTRUCTED)
    assert await runs_of(updates, inputs["fresh"]) == []


async def test_a_schedule_asks_the_inputs_too(updates: Updates, inputs: dict[str, int]) -> None:
    source_id = await updates.world.source(**CONSTRUCTED)
    async with unit_of_work(updates.world.factory) as session:
        owner = await session.get_one(InventorySource, source_id)
        rule = {"name": "n", "rrule": "DTSTART:20260101T000000Z RRULE:FREQ=DAILY;INTERVAL=1"}
        row = await create_schedule(session, SYSTEM, owner, rule)
        row.next_run = datetime(2026, 1, 2, tzinfo=UTC)
    await fire_due(updates.world.factory, datetime(2026, 1, 2, tzinfo=UTC))
    assert len(await runs_of(updates, source_id)) == 1
    assert len(await runs_of(updates, inputs["fresh"])) == 1


async def test_sources_behind_a_smart_input_are_asked(updates: Updates, inputs: dict[str, int]) -> None:
    world = updates.world
    async with unit_of_work(world.factory) as session:
        tenant = await session.get_one(Tenant, world.tenant_id)
        smart = await make_inventory(
            session, f"smart-{world.inventory_id}", tenant=tenant, kind="smart", host_filter="name=by-hand"
        )
        await session.execute(
            update(InputInventory)
            .where(InputInventory.inventory_id == world.inventory_id)
            .values(input_inventory_id=smart.id)
        )
    update_id = await updates.launch(**CONSTRUCTED)
    assert len(await runs_of(updates, inputs["fresh"])) == 1
    assert await attempt(updates, update_id) == "waiting"


async def test_an_input_asked_for_later_is_not_waited_for(updates: Updates, inputs: dict[str, int]) -> None:
    for name in ("fresh", "broken"):
        await off(updates, inputs[name])
    update_id = await updates.launch(**CONSTRUCTED)
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(
            update(InventorySource).where(InventorySource.id == inputs["fresh"]).values(update_on_launch=True)
        )
        later = await inventory_updates.launch(session, SYSTEM, inputs["fresh"])
    assert later.id > update_id
    assert await attempt(updates, update_id) == "successful"
    async with updates.world.factory() as session:
        assert await session.scalar(select(Job.status).where(Job.id == later.job_id)) == "queued"
