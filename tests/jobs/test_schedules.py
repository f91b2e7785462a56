"""Schedules fire once for each moment, by the clock that they are told, however many workers look."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, func, select

from craton_inv.db.session import unit_of_work
from craton_inv.models import InventorySource, InventoryUpdate, Schedule, ScheduleFire
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services import schedules
from craton_inv.services.schedules import fire_due
from tests.jobs.updates import Updates

BERLIN = "DTSTART;TZID=Europe/Berlin:"
NIGHTLY = "20260101T030000 RRULE:FREQ=DAILY;INTERVAL=1"


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.fixture(autouse=True)
async def alone(updates: Updates) -> None:
    """No schedules of tests before."""
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(delete(Schedule))
        await session.execute(delete(InventoryUpdate))


async def scheduled(updates: Updates, rrule: str, next_run: datetime, name: str = "source", **source: object) -> int:
    """A source with a schedule whose next moment is given; the schedule's id."""
    given = {"source": "example", "source_vars": '{"hosts": 2, "prefix": "web"}', **source}
    source_id = await updates.world.source(name, **given)
    async with unit_of_work(updates.world.factory) as session:
        owner = await session.get_one(InventorySource, source_id)
        row = await schedules.create_schedule(session, SYSTEM, owner, {"name": "nightly", "rrule": rrule})
        row.next_run = next_run
        return row.id


async def schedule_of(updates: Updates, schedule_id: int) -> Schedule:
    async with updates.world.factory() as session:
        return await session.get_one(Schedule, schedule_id)


async def fires(updates: Updates, schedule_id: int) -> list[tuple[datetime, int | None]]:
    """Moments and the runs that they started."""
    async with updates.world.factory() as session:
        query = select(ScheduleFire.tick, ScheduleFire.inventory_update_id)
        found = await session.execute(query.where(ScheduleFire.schedule_id == schedule_id).order_by(ScheduleFire.tick))
        return [(tick, update_id) for tick, update_id in found]


async def runs(updates: Updates) -> int:
    async with updates.world.factory() as session:
        return await session.scalar(select(func.count()).select_from(InventoryUpdate)) or 0


async def test_nothing_fires_before_its_moment(updates: Updates) -> None:
    await scheduled(updates, BERLIN + NIGHTLY, at(2026, 3, 1, 2))
    assert await fire_due(updates.world.factory, at(2026, 3, 1, 1, 59)) == 0
    assert await runs(updates) == 0


async def test_a_moment_that_has_come_starts_a_run_and_the_next_is_planned(updates: Updates) -> None:
    schedule_id = await scheduled(updates, BERLIN + NIGHTLY, at(2026, 3, 1, 2))
    assert await fire_due(updates.world.factory, at(2026, 3, 1, 2)) == 1
    [(tick, update_id)] = await fires(updates, schedule_id)
    assert tick == at(2026, 3, 1, 2)
    assert update_id is not None
    update = await updates.work(update_id)
    assert (update.launch_type, update.status) == ("scheduled", "successful")
    row = await schedule_of(updates, schedule_id)
    assert (row.next_run, row.last_error) == (at(2026, 3, 2, 2), "")


async def test_the_same_hour_on_the_wall_is_kept_through_both_changes_of_clocks(updates: Updates) -> None:
    for day, hours in ((at(2026, 3, 28, 2), [2, 1, 1]), (at(2026, 10, 24, 1), [1, 2, 2])):
        schedule_id = await scheduled(updates, BERLIN + NIGHTLY, day, name=f"source {day.month}")
        for _ in hours:
            due = (await schedule_of(updates, schedule_id)).next_run
            assert due is not None
            assert await fire_due(updates.world.factory, due + timedelta(seconds=3)) == 1
        assert [tick.hour for tick, _ in await fires(updates, schedule_id)] == hours
        async with unit_of_work(updates.world.factory) as session:
            await session.delete(await session.get_one(Schedule, schedule_id))


async def test_four_workers_fire_each_moment_once(updates: Updates) -> None:
    schedule_id = await scheduled(
        updates, "DTSTART:20260101T000000Z RRULE:FREQ=MINUTELY;INTERVAL=1", at(2026, 3, 1, 0, 0)
    )
    for minute in range(10):
        now = at(2026, 3, 1, 0, minute, 2)
        fired = await asyncio.gather(*(fire_due(updates.world.factory, now) for _ in range(4)))
        assert sum(fired) == 1
    ticks = [tick for tick, _ in await fires(updates, schedule_id)]
    assert ticks == [at(2026, 3, 1, 0, minute) for minute in range(10)]


async def test_moments_missed_while_nobody_worked_are_made_up_for_once(updates: Updates) -> None:
    """Given nights when nobody worked, when a worker looks, then one run makes up for all and the plan goes on."""
    schedule_id = await scheduled(updates, BERLIN + NIGHTLY, at(2026, 2, 1, 2))
    assert await fire_due(updates.world.factory, at(2026, 2, 10, 12)) == 1
    assert [tick for tick, _ in await fires(updates, schedule_id)] == [at(2026, 2, 10, 2)]
    assert (await schedule_of(updates, schedule_id)).next_run == at(2026, 2, 11, 2)
    assert await fire_due(updates.world.factory, at(2026, 2, 10, 12)) == 0


async def test_a_second_moment_joins_the_run_that_still_waits(updates: Updates) -> None:
    schedule_id = await scheduled(updates, BERLIN + NIGHTLY, at(2026, 2, 1, 2))
    for day in (1, 2):
        await fire_due(updates.world.factory, at(2026, 2, day, 2))
    assert len({update_id for _, update_id in await fires(updates, schedule_id)}) == 1
    assert await runs(updates) == 1


async def test_a_rule_that_has_ended_fires_no_more(updates: Updates) -> None:
    schedule_id = await scheduled(
        updates, "DTSTART:20260101T000000Z RRULE:FREQ=DAILY;INTERVAL=1;COUNT=2", at(2026, 1, 2)
    )
    assert await fire_due(updates.world.factory, at(2026, 1, 2)) == 1
    assert (await schedule_of(updates, schedule_id)).next_run is None
    assert await fire_due(updates.world.factory, at(2027, 1, 2)) == 0


async def test_a_source_that_cannot_be_updated_is_told_on_the_schedule_and_tried_again(updates: Updates) -> None:
    schedule_id = await scheduled(updates, BERLIN + NIGHTLY, at(2026, 2, 1, 2), source="file", source_vars="")
    assert await fire_due(updates.world.factory, at(2026, 2, 1, 2)) == 1
    row = await schedule_of(updates, schedule_id)
    assert "neither a source_path nor an uploaded inventory" in row.last_error
    assert row.next_run == at(2026, 2, 2, 2)
    assert await fires(updates, schedule_id) == [(at(2026, 2, 1, 2), None)]


async def test_a_rule_that_can_no_longer_be_read_stops_no_other(updates: Updates) -> None:
    broken = await scheduled(updates, BERLIN + NIGHTLY, at(2026, 2, 1, 2), name="broken")
    whole = await scheduled(updates, BERLIN + NIGHTLY, at(2026, 2, 2, 2), name="whole")
    async with unit_of_work(updates.world.factory) as session:
        (await session.get_one(Schedule, broken)).rrule = f"DTSTART;TZID=Europe/Atlantis:{NIGHTLY}"
    assert await fire_due(updates.world.factory, at(2026, 2, 2, 3)) == 1
    assert [tick for tick, _ in await fires(updates, whole)] == [at(2026, 2, 2, 2)]
    row = await schedule_of(updates, broken)
    assert (row.next_run, "Europe/Atlantis" in row.last_error) == (None, True)


@pytest.mark.parametrize("enabled", [True, False])
async def test_what_was_missed_while_switched_off_is_not_made_up_for(updates: Updates, enabled: bool) -> None:
    schedule_id = await scheduled(updates, BERLIN + NIGHTLY, at(2026, 2, 1, 2))
    async with unit_of_work(updates.world.factory) as session:
        row = await session.get_one(Schedule, schedule_id)
        await schedules.change_schedule(session, SYSTEM, row, {"enabled": False})
        assert row.next_run is None
        if enabled:
            await schedules.change_schedule(session, SYSTEM, row, {"enabled": True})
            assert row.next_run is not None
            assert row.next_run > await session.scalar(select(func.now()))
    assert await fire_due(updates.world.factory) == 0
