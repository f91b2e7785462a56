"""Runs of sources in the database, and what they said."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from craton_inv.models import InventoryUpdate, InventoryUpdateEvent, InventoryUpdateTarget, ScheduleFire
from craton_inv.models.inventory_update import ACTIVE
from craton_inv.repositories.base import Order, Repository, Rows
from craton_inv.repositories.scope import Scope

# What only the detail of a run shows: long texts that a list of runs must not drag along.
DETAIL_ONLY = (
    InventoryUpdate.job_args,
    InventoryUpdate.job_cwd,
    InventoryUpdate.job_env,
    InventoryUpdate.result_traceback,
)


class InventoryUpdateRepository(Repository[InventoryUpdate]):
    """Runs of the caller's tenants."""

    model = InventoryUpdate
    label = "Inventory update"

    async def page(
        self,
        *,
        where: Sequence[ColumnElement[bool]] = (),
        order: Order = (),
        offset: int = 0,
        limit: int = 25,
        count: bool = True,
        searched: bool = False,
    ) -> Rows[InventoryUpdate]:
        """As every list, without the texts of `DETAIL_ONLY`; there are too few runs for `searched` to matter."""
        total = None
        if count:
            total = await self.session.scalar(
                select(func.count()).select_from(InventoryUpdate).where(self.scope.where(InventoryUpdate), *where)
            )
        query = self.visible().where(*where).order_by(*(order or (InventoryUpdate.id,)))
        query = query.options(*(defer(column, raiseload=True) for column in DETAIL_ONLY))
        rows: list[InventoryUpdate] = list(await self.session.scalars(query.offset(offset).limit(limit)))
        return Rows(rows, total)

    async def active_in(self, inventory_id: int, source_id: int | None = None) -> list[int]:
        """Ids of the runs of an inventory (or of one source) that wait or run."""
        query = select(InventoryUpdate.id).where(
            InventoryUpdate.inventory_id == inventory_id, InventoryUpdate.status.in_(ACTIVE)
        )
        if source_id is not None:
            query = query.where(InventoryUpdate.inventory_source_id == source_id)
        return list(await self.session.scalars(query.order_by(InventoryUpdate.id)))

    async def stdout(self, update: InventoryUpdate, limit: int | None) -> tuple[str, bool]:
        """All that the run said, in order, and whether it was cut at `limit` characters (None: no limit)."""
        own = InventoryUpdateEvent.inventory_update_id == update.id
        if limit is not None:
            size = await self.session.scalar(
                select(func.coalesce(func.sum(func.length(InventoryUpdateEvent.stdout)), 0)).where(own)
            )
            if size is not None and size > limit:
                return "", True
        texts = await self.session.scalars(
            select(InventoryUpdateEvent.stdout).where(own).order_by(InventoryUpdateEvent.counter)
        )
        # Nothing left out: line numbers are those of the events.
        return "\n".join(texts), False


class InventoryUpdateEventRepository(Repository[InventoryUpdateEvent]):
    """Events of one run that the caller got through `InventoryUpdateRepository`."""

    model = InventoryUpdateEvent
    label = "Inventory update event"

    def __init__(self, session: AsyncSession, scope: Scope, update: InventoryUpdate) -> None:
        super().__init__(session, scope)
        self.update = update

    def visible_condition(self) -> ColumnElement[bool]:
        """Those of the run; whoever sees it sees them."""
        return InventoryUpdateEvent.inventory_update_id == self.update.id


class InventoryUpdateTargetRepository(Repository[InventoryUpdateTarget]):
    """Targets of one run that the caller got through `InventoryUpdateRepository`."""

    model = InventoryUpdateTarget
    label = "Target"

    def __init__(self, session: AsyncSession, scope: Scope, update: InventoryUpdate) -> None:
        super().__init__(session, scope)
        self.update = update

    def visible_condition(self) -> ColumnElement[bool]:
        """Those of the run; whoever sees it sees them."""
        return InventoryUpdateTarget.inventory_update_id == self.update.id


def of_source(source_id: int) -> ColumnElement[bool]:
    """Runs of a source."""
    return InventoryUpdate.inventory_source_id == source_id


def of_schedule(schedule_id: int) -> ColumnElement[bool]:
    """Runs that a schedule started or joined."""
    fires = select(ScheduleFire.inventory_update_id).where(ScheduleFire.schedule_id == schedule_id)
    return InventoryUpdate.id.in_(fires)


def in_inventory(inventory_id: int) -> ColumnElement[bool]:
    """Runs of the sources of an inventory."""
    return InventoryUpdate.inventory_id == inventory_id
