"""Refusing to delete what running updates work on."""

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import Conflict
from craton_inv.repositories.inventory_updates import InventoryUpdateRepository
from craton_inv.repositories.scope import Scope


class Busy(Conflict):
    """Something works on the object now. `update_ids`: the inventory updates that wait or run."""

    code = "busy"

    def __init__(self, update_ids: list[int]) -> None:
        super().__init__("Resource is being used by running jobs.")
        self.update_ids = update_ids


async def refuse_while_updating(
    session: AsyncSession, scope: Scope, inventory_id: int, source_id: int | None = None
) -> None:
    """Raise Busy while an update of the inventory (or of one source of it) waits or runs."""
    active = await InventoryUpdateRepository(session, scope).active_in(inventory_id, source_id)
    if active:
        raise Busy(active)
