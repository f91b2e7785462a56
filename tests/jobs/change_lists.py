"""What tests ask about change sets."""

from collections import Counter

from sqlalchemy import select

from craton_inv.models import InventoryChange
from tests.jobs.updates import Updates


async def changes_of(updates: Updates, update_id: int) -> list[InventoryChange]:
    """The change set of an update, in order."""
    async with updates.world.factory() as session:
        rows = select(InventoryChange).where(InventoryChange.update_id == update_id).order_by(InventoryChange.id)
        return [*await session.scalars(rows)]


def counted(rows: list[InventoryChange]) -> dict[tuple[str, str], int]:
    """How many changes of each kind, by collection and action."""
    return dict(Counter((row.collection, row.action) for row in rows))
