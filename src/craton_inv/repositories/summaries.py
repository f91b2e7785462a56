"""What a page of rows says about their neighbours: each function is one statement for the whole page.

The rows given were read within the caller's scope, and their neighbours are of the same tenant.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import (
    Group,
    HostLabel,
    HostSource,
    Inventory,
    InventoryLabel,
    InventorySource,
    InventoryUpdate,
    Label,
    Membership,
    Tenant,
    User,
)
from craton_inv.repositories.sets import any_of

GROUPS_SHOWN = 5
LABELS_SHOWN = 10


@dataclass(frozen=True)
class InventorySummary:
    """An inventory as its hosts, groups and sources show it."""

    id: int
    name: str
    description: str
    kind: str
    tenant_id: int
    tenant_name: str


@dataclass
class Linked:
    """What is linked to a row, such as the groups of a host: how many, and the first by name as (id, name)."""

    count: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)

    def fields(self) -> dict[str, Any]:
        """As `summary_fields` shows it."""
        return {"count": self.count, "results": [{"id": row_id, "name": name} for row_id, name in self.first]}


def _ids(given: Iterable[int | None]) -> list[int]:
    return sorted({number for number in given if number is not None})


async def inventories(session: AsyncSession, ids: Iterable[int | None]) -> dict[int, InventorySummary]:
    """Inventories by id, with the name of their organization."""
    wanted = _ids(ids)
    if not wanted:
        return {}
    query = (
        select(
            Inventory.id,
            Inventory.name,
            Inventory.description,
            Inventory.kind,
            Inventory.tenant_id,
            Tenant.name.label("tenant_name"),
        )
        .join(Tenant, Tenant.id == Inventory.tenant_id)
        .where(any_of(Inventory.id, wanted))
    )
    return {row.id: InventorySummary(*row) for row in await session.execute(query)}


async def tenants(session: AsyncSession, ids: Iterable[int | None]) -> dict[int, Any]:
    """id, name and description of tenants."""
    return await _by_id(session, select(Tenant.id, Tenant.name, Tenant.description), Tenant.id, ids)


async def users(session: AsyncSession, ids: Iterable[int | None]) -> dict[int, Any]:
    """id, username, first_name and last_name of users."""
    query = select(User.id, User.username, User.first_name, User.last_name)
    return await _by_id(session, query, User.id, ids)


async def sources(session: AsyncSession, ids: Iterable[int | None]) -> dict[int, Any]:
    """id, name, source, status and last_updated of inventory sources."""
    source = InventorySource
    query = select(source.id, source.name, source.source, source.status, source.last_updated)
    return await _by_id(session, query, source.id, ids)


async def updates(session: AsyncSession, ids: Iterable[int | None]) -> dict[int, Any]:
    """id, name, description, status and finished of runs."""
    update = InventoryUpdate
    query = select(update.id, update.name, update.description, update.status, update.finished)
    return await _by_id(session, query, update.id, ids)


async def named(session: AsyncSession, model: Any, ids: Iterable[int | None]) -> dict[int, Any]:
    """id and name of rows of a model. No statement without an id."""
    return await _by_id(session, select(model.id, model.name), model.id, ids)


async def groups_of_hosts(session: AsyncSession, host_ids: Iterable[int]) -> dict[int, Linked]:
    """The direct groups of hosts, the first `GROUPS_SHOWN` of each by name."""
    join = Group.id == Membership.group_id
    return await _linked(session, Membership.host_id, Group, join, host_ids, shown=GROUPS_SHOWN)


async def labels_of_hosts(session: AsyncSession, host_ids: Iterable[int]) -> dict[int, Linked]:
    """The labels of hosts, the first `LABELS_SHOWN` of each by name."""
    join = Label.id == HostLabel.label_id
    return await _linked(session, HostLabel.host_id, Label, join, host_ids, shown=LABELS_SHOWN)


async def labels_of_inventories(session: AsyncSession, inventory_ids: Iterable[int]) -> dict[int, Linked]:
    """The labels of inventories, the first `LABELS_SHOWN` of each by name."""
    join = Label.id == InventoryLabel.label_id
    return await _linked(session, InventoryLabel.inventory_id, Label, join, inventory_ids, shown=LABELS_SHOWN)


async def _linked(
    session: AsyncSession, owner: Any, far: type[Group | Label], join: Any, owner_ids: Iterable[int], *, shown: int
) -> dict[int, Linked]:
    found: dict[int, Linked] = defaultdict(Linked)
    wanted = _ids(owner_ids)
    if not wanted:
        return found
    ranked = (
        select(
            owner.label("owner"),
            far.id,
            far.name,
            func.count().over(partition_by=owner).label("total"),
            func.row_number().over(partition_by=owner, order_by=(far.name, far.id)).label("place"),
        )
        .join(far, join)
        .where(any_of(owner, wanted))
        .subquery()
    )
    query = select(ranked).where(ranked.c.place <= shown).order_by(ranked.c.owner, ranked.c.place)
    for row in await session.execute(query):
        found[row.owner].count = row.total
        found[row.owner].first.append((row.id, row.name))
    return found


async def delivered_hosts(session: AsyncSession, host_ids: Iterable[int]) -> set[int]:
    """Those of the hosts that some source delivers."""
    query = select(HostSource.host_id).where(any_of(HostSource.host_id, _ids(host_ids))).distinct()
    return set(await session.scalars(query))


async def _by_id(session: AsyncSession, query: Any, key: Any, ids: Iterable[int | None]) -> dict[int, Any]:
    wanted = _ids(ids)
    if not wanted:
        return {}
    return {row.id: row for row in await session.execute(query.where(any_of(key, wanted)))}
