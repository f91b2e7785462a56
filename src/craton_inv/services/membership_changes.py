"""Memberships of smart inventories that follow changes: at once where few hosts are reached, else by a job.

Of two writers the second to get the tenant's lock sees what the first has committed, so the last one to look at a host
sees it as it stays: the table is exact once no change waits (decision 0012).
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import groupby

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.limits import within, within_at_the_end
from craton_inv.filters.refused import refused_by_database
from craton_inv.logs import get_logger
from craton_inv.queue.jobs import enqueue
from craton_inv.repositories import smart_changes, smart_memberships
from craton_inv.repositories.smart_changes import FEW, MANY_ROWS, Change
from craton_inv.repositories.smart_memberships import Stored
from craton_inv.services.smart_memberships import is_kept, rebuild, renew, renew_one_by_one
from craton_inv.services.stored_searches import search_of

log = get_logger(__name__)
TASK = "rebuild_smart_memberships"
CHUNK = 1000  # hosts that the job sees to in one transaction
NO_TENANT = 0  # as the argument of a job, whose arguments are integers
SPREAD = ("group", "inventory", "region")


def keep_memberships(seconds: float) -> Callable[[AsyncSession], Awaitable[None]]:
    """The hook of a unit of work that writes. `seconds`: the longest that a statement of it may take over searches."""

    async def before_commit(session: AsyncSession) -> None:
        changes = await smart_changes.own_changes(session)
        if len(changes) > MANY_ROWS:
            left = {*await smart_changes.own_tenants(session)}
        else:
            groups = groupby(changes, key=lambda change: change.tenant_id)
            left = {tenant_id for tenant_id, mine in groups if await _leaves(session, tenant_id, [*mine], seconds)}
        await order_rebuild(session, left)

    return before_commit


async def order_rebuild(session: AsyncSession, tenants: Iterable[int | None]) -> None:
    """Have the worker see to the waiting changes of tenants; None: to those of no tenant."""
    for tenant_id in sorted(tenant or NO_TENANT for tenant in tenants):
        await enqueue(session, TASK, {"tenant_id": tenant_id}, unique_key=f"{TASK}:{tenant_id}")


async def order_waiting(session: AsyncSession) -> None:
    """Have the worker see to all that waits, whoever left it: a command, a job that failed."""
    await order_rebuild(session, await smart_changes.tenants_with_changes(session))


async def _leaves(session: AsyncSession, tenant_id: int | None, changes: Sequence[Change], seconds: float) -> bool:
    """See to the transaction's changes of one tenant, unless they are many; whether something is left to the job."""
    if tenant_id is None or sum(change.size for change in changes) > FEW:
        return True
    stored = {each.inventory_id: each for each in await smart_memberships.stored_searches(session, tenant_id)}
    saved = _saved(changes)
    changes = [change for change in changes if change.kind != "smart"]
    asked = _asked((each for key, each in stored.items() if key not in saved), changes)
    changes = _telling(changes, asked)
    reached = await _reached(session, tenant_id, changes)
    if reached is None:
        return True
    near, at_large = _divided(asked)
    await smart_memberships.forget(session, saved - stored.keys())
    await smart_changes.note_searches(session, tenant_id, at_large)
    near = near if reached else []
    try:
        if saved or near:
            async with within_at_the_end(session, seconds):
                for inventory_id in sorted(saved & stored.keys()):
                    await rebuild(session, tenant_id, stored[inventory_id])
                if near:
                    await renew(session, tenant_id, near, reached, _keys(changes), last=True)
    except DBAPIError as error:
        # Somebody's search must not cost another one's write.
        if refused_by_database(error, None) is None:
            raise
        log.warning("memberships_left_to_job", tenant_id=tenant_id, error=str(error.orig))
        return True
    if not near:
        await smart_changes.end_own_changes(session, tenant_id)
    return bool(at_large)


async def _reached(session: AsyncSession, tenant_id: int, changes: Sequence[Change]) -> set[str] | None:
    """The names of the hosts that the changes reach; None when they are many, or all."""
    if any(change.kind == "tenant" for change in changes):
        return None
    names = _names(changes)
    reaching = [change for change in changes if change.kind in SPREAD]
    if reaching:
        names |= {*await smart_changes.names_reached(session, tenant_id, reaching, FEW + 1)}
    return names if len(names) <= FEW else None


async def work_off(session: AsyncSession, tenant_id: int, seconds: float) -> bool:
    """See to some of the waiting changes of a tenant in the transaction at hand; False when none wait.

    Changes that reach many hosts are spread over these first; then hosts in chunks; then whole smart inventories, one a
    call. `seconds`: the longest that one search may take; one that takes longer is told in the log and left as it is.
    """
    await smart_changes.lock_tenant(session, tenant_id)
    waiting = await smart_changes.waiting_changes(session, tenant_id, CHUNK)
    if not waiting:
        return False
    stored = {each.inventory_id: each for each in await smart_memberships.stored_searches(session, tenant_id)}
    changes = [change for change in waiting if change.kind != "smart"]
    if not changes:
        await _rebuild_one(session, tenant_id, min(_saved(waiting)), stored, seconds)
        return True
    asked = _asked(stored.values(), changes)
    telling = _telling(changes, asked)
    everywhere = [change for change in telling if change.kind == "tenant"]
    await smart_changes.note_searches(session, tenant_id, [each.inventory_id for each in _asked(asked, everywhere)])
    reaching = [change for change in telling if change.kind in SPREAD]
    if reaching:
        what = {name for change in reaching for name in change.what}
        await smart_changes.spread(session, tenant_id, reaching, what)
    hosts = [change for change in telling if change.kind == "host"]
    near, at_large = _divided(_asked(asked, hosts))
    if near:
        await _renew_patiently(session, tenant_id, near, hosts, seconds)
    await smart_changes.note_searches(session, tenant_id, at_large)
    await smart_changes.end_changes(session, changes)
    return True


async def _renew_patiently(
    session: AsyncSession, tenant_id: int, stored: Sequence[Stored], hosts: Sequence[Change], seconds: float
) -> None:
    about = (tenant_id, stored, _names(hosts), _keys(hosts))
    try:
        async with within(session, seconds):
            await renew(session, *about)
    except DBAPIError as error:
        if refused_by_database(error, None) is None:
            raise
        await renew_one_by_one(session, *about, seconds)


async def _rebuild_one(
    session: AsyncSession, tenant_id: int, inventory_id: int, stored: dict[int, Stored], seconds: float
) -> None:
    if inventory_id not in stored:
        await smart_memberships.forget(session, {inventory_id})
    else:
        try:
            async with within(session, seconds):
                await rebuild(session, tenant_id, stored[inventory_id])
        except DBAPIError as error:
            if refused_by_database(error, None) is None:
                raise
            log.warning("smart_inventory_skipped", inventory_id=inventory_id, error=str(error.orig))
    await smart_changes.end_search(session, inventory_id)


def _saved(changes: Iterable[Change]) -> set[int]:
    """The smart inventories that are new, other than before, or gone."""
    return {key for change in changes if change.kind == "smart" for key in change.keys}


def _asked(stored: Iterable[Stored], changes: Iterable[Change]) -> list[Stored]:
    """The searches that look at what has changed, and whose memberships follow changes."""
    what = {name for change in changes for name in change.what}
    return [each for each in stored if is_kept(each) and _looks_at(each, what)]


def _telling(changes: Iterable[Change], stored: Sequence[Stored]) -> list[Change]:
    """The changes that one of the searches looks at."""
    return [change for change in changes if any(_looks_at(each, change.what) for each in stored)]


def _looks_at(stored: Stored, what: Iterable[str]) -> bool:
    search = search_of(stored.text)
    return search is not None and search.looks_at(what)


def _divided(stored: Iterable[Stored]) -> tuple[list[Stored], list[int]]:
    """The searches that can be asked about few hosts, and the inventories of those that cannot."""
    near, at_large = [], []
    for each in stored:
        search = search_of(each.text)
        if search is not None and search.upwards:
            near.append(each)
        else:
            at_large.append(each.inventory_id)
    return near, at_large


def _names(changes: Iterable[Change]) -> set[str]:
    return {name for change in changes for name in change.names}


def _keys(changes: Iterable[Change]) -> set[int]:
    """The hosts named by their ids."""
    return {key for change in changes if change.kind == "host" for key in change.keys}
