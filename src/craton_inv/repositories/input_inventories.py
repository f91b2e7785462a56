"""The inventories that constructed ones are put together from, in their order."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import InputInventory, Inventory, InventorySource
from craton_inv.repositories.sets import any_of

KIND = "constructed"


async def attach(session: AsyncSession, inventory: Inventory, given: Inventory) -> bool:
    """Put an inventory at the end of a constructed one's inputs; the caller has locked that one.

    False when it is one already.
    """
    end = select(func.coalesce(func.max(InputInventory.position), 0) + 1).where(
        InputInventory.inventory_id == inventory.id
    )
    added = await session.scalar(
        insert(InputInventory)
        .values(
            inventory_id=inventory.id,
            input_inventory_id=given.id,
            tenant_id=inventory.tenant_id,
            position=end.scalar_subquery(),
        )
        .on_conflict_do_nothing(index_elements=[InputInventory.inventory_id, InputInventory.input_inventory_id])
        .returning(InputInventory.input_inventory_id)
    )
    return added is not None


async def detach(session: AsyncSession, inventory: Inventory, given: Inventory) -> bool:
    """Take an inventory out of a constructed one's inputs; False when it is none."""
    removed = await session.scalar(
        delete(InputInventory)
        .where(InputInventory.inventory_id == inventory.id, InputInventory.input_inventory_id == given.id)
        .returning(InputInventory.input_inventory_id)
    )
    return removed is not None


async def inputs(session: AsyncSession, inventory_id: int) -> list[Inventory]:
    """The inputs of a constructed inventory in their order; those that are being deleted are none any more."""
    rows = await session.scalars(
        select(Inventory)
        .join(InputInventory, InputInventory.input_inventory_id == Inventory.id)
        .where(InputInventory.inventory_id == inventory_id, Inventory.pending_deletion.is_(False))
        .order_by(InputInventory.position)
    )
    return [*rows]


async def has_part(session: AsyncSession, inventory_id: int) -> bool:
    """Whether an inventory is put together from others, or is one that others are put together from."""
    part = or_(InputInventory.inventory_id == inventory_id, InputInventory.input_inventory_id == inventory_id)
    return bool(await session.scalar(select(select(InputInventory).where(part).exists())))


async def sources(session: AsyncSession, inventory_ids: Iterable[int]) -> dict[int, InventorySource]:
    """The one source of each constructed inventory, by the inventory's id: one statement."""
    rows = await session.scalars(
        select(InventorySource).where(
            InventorySource.source == KIND, any_of(InventorySource.inventory_id, set(inventory_ids))
        )
    )
    return {row.inventory_id: row for row in rows}


def inputs_of(inventory_id: int) -> ColumnElement[bool]:
    """Inventories that a constructed one is put together from."""
    return Inventory.id.in_(
        select(InputInventory.input_inventory_id).where(InputInventory.inventory_id == inventory_id)
    )


def order_in(inventory_id: int) -> tuple[Any, ...]:
    """The order of the inputs of a constructed inventory."""
    position = (
        select(InputInventory.position)
        .where(InputInventory.inventory_id == inventory_id, InputInventory.input_inventory_id == Inventory.id)
        .scalar_subquery()
    )
    return (position, Inventory.id)
