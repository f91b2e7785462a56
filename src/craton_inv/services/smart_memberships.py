"""Asks stored searches about hosts, and makes the table of memberships say what they answer.

Whoever writes holds the tenant's lock (`smart_changes.lock_tenant`), taken after all rows that a writer locks.
"""

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import Select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util import LRUCache

from craton_inv.db.limits import within
from craton_inv.filters.refused import refused_by_database
from craton_inv.logs import get_logger
from craton_inv.models import Host
from craton_inv.repositories import smart_changes, smart_memberships
from craton_inv.repositories.smart_memberships import Difference, Stored
from craton_inv.services.stored_searches import condition_of, search_of

log = get_logger(__name__)
NONE = Difference(0, 0)
# Statements about fifty searches are half a megabyte as expressions and as much compiled: so many are kept, apart from
# the engine's own, which are kept by number too but are small.
STATEMENTS = 128
_compiled: LRUCache[Any, Any] = LRUCache(STATEMENTS)


async def renew(
    session: AsyncSession,
    tenant_id: int,
    stored: Iterable[Stored],
    names: Collection[str],
    keys: Collection[int],
    *,
    write: bool = True,
    last: bool = False,
) -> Difference:
    """Make the memberships in some smart inventories right for the hosts of these names.

    `keys`: ids that had such a name. Raises DBAPIError when the database refuses a search. Without `write` only the
    difference is told. With `last` the transaction's own noted changes of the tenant are seen to.
    """
    difference = NONE
    parts: dict[tuple[bool, bool], list[Stored]] = {}
    for each in stored:
        search = search_of(each.text)
        way = (True, False) if search is None else (search.upwards, search.condition is None)
        parts.setdefault(way, []).append(each)
    schema = str((await session.connection()).dialect.default_schema_name)
    values = {"tenant_id": tenant_id, "names": sorted(names), "keys": sorted(keys)}
    for (upwards, momentary), part in parts.items():
        make = _statement.__wrapped__ if momentary else _statement
        made = make(schema, write, last, upwards, tuple(part))
        row = (await session.execute(made, values, execution_options={"compiled_cache": _compiled})).one()
        difference = Difference(difference.added + row[0], difference.gone + row[1])
    return difference


@lru_cache(maxsize=STATEMENTS)
def _statement(schema: str, write: bool, last: bool, upwards: bool, stored: tuple[Stored, ...]) -> Select[Any]:
    """Made once for the same searches; one with a time relative to now is another at each moment."""
    conditions = {each.inventory_id: condition_of(each.text) for each in stored}
    if not upwards:
        return smart_memberships.renewal_at_large(conditions, write=write)
    searches = (search_of(each.text) for each in stored)
    tables = frozenset(table for search in searches if search is not None for table in search.reads.tables())
    made = smart_memberships.renewal(conditions, tables, schema, write=write)
    return made.add_cte(smart_changes.own_changes_ended()) if last else made


async def rebuild(session: AsyncSession, tenant_id: int, stored: Stored) -> Difference:
    """Make the memberships in one smart inventory right for all hosts. Raises DBAPIError as `renew`."""
    statement = smart_memberships.rebuilding(stored.inventory_id, tenant_id, condition_of(stored.text))
    return Difference(*(await session.execute(statement)).one())


async def renew_one_by_one(
    session: AsyncSession,
    tenant_id: int,
    stored: Iterable[Stored],
    names: Collection[str],
    keys: Collection[int],
    seconds: float,
) -> Difference:
    """As `renew`, each search by itself: one that the database refuses is told in the log and left out."""
    difference = NONE
    for each in stored:
        try:
            async with within(session, seconds):
                found = await renew(session, tenant_id, [each], names, keys)
        except DBAPIError as error:
            if refused_by_database(error, None) is None:
                raise
            log.warning("smart_inventory_skipped", inventory_id=each.inventory_id, error=str(error.orig))
        else:
            difference = Difference(difference.added + found.added, difference.gone + found.gone)
    return difference


async def refresh_host(session: AsyncSession, host: Host, *, kept: bool, seconds: float) -> None:
    """Bring the memberships of one host, and of those that bear its name, up to date before they are listed.

    `kept`: the writers keep them, so only searches that no change tells of are asked: those that look at the clock or
    at other memberships. Usually nothing differs; then nothing is written, nor locked.
    """
    stored = await smart_memberships.stored_searches(session, host.tenant_id)
    if kept:
        stored = [each for each in stored if not is_kept(each)]
    if not stored:
        return
    about = (host.tenant_id, stored, [host.name], [host.id])
    try:
        async with within(session, seconds):
            if await renew(session, *about, write=False) != NONE:
                await smart_changes.lock_tenant(session, host.tenant_id)
                await renew(session, *about)
    except IntegrityError as error:
        # An inventory went to another tenant between the search and the writing. What is listed was true just before.
        log.info("memberships_left_as_they_were", host_id=host.id, error=str(error.orig))
    except DBAPIError as error:
        if refused_by_database(error, None) is None:
            raise
        await smart_changes.lock_tenant(session, host.tenant_id)
        await renew_one_by_one(session, *about, seconds)


def is_kept(stored: Stored) -> bool:
    """Whether writers can keep the memberships of a search; one that is not valid has none, which is easily kept."""
    search = search_of(stored.text)
    return search is None or search.kept
