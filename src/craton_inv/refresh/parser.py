"""Parsers: pure functions from what a collector yields to inventory objects with lazy links."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator

from craton_inv.refresh.inventory_object import InventoryObject


class Parser(ABC):
    """Base of parsers: no call to the outside, no look into the database, links by `lazy_find` alone."""

    @abstractmethod
    def parse(self) -> AsyncIterator[InventoryObject]:
        """Yield every inventory object, in any order; a repeated identity is reported and the last one wins."""
