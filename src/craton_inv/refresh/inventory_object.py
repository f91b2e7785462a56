"""One object that a parser built: the values it sent for a collection, links still lazy."""

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from craton_inv.refresh.inventory_collection import InventoryCollection


class InventoryObject(NamedTuple):
    """`values`: column to value or Reference. A column that is absent was not sent: the saver leaves it as it is."""

    collection: "InventoryCollection"
    values: dict[str, Any]
