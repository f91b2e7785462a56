"""Schedules: made, changed, and fired exactly once for each moment, however many workers look.

A moment that came while no worker ran is made up for once, with the last of those missed. Source: AWX's schedules.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.errors import CratonInvError, InvalidField, MethodNotAllowed
from craton_inv.logs import get_logger
from craton_inv.models import InventorySource, Schedule, ScheduleFire
from craton_inv.repositories import schedules as rows
from craton_inv.repositories.schedules import ScheduleRepository
from craton_inv.repositories.scope import SYSTEM, Scope
from craton_inv.schemas.names import name_fault
from craton_inv.services.inventory_sources import MANUAL
from craton_inv.services.inventory_updates import launch
from craton_inv.services.name_rules import require_name
from craton_inv.services.pending_deletion import refuse_pending_source
from craton_inv.services.recurrence import Recurrence, parse_recurrence, read_recurrence
from craton_inv.services.update_lifecycle import SOURCE_LOCK

log = get_logger(__name__)
LAUNCH_TYPE = "scheduled"
MOST_DUE = 100


async def create_schedule(
    session: AsyncSession, scope: Scope, source: InventorySource, values: Mapping[str, Any]
) -> Schedule:
    """Make a schedule of a source. `values`: columns.

    Raises InvalidField, Duplicate, Forbidden, MethodNotAllowed, Conflict for a source that is being deleted.
    """
    row = Schedule(
        inventory_source_id=source.id,
        inventory_id=source.inventory_id,
        tenant_id=source.tenant_id,
        **{"description": "", "enabled": True, **values},
    )
    repository = ScheduleRepository(session, scope)
    repository.authorize(row)
    refuse_pending_source(source)
    if source.source == MANUAL:
        raise MethodNotAllowed("A manual source has nothing to be updated from.")
    require_name(row.name, name_fault)
    await _plan(session, row)
    return await repository.add(row)


async def change_schedule(session: AsyncSession, scope: Scope, row: Schedule, values: Mapping[str, Any]) -> Schedule:
    """Write `values` to a schedule got with `lock=True`. Raises as `create_schedule`."""
    repository = ScheduleRepository(session, scope)
    repository.authorize(row)
    refuse_pending_source(await session.get_one(InventorySource, row.inventory_source_id))
    if "name" in values and values["name"] != row.name:
        require_name(values["name"], name_fault)
    before = (row.rrule, row.enabled)
    for column, value in values.items():
        setattr(row, column, value)
    if (row.rrule, row.enabled) != before:
        await _plan(session, row)
    return await repository.save(row)


def preview(rrule: str, count: int) -> tuple[Recurrence, list[datetime]]:
    """A rule and its next moments, in UTC. Raises InvalidField."""
    rule = parse_recurrence(rrule)
    return rule, list(islice(rule.after(max(datetime.now(UTC), rule.start - timedelta(microseconds=1))), count))


async def _plan(session: AsyncSession, row: Schedule) -> None:
    """Fill in what the rule says of time. Nothing is made up for that was missed before this."""
    # In a thread: looking for rare moments takes some hundredths of a second.
    rule = await asyncio.to_thread(parse_recurrence, row.rrule)
    now = await session.scalar(select(func.now()))
    row.dtstart, row.dtend = rule.start, rule.end
    row.next_run = await asyncio.to_thread(rule.next_after, now or datetime.now(UTC)) if row.enabled else None
    row.last_error = ""


async def fire_due(factory: SessionFactory, now: datetime | None = None) -> int:
    """Start the updates whose moment has come; how many schedules fired. `now`: the database's clock when None."""
    async with unit_of_work(factory) as session:
        waiting = await rows.due(session, now, MOST_DUE)
    fired = 0
    for schedule_id, source_id in waiting:
        async with unit_of_work(factory) as session:
            fired += await _fire(session, schedule_id, source_id, now)
    return fired


def _ticks(rrule: str, moment: datetime, since: datetime) -> tuple[datetime, datetime | None]:
    """The last moment that has come, and the one after it. Raises InvalidField."""
    rule = read_recurrence(rrule)
    tick = rule.last_before(moment, since=since)
    return tick, rule.next_after(tick)


async def _fire(session: AsyncSession, schedule_id: int, source_id: int, now: datetime | None) -> bool:
    # The source before the schedule: in that order both go when a source is deleted.
    await session.get(InventorySource, source_id, with_for_update=SOURCE_LOCK)
    row = await rows.lock_due(session, schedule_id, now)
    if row is None or row.next_run is None:
        return False
    moment = now or await session.scalar(select(func.now())) or datetime.now(UTC)
    try:
        tick, row.next_run = await asyncio.to_thread(_ticks, row.rrule, moment, row.next_run)
    except InvalidField as refusal:
        # A zone may vanish with an update of the time zones: the others go on.
        row.next_run, row.last_error = None, refusal.message
        log.warning("schedule_not_read", schedule_id=row.id, reason=refusal.message)
        return False
    if not await rows.note_fire(session, row.id, tick):
        return False
    try:
        async with session.begin_nested():
            started = await launch(session, SYSTEM, source_id, launch_type=LAUNCH_TYPE)
    except CratonInvError as refusal:
        row.last_error = refusal.message
        log.warning("schedule_started_nothing", schedule_id=row.id, source_id=source_id, reason=refusal.message)
    else:
        row.last_error = ""
        await session.execute(
            update(ScheduleFire)
            .where(ScheduleFire.schedule_id == row.id, ScheduleFire.tick == tick)
            .values(inventory_update_id=started.id)
            .execution_options(synchronize_session=False)
        )
    await session.flush()
    return True
