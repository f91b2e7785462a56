"""Constructed inventories: put together by Ansible from others of their organization; what they take and from whom."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import BadRequest
from craton_inv.models import Inventory, InventorySource, Tenant
from craton_inv.repositories import input_inventories
from craton_inv.repositories.activity import record
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.repositories.scope import Scope
from craton_inv.services.constructed_sources import EDITABLE
from craton_inv.services.inventories import CONSTRUCTED, change_inventory, create_inventory
from craton_inv.services.inventory_sources import change_source
from craton_inv.settings import Settings


async def create_constructed(
    session: AsyncSession, scope: Scope, settings: Settings, tenant: Tenant, values: Mapping[str, Any]
) -> Inventory:
    """Make one with its source. `values`: columns of the inventory, and EDITABLE ones of the source (None: not given).

    Raises as `create_inventory` and `change_source`.
    """
    own, passed_on = _split(values)
    inventory = await create_inventory(session, scope, tenant, {**own, "kind": CONSTRUCTED})
    await _change_source(session, scope, settings, inventory, passed_on)
    return inventory


async def change_constructed(
    session: AsyncSession, scope: Scope, settings: Settings, inventory: Inventory, values: Mapping[str, Any]
) -> Inventory:
    """Change one got with `lock=True`, and its source; `values` as above. Raises as `change_inventory`."""
    own, passed_on = _split(values)
    await change_inventory(session, scope, inventory, {**own, "kind": CONSTRUCTED})
    await _change_source(session, scope, settings, inventory, passed_on)
    return inventory


async def sources_of(session: AsyncSession, inventories: Sequence[Inventory]) -> dict[int, InventorySource]:
    """The source of each constructed one among these, by the inventory's id."""
    ids = [inventory.id for inventory in inventories if inventory.kind == CONSTRUCTED]
    return await input_inventories.sources(session, ids) if ids else {}


async def attach_input(session: AsyncSession, scope: Scope, inventory: Inventory, given: Inventory) -> None:
    """Add an input at the end, to an inventory got with `lock=True`. Raises BadRequest for what cannot be one.

    A smart inventory can: its hosts of the moment go in, without groups.
    """
    _authorize(session, scope, inventory)
    if given.kind == CONSTRUCTED:
        raise BadRequest("You cannot add a constructed inventory to another constructed inventory.", key="error")
    if given.tenant_id != inventory.tenant_id:
        raise BadRequest("An input inventory must be of the constructed inventory's own organization.", key="error")
    if given.pending_deletion:
        raise BadRequest("The input inventory is being deleted.", key="error")
    if await input_inventories.attach(session, inventory, given):
        await record(session, "associate", inventory, given)


async def detach_input(session: AsyncSession, scope: Scope, inventory: Inventory, given: Inventory) -> None:
    """Take an input away; its hosts leave with the next update."""
    _authorize(session, scope, inventory)
    if await input_inventories.detach(session, inventory, given):
        await record(session, "disassociate", inventory, given)


def _authorize(session: AsyncSession, scope: Scope, inventory: Inventory) -> None:
    InventoryRepository(session, scope).authorize(inventory)
    if inventory.kind != CONSTRUCTED:
        raise BadRequest("Only a constructed inventory has input inventories.", key="error")


def _split(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    own = {name: value for name, value in values.items() if name not in EDITABLE}
    return own, {name: values[name] for name in EDITABLE if values.get(name) is not None}


async def _change_source(
    session: AsyncSession, scope: Scope, settings: Settings, inventory: Inventory, values: Mapping[str, Any]
) -> None:
    if values:
        found = (await input_inventories.sources(session, [inventory.id]))[inventory.id]
        row = await InventorySourceRepository(session, scope).get(found.id, lock=True)
        await change_source(session, scope, settings, row, values)
