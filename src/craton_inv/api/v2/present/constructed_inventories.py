"""Constructed inventories as /v2 shows them."""

from collections.abc import Sequence

from craton_inv import models
from craton_inv.api.v2.present.base import Viewer, summary_of
from craton_inv.api.v2.present.inventories import InventoryPresenter
from craton_inv.schemas.v2.constructed_inventories import ConstructedInventory
from craton_inv.services.constructed_inventories import sources_of
from craton_inv.services.constructed_sources import EDITABLE

OF_OTHER_KINDS = {"host_filter", "include_groups"}


class ConstructedInventoryPresenter:
    """One statement more than for inventories: their sources."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    async def one(self, row: models.Inventory) -> ConstructedInventory:
        """A constructed inventory."""
        return (await self.many([row]))[0]

    async def many(self, rows: Sequence[models.Inventory]) -> list[ConstructedInventory]:
        """Constructed inventories, in the order given."""
        shown = await InventoryPresenter(self.viewer).many(rows)
        sources = await sources_of(self.viewer.session, rows)
        return [
            ConstructedInventory(
                **{name: value for name, value in inventory if name not in OF_OTHER_KINDS},
                **summary_of(sources[inventory.id], *EDITABLE),
            )
            for inventory in shown
        ]
