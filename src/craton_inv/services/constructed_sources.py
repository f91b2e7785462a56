"""The one source of a constructed inventory: made with it, gone with it, and fixed but for what its plugin takes."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import BadRequest, InvalidField
from craton_inv.models import Inventory, InventorySource
from craton_inv.repositories.input_inventories import KIND
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.repositories.scope import Scope

EDITABLE = ("source_vars", "update_cache_timeout", "limit", "verbosity")
NAME_LENGTH = 512
# What a body calls differently from the column.
COLUMNS = {"credential": "credential_id", "source_project": "source_project_id"}


async def make_source(session: AsyncSession, scope: Scope, inventory: Inventory) -> InventorySource:
    """Make the source of a new constructed inventory. Source: AWX."""
    row = InventorySource(
        inventory_id=inventory.id, tenant_id=inventory.tenant_id, source=KIND, source_path="", source_vars="",
        scm_branch="", enabled_var="", enabled_value="", host_filter="", limit="", verbosity=1,
        name=f"Auto-created source for: {inventory.name}"[:NAME_LENGTH],
        overwrite=True, overwrite_vars=True, update_on_launch=True,
    )  # fmt: skip
    return await InventorySourceRepository(session, scope).add(row)


def refuse_by_hand(row: InventorySource, values: Mapping[str, Any]) -> None:
    """Raise InvalidField for a change that only the service makes: of what is fixed, or to a source of this kind."""
    if row.source == KIND:
        for name, value in values.items():
            if name not in EDITABLE and value != getattr(row, COLUMNS.get(name, name)):
                raise InvalidField("error", f"Cannot change field '{name}' on a constructed inventory source.")
    elif values.get("source") == KIND:
        raise InvalidField("error", "constructed not a valid source for inventory")


def refuse_deletion(row: InventorySource) -> None:
    """Raise BadRequest for the source of a constructed inventory: without it the inventory could never be updated."""
    if row.source == KIND:
        raise BadRequest("The source of a constructed inventory is deleted with its inventory.", key="error")
