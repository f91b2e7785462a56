"""Which sources have to be updated before their inventory is used, and whether those updates are over.

Source: AWX's `update_on_launch` with `update_cache_timeout`. AWX updates such sources before a job; here what uses an
inventory is a constructed one, and whoever asks for what is due.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import InvalidFilter
from craton_inv.models import Host, InputInventory, Inventory, InventorySource, InventoryUpdate
from craton_inv.models.inventory_update import ACTIVE
from craton_inv.repositories import input_inventories
from craton_inv.repositories.sets import any_of
from craton_inv.services.smart_inventories import hosts_of

SUCCESSFUL, FULL, UPDATE = "successful", "full", "update"
NOT_DUE = "Not due: it is not updated on launch, or its last update is under way or recent enough."


async def due_sources(
    session: AsyncSession, inventory_ids: Collection[int], now: datetime | None = None
) -> list[InventorySource]:
    """Sources of these inventories that are due, by id; `now`: the database's clock when None.

    A source with `update_on_launch` is due unless its last update of the whole source is active, or ended well at most
    `update_cache_timeout` seconds ago. Updates of single objects, dry runs and what was applied of one do not count.
    """
    sources = [*await session.scalars(_on_launch(inventory_ids))]
    last = {row.inventory_source_id: row for row in await session.execute(_last([row.id for row in sources]))}
    moment = now or await session.scalar(select(func.clock_timestamp()))
    return [row for row in sources if _is_due(row, last.get(row.id), moment)]


async def due_inputs(session: AsyncSession, inventory_id: int, now: datetime | None = None) -> list[InventorySource]:
    """The due sources of all that a constructed inventory is put together from."""
    return await due_sources(session, await read_by(session, inventory_id), now)


async def read_by(session: AsyncSession, inventory_id: int) -> set[int]:
    """The inventories whose rows a constructed one reads: its inputs, and behind smart ones those of their hosts."""
    found: set[int] = set()
    for given in await input_inventories.inputs(session, inventory_id):
        if given.kind != "smart":
            found.add(given.id)
            continue
        # A stored search that no longer fits fails the update itself, with the reason.
        with suppress(InvalidFilter):
            behind = select(Host.inventory_id).where(hosts_of(given)).distinct().subquery()
            # Constructed ones are left out: two could wait for each other.
            query = select(Inventory.id).where(
                Inventory.id.in_(select(behind)), Inventory.kind != input_inventories.KIND
            )
            found.update(await session.scalars(query))
    return found


async def awaited(session: AsyncSession, update: InventoryUpdate) -> bool:
    """Whether an update of a constructed inventory still has to wait for one that was asked for before it.

    Later ones do not count: inputs that are updated all the time would let it wait for ever.
    """
    sources = _on_launch(await read_by(session, update.inventory_id)).with_only_columns(InventorySource.id)
    query = select(InventoryUpdate.id).where(
        InventoryUpdate.inventory_source_id.in_(sources.order_by(None)),
        InventoryUpdate.status.in_(ACTIVE),
        InventoryUpdate.purpose == UPDATE,
        InventoryUpdate.kind == FULL,
        InventoryUpdate.id < update.id,
    )
    return await session.scalar(query.limit(1)) is not None


async def failures(session: AsyncSession, update: InventoryUpdate) -> list[str]:
    """A line for each update that one of a constructed inventory waited for in vain."""
    rows = {row.id: row for row in await session.scalars(_on_launch(await read_by(session, update.inventory_id)))}
    ended = await session.execute(_last(rows, before=update.id))
    return [
        f'Update {last.id} of the input source "{rows[last.inventory_source_id].name}" ended as {last.status}; '
        "what its inventory holds already is used."
        for last in ended
        if last.status not in (SUCCESSFUL, *ACTIVE) and last.finished is not None and last.finished >= update.created
    ]


async def waiting_behind(session: AsyncSession, source: InventorySource) -> Sequence[InventoryUpdate]:
    """Updates of constructed inventories that may wait for this source."""
    if not source.update_on_launch or source.source == input_inventories.KIND:
        return []
    smart = select(Inventory.id).where(Inventory.tenant_id == source.tenant_id, Inventory.kind == "smart")
    given = InputInventory.input_inventory_id
    readers = select(InputInventory.inventory_id).where((given == source.inventory_id) | given.in_(smart))
    rows = await session.scalars(
        select(InventoryUpdate)
        .where(InventoryUpdate.inventory_id.in_(readers), InventoryUpdate.status == "waiting")
        .order_by(InventoryUpdate.id)
    )
    return rows.all()


def _on_launch(inventory_ids: Collection[int]) -> Select[Any]:
    return (
        select(InventorySource)
        .join(Inventory, Inventory.id == InventorySource.inventory_id)
        .where(
            any_of(InventorySource.inventory_id, set(inventory_ids)),
            InventorySource.update_on_launch,
            InventorySource.source != "",
            InventorySource.pending_deletion.is_(False),
            Inventory.pending_deletion.is_(False),
        )
        .order_by(InventorySource.id)
    )


def _last(source_ids: Collection[int], before: int | None = None) -> Any:
    """The last update of the whole source for each, only among those asked for before one."""
    query = (
        select(
            InventoryUpdate.id, InventoryUpdate.inventory_source_id, InventoryUpdate.status, InventoryUpdate.finished
        )
        .ext(distinct_on(InventoryUpdate.inventory_source_id))
        .where(
            any_of(InventoryUpdate.inventory_source_id, set(source_ids)),
            InventoryUpdate.kind == FULL,
            InventoryUpdate.purpose == UPDATE,
        )
        .order_by(InventoryUpdate.inventory_source_id, InventoryUpdate.id.desc())
    )
    return query if before is None else query.where(InventoryUpdate.id < before)


def _is_due(source: InventorySource, last: Any, now: Any) -> bool:
    if last is None:
        return True
    if last.status in ACTIVE:
        return False
    if last.status != SUCCESSFUL or last.finished is None:
        return True
    return bool(last.finished + timedelta(seconds=source.update_cache_timeout) <= now)
