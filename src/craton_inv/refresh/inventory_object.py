"""One object that a parser built: the values it sent for a collection, links still lazy."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from craton_inv.refresh.inventory_collection import InventoryCollection


@dataclass(frozen=True, slots=True)
class InventoryObject:
    """`values`: column to value or Reference. A column that is absent was not sent: the saver leaves it as it is."""

    collection: "InventoryCollection"
    values: dict[str, Any]
