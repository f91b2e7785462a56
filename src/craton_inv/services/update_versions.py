"""When updates of a source collected: what refreshes compare to tell which of two is the later one."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import InventoryUpdate, InventoryUpdateTarget
from craton_inv.refresh.target import Target


async def now(session: AsyncSession) -> datetime:
    """The database's clock: those of workers differ."""
    moment: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    return moment


async def collected_before(session: AsyncSession, source_id: int) -> tuple[datetime | None, datetime | None]:
    """When the newest saved update of a source began to collect, and the newest complete full one of them.

    One that failed may have saved a part; a dry run saves nothing.
    """
    wrote = InventoryUpdate.purpose != "dry_run"
    whole = (
        (InventoryUpdate.kind == "full")
        & (InventoryUpdate.status == "successful")
        & (InventoryUpdate.result["complete"].astext == "true")
    )
    newest = func.max(InventoryUpdate.collected_at)
    row = await session.execute(
        select(newest, newest.filter(whole)).where(InventoryUpdate.inventory_source_id == source_id, wrote)
    )
    latest, full = row.one()
    return latest, full


async def targets_after(session: AsyncSession, source_id: int, version: datetime) -> frozenset[Target]:
    """What saved updates of a source were asked for that began to collect later than `version`."""
    rows = await session.execute(
        select(InventoryUpdateTarget.association, InventoryUpdateTarget.manager_ref)
        .join(InventoryUpdate, InventoryUpdate.id == InventoryUpdateTarget.inventory_update_id)
        .where(
            InventoryUpdate.inventory_source_id == source_id,
            InventoryUpdate.collected_at > version,
            InventoryUpdate.purpose != "dry_run",
        )
    )
    return frozenset(Target.of(source_id, row.association, row.manager_ref) for row in rows)
