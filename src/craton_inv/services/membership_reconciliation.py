"""Compares the memberships of smart inventories with what their searches find now, and mends what differs."""

from typing import NamedTuple

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.limits import within
from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.filters.refused import refused_by_database
from craton_inv.logs import get_logger
from craton_inv.queue.jobs import enqueue
from craton_inv.repositories import smart_changes, smart_memberships
from craton_inv.repositories.smart_memberships import Difference, Stored
from craton_inv.services.membership_changes import work_off
from craton_inv.services.smart_memberships import NONE, is_kept, rebuild

log = get_logger(__name__)
TASK = "reconcile_smart_memberships"


class Found(NamedTuple):
    """A smart inventory whose memberships had to be mended, and what was wrong: rows missing, rows too many."""

    tenant_id: int
    inventory_id: int
    difference: Difference


class Report(NamedTuple):
    """What a reconciliation found.

    `checked`: smart inventories whose memberships are kept with each write. `renewed`: those that no change tells of,
    which are put together anew without blame. `skipped`: those that the database refused, or that took too long.
    """

    checked: int
    renewed: int
    skipped: int
    found: list[Found]
    strays: int


async def order_reconciliation(session: AsyncSession) -> int:
    """Have the worker reconcile; while one waits or runs, that one counts. Returns the job's id."""
    return await enqueue(session, TASK, {}, unique_key=TASK)


async def reconcile(factory: SessionFactory, seconds: float) -> Report:
    """Compare and mend all memberships, each smart inventory in a transaction of its own.

    Changes that wait are seen to first, so they are no difference. `seconds`: the longest that one search may take.
    """
    async with unit_of_work(factory) as session:
        await smart_changes.hand_to_tenants(session)
        tenants = await smart_memberships.tenants_with_searches(session)
    checked = renewed = skipped = 0
    found: list[Found] = []
    for tenant_id in tenants:
        async with unit_of_work(factory) as session:
            stored = await smart_memberships.stored_searches(session, tenant_id)
        for each in stored:
            difference = await _reconciled(factory, tenant_id, each.inventory_id, seconds)
            if difference is None:
                skipped += 1
            elif not is_kept(each):
                renewed += 1
            else:
                checked += 1
                if difference != NONE:
                    found.append(Found(tenant_id, each.inventory_id, difference))
                    log.warning(
                        "smart_memberships_mended",
                        tenant_id=tenant_id,
                        inventory_id=each.inventory_id,
                        missing=difference.added,
                        surplus=difference.gone,
                    )
    async with unit_of_work(factory) as session:
        strays = await smart_memberships.drop_strays(session)
    return Report(checked, renewed, skipped, found, strays)


async def _reconciled(factory: SessionFactory, tenant_id: int, inventory_id: int, seconds: float) -> Difference | None:
    while True:
        async with unit_of_work(factory) as session:
            # Nobody can commit a noted change of the tenant while it is locked: with none waiting, rows and
            # memberships must agree.
            await smart_changes.lock_tenant(session, tenant_id)
            if not await work_off(session, tenant_id, seconds):
                return await _mended(session, tenant_id, inventory_id, seconds)


async def _mended(session: AsyncSession, tenant_id: int, inventory_id: int, seconds: float) -> Difference | None:
    now = {each.inventory_id: each for each in await smart_memberships.stored_searches(session, tenant_id)}
    stored: Stored | None = now.get(inventory_id)
    if stored is None:
        return NONE  # deleted meanwhile
    try:
        async with within(session, seconds):
            return await rebuild(session, tenant_id, stored)
    except DBAPIError as error:
        if refused_by_database(error, None) is None:
            raise
        log.warning("smart_inventory_skipped", inventory_id=inventory_id, error=str(error.orig))
        return None
