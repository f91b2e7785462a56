"""What a provider remembers of a source between two refreshes, believed only while nothing moved in between."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv import __version__
from craton_inv.models import Inventory, InventorySourceState
from craton_inv.providers.base import SourceDefinition

# What differs from run to run, or is told otherwise.
LEFT_OUT = frozenset({"update_id", "upload", "credentials"})


class SourceMemory:
    """One run's view. `state` is what the last one kept: empty when the source or the inventory changed since."""

    def __init__(self, definition: SourceDefinition, *options: object) -> None:
        self.source_id = definition.id
        self.inventory_id = definition.inventory_id
        told = [getattr(definition, each.name) for each in fields(definition) if each.name not in LEFT_OUT]
        self.definition = hashlib.sha256(repr((__version__, told, options)).encode()).hexdigest()
        self.state: Mapping[str, Any] = {}
        self._next: Mapping[str, Any] | None = None

    async def load(self, session: AsyncSession) -> None:
        """Read what is remembered, if it may be believed."""
        kept = await session.scalar(
            select(InventorySourceState.state)
            .join(Inventory, Inventory.generation == InventorySourceState.generation)
            .where(InventorySourceState.inventory_source_id == self.source_id, Inventory.id == self.inventory_id)
        )
        if kept is not None and kept.get("definition") == self.definition:
            self.state = kept["state"]

    def remember(self, state: Mapping[str, Any]) -> None:
        """What the provider wants to know next time; kept with the rows of this run, else what was kept stays."""
        self._next = dict(state)

    async def save(self, session: AsyncSession) -> None:
        """Keep it, in the transaction that saved the rows and after them."""
        if self._next is None:
            return
        generation = select(Inventory.generation).where(Inventory.id == self.inventory_id).scalar_subquery()
        values = {
            "generation": generation,
            "state": {"definition": self.definition, "state": self._next},
            "modified": func.now(),
        }
        made = insert(InventorySourceState).values(inventory_source_id=self.source_id, **values)
        await session.execute(
            made.on_conflict_do_update(index_elements=[InventorySourceState.inventory_source_id], set_=values)
        )
