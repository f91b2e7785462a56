"""Change sets in the database: noting them, reading them row by row, and letting old ones go."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer, undefer

from craton_inv.models import Group, Host, InventoryChange, InventoryChangePart, InventoryUpdate
from craton_inv.repositories.base import Order, Repository, Rows
from craton_inv.repositories.scope import Scope

COLUMNS = ("update_id", "collection", "action", "size", "row_ids", "parent_ids", "refs", "changes")
_NOTE = text(
    "SELECT set_config('craton_inv.change_set', :update_id, true), set_config('craton_inv.change_rows', :whole, true),"
    " set_config('craton_inv.expected_generation', :generation, true)"
)
_COPY = (
    "SELECT " + ", ".join(COLUMNS) + " FROM inventory_change_parts WHERE update_id = $1 ORDER BY id"  # noqa: S608
)


async def note_changes(
    session: AsyncSession, update_id: int, *, whole: bool = False, generation: int | None = None
) -> None:
    """Note what this transaction changes of inventories as the change set of an update.

    `whole`: created rows are kept in full, since they will not be there to look at. `generation`: what the
    inventory must be at; a write into one that has moved on raises a serialization failure.
    """
    expected = "" if generation is None else str(generation)
    await session.execute(_NOTE, {"update_id": str(update_id), "whole": "on" if whole else "", "generation": expected})


async def copy_out(session: AsyncSession, update_id: int, spool: Any) -> None:
    """Write the change set of an update to a binary file; memory is bounded by one part."""
    raw: Any = (await (await session.connection()).get_raw_connection()).driver_connection
    await raw.copy_from_query(_COPY, update_id, output=spool, format="binary")


async def copy_in(session: AsyncSession, spool: Any) -> None:
    """Store a change set that `copy_out` wrote."""
    raw: Any = (await (await session.connection()).get_raw_connection()).driver_connection
    await raw.copy_to_table("inventory_change_parts", source=spool, columns=list(COLUMNS), format="binary")


async def forget_changes(session: AsyncSession, days: float, parts: int) -> int:
    """Delete change sets older than `days`, at most so many parts of them. Returns how many went.

    Only the oldest parts are looked at: ids rise with time.
    """
    oldest = select(InventoryChangePart.id, InventoryChangePart.created).order_by(InventoryChangePart.id).limit(parts)
    rows = oldest.subquery()
    old = select(rows.c.id).where(rows.c.created < func.now() - timedelta(days=days))
    done = await session.execute(
        delete(InventoryChangePart).where(InventoryChangePart.id.in_(old)).execution_options(synchronize_session=False)
    )
    return int(getattr(done, "rowcount", 0))


class InventoryChangeRepository(Repository[InventoryChange]):
    """Changes of one run that the caller got through `InventoryUpdateRepository`."""

    model = InventoryChange
    label = "Change"

    def __init__(self, session: AsyncSession, scope: Scope, update: InventoryUpdate) -> None:
        super().__init__(session, scope)
        self.update = update

    def visible_condition(self) -> ColumnElement[bool]:
        """Those of the run; whoever sees it sees them."""
        return InventoryChange.update_id == self.update.id

    async def page(
        self,
        *,
        where: Sequence[ColumnElement[bool]] = (),
        order: Order = (),
        offset: int = 0,
        limit: int = 25,
        count: bool = True,
        searched: bool = False,
    ) -> Rows[InventoryChange]:
        """As every list. What changed is read of the page's rows alone: of the others it is not even unpacked.

        Without filters the parts tell the count, without being unpacked. `searched` makes no difference.
        """
        total = None
        if count and not where:
            own = InventoryChangePart.update_id == self.update.id
            counted = await self.session.scalar(select(func.sum(InventoryChangePart.size)).where(own))
            total = int(counted or 0)
        elif count:
            total = await self._count((self.visible_condition(), *where))
        query = self.visible().where(*where).order_by(*(order or (InventoryChange.id,)))
        query = query.options(defer(InventoryChange.changes, raiseload=True)).offset(offset).limit(limit)
        rows: list[InventoryChange] = [*await self.session.scalars(query)]
        await self._load_changes(rows)
        return Rows(rows, total)

    async def _load_changes(self, rows: Sequence[InventoryChange]) -> None:
        """What changed, of these rows: only their parts are unpacked."""
        if not rows:
            return
        query = (
            select(InventoryChange)
            .where(InventoryChange.part_id.in_({row.part_id for row in rows}))
            .where(InventoryChange.id.in_([row.id for row in rows]))
            .options(undefer(InventoryChange.changes))
            .execution_options(populate_existing=True)
        )
        await self.session.scalars(query)


async def names_of(session: AsyncSession, model: type[Host | Group], ids: Iterable[int]) -> dict[int, str]:
    """Names of hosts or groups by id; of those that are gone there is none."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    found = await session.execute(select(model.id, model.name).where(model.id.in_(wanted)))
    return {row.id: row.name for row in found}
