"""What a running update tells of its stages: counts, and no more often than every half second."""

import asyncio
import itertools

from craton_inv.services.update_events import INTERVAL, EventWriter
from tests.jobs.updates import Updates


async def test_every_stage_is_told_with_its_counts(updates: Updates) -> None:
    update_id = await updates.launch()
    await updates.work(update_id)
    told = {event.event_data["stage"]: event.event_data["counts"] for event in await updates.events(update_id)
            if event.event_data}  # fmt: skip
    assert {"collect", "parse", "save groups", "save hosts", "save memberships"} <= told.keys()
    assert told["parse"]["hosts"] == 3
    assert told["save hosts"]["created"] == 3


async def test_reports_of_a_stage_between_two_writes_are_one_event_whatever_is_said_meanwhile(
    updates: Updates,
) -> None:
    update_id = await updates.launch()
    async with EventWriter(updates.world.factory, update_id) as events:
        for number in range(1, 6):
            await events.progress("collect", {"hosts": number})
            events.say(f"line {number}")
            await events.progress("parse", {"hosts": number})
        await events.flush()
        await events.progress("parse", {"hosts": 9})
    told = [event.stdout for event in await updates.events(update_id)]
    lines = [f"line {number}" for number in range(1, 6)]
    assert told == ["collect: hosts 5", lines[0], "parse: hosts 5", *lines[1:], "parse: hosts 9"]


async def test_a_stage_that_reports_all_the_time_is_written_twice_a_second(updates: Updates) -> None:
    update_id = await updates.launch()
    async with EventWriter(updates.world.factory, update_id) as events:
        for number in range(60):
            await events.progress("parse", {"hosts": number})
            await asyncio.sleep(INTERVAL / 30)
    moments = [event.created for event in await updates.events(update_id)]
    assert len(moments) > 1
    # The last one is written at the end, as soon as there is nothing more to tell.
    apart = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(moments[:-1])]
    assert all(seconds >= INTERVAL * 0.9 for seconds in apart), apart
