"""Schedules in the database, and the moments at which they fired."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import InventorySource, Schedule, ScheduleFire
from craton_inv.repositories.base import Repository


class ScheduleRepository(Repository[Schedule]):
    """Schedules of the caller's tenants."""

    model = Schedule
    label = "Schedule"
    unique_texts = {  # noqa: RUF012 - a constant of the class
        "uq_schedules_inventory_source_id_name": "Schedule with this Name and Unified job template already exists."
    }


def of_source(source_id: int) -> ColumnElement[bool]:
    """Schedules of a source."""
    return Schedule.inventory_source_id == source_id


async def next_runs(session: AsyncSession, source_ids: Iterable[int]) -> dict[int, tuple[datetime, int]]:
    """When these sources are refreshed by themselves next, and by which schedule: one statement."""
    rows = await session.execute(
        select(Schedule.inventory_source_id, Schedule.next_run, Schedule.id)
        .where(
            Schedule.inventory_source_id.in_(sorted(set(source_ids))), Schedule.enabled, Schedule.next_run.is_not(None)
        )
        .order_by(Schedule.inventory_source_id, Schedule.next_run, Schedule.id)
        .ext(distinct_on(Schedule.inventory_source_id))
    )
    return {source_id: (moment, schedule_id) for source_id, moment, schedule_id in rows if moment is not None}


async def due(session: AsyncSession, now: datetime | None, limit: int) -> list[tuple[int, int]]:
    """Schedules whose next moment has come, with their sources, oldest first. `now`: the database's when None.

    Those of sources that are being deleted go with them.
    """
    moment = func.now() if now is None else now
    rows = await session.execute(
        select(Schedule.id, Schedule.inventory_source_id)
        .join(InventorySource, InventorySource.id == Schedule.inventory_source_id)
        .where(Schedule.enabled, Schedule.next_run <= moment, InventorySource.pending_deletion.is_(False))
        .order_by(Schedule.next_run, Schedule.id)
        .limit(limit)
    )
    return [(schedule_id, source_id) for schedule_id, source_id in rows]


async def lock_due(session: AsyncSession, schedule_id: int, now: datetime | None) -> Schedule | None:
    """A schedule that is still due and that no other worker has in hand."""
    moment = func.now() if now is None else now
    found: Schedule | None = await session.scalar(
        select(Schedule)
        .where(Schedule.id == schedule_id, Schedule.enabled, Schedule.next_run <= moment)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return found


async def note_fire(session: AsyncSession, schedule_id: int, tick: datetime) -> bool:
    """Whether the schedule had not fired for that moment; from now on it has."""
    made = await session.scalar(
        insert(ScheduleFire)
        .values(schedule_id=schedule_id, tick=tick)
        .on_conflict_do_nothing()
        .returning(ScheduleFire.schedule_id)
    )
    return made is not None
