"""When updates of a source collected: what refreshes compare to tell which of two is the later one."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import InventoryUpdate


async def now(session: AsyncSession) -> datetime:
    """The database's clock: those of workers differ."""
    moment: datetime = (await session.execute(select(func.clock_timestamp()))).scalar_one()
    return moment


async def collected_before(session: AsyncSession, source_id: int) -> tuple[datetime | None, datetime | None]:
    """When the newest saved update of a source began to collect, and the newest complete full one of them.

    One that failed may have saved a part; a dry run saves nothing.
    """
    wrote = func.coalesce(InventoryUpdate.options["dry_run"].astext, "false") == "false"
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
