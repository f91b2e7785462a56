"""Getting the rows that bodies refer to, refused in AWX's words."""

from typing import Any

from craton_inv.errors import Forbidden, InvalidField
from craton_inv.repositories.base import Repository


async def referred(repository: Repository[Any], field: str, row_id: int) -> Any:
    """The row that a body's field names. Raises InvalidField when it is absent or not to be seen."""
    row = await repository.find(row_id)
    if row is None:
        raise InvalidField(field, f'Invalid pk "{row_id}" - object does not exist.', code="unknown_reference")
    return row


def keep_inventory(row: Any, body: Any, thing: str) -> None:
    """Raise Forbidden when the body names another inventory than the row's. `thing`: AWX's word for the row."""
    if "inventory" in body.model_fields_set and body.inventory != row.inventory_id:
        raise Forbidden(f"Unable to change inventory on a {thing}.", code="inventory.fixed")
