"""Changes that memberships of smart inventories may depend on: taken, spread over the hosts they reach, and ended."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import CTE, BigInteger, Text, bindparam, case, cast, delete, exists, func, insert, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from craton_inv.models import GroupEdge, Host, Membership, Tenant
from craton_inv.models import SmartMembershipChange as Row
from craton_inv.repositories.sets import any_of

FEW = 100  # hosts whose memberships a write brings up to date itself
MANY_ROWS = 2 * FEW
CHUNK = 500  # hosts in one row that stands for many
Session = AsyncSession | AsyncConnection
_TABLE: Any = Row.__table__  # written to as rows, which no session holds as objects


class Change(NamedTuple):
    """A noted change. `size`: how many keys it has; keys and names of large ones are left out."""

    id: int
    tenant_id: int | None
    kind: str
    keys: list[int]
    names: list[str]
    what: list[str]
    size: int


def _key(tenant_id: Any) -> Any:
    """The advisory lock under which memberships of a tenant are written; null for no tenant."""
    return func.hashtextextended(literal("smart_memberships:", Text) + cast(tenant_id, Text), 0)


_COLUMNS = (Row.id, Row.tenant_id, Row.kind, Row.keys, Row.names, Row.what, func.cardinality(Row.keys))
_IS_OWN = Row.transaction == cast(cast(func.pg_current_xact_id_if_assigned(), Text), BigInteger)
_small = func.cardinality(Row.keys) <= FEW
_OWN = (
    select(
        Row.id,
        Row.tenant_id,
        Row.kind,
        case((_small, Row.keys), else_=[]),
        case((_small, Row.names), else_=[]),
        Row.what,
        func.cardinality(Row.keys),
        # Taken last, after all rows that this transaction locks, tenant by tenant in their order.
        func.pg_advisory_xact_lock(_key(Row.tenant_id)),
    )
    .where(_IS_OWN)
    .order_by(Row.tenant_id, Row.id)
    .limit(MANY_ROWS + 1)
)

_END_OWN = delete(_TABLE).where(_IS_OWN, Row.tenant_id == bindparam("tenant_id", type_=BigInteger))


async def own_changes(session: Session) -> list[Change]:
    """What the transaction at hand has changed, at most MANY_ROWS + 1; their tenants are locked until it ends.

    A statement after this one sees what every earlier holder of the lock has committed.
    """
    return [Change(*row[:7]) for row in await session.execute(_OWN)]


async def own_tenants(session: Session) -> list[int | None]:
    """All tenants whose changes are the transaction's own; they are locked until it ends."""
    tenants = select(Row.tenant_id).where(_IS_OWN).distinct().order_by(Row.tenant_id).subquery()
    locked = select(tenants.c.tenant_id, func.pg_advisory_xact_lock(_key(tenants.c.tenant_id)))
    return [row[0] for row in await session.execute(locked)]


async def lock_tenant(session: Session, tenant_id: int) -> None:
    """Nobody else writes memberships of the tenant, or commits a noted change of it, until the transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(_key(literal(tenant_id, BigInteger())))))


async def end_own_changes(session: Session, tenant_id: int) -> None:
    """The transaction's changes of a tenant are seen to."""
    await session.execute(_END_OWN, {"tenant_id": tenant_id})


def own_changes_ended() -> CTE:
    """The same as a part of another statement, whose parameter `tenant_id` it shares."""
    return _END_OWN.returning(_TABLE.c.id).cte("ended")


async def tenants_with_changes(session: Session) -> list[int | None]:
    """The tenants that committed changes wait for; None when there are some of no tenant."""
    return [*await session.scalars(select(Row.tenant_id).distinct().order_by(Row.tenant_id))]


async def waiting_changes(session: Session, tenant_id: int, hosts: int) -> list[Change]:
    """The oldest changes of a tenant, about as many as speak of `hosts` hosts; keys and names are all there."""
    rows = (
        select(Row.id, func.sum(func.cardinality(Row.keys)).over(order_by=Row.id).label("total"))
        .where(Row.tenant_id == tenant_id)
        .order_by(Row.id)
        .limit(hosts)
        .subquery()
    )
    first = select(func.min(rows.c.id)).scalar_subquery()
    wanted = select(rows.c.id).where(or_(rows.c.total <= hosts, rows.c.id == first))
    found = await session.execute(select(*_COLUMNS).where(Row.id.in_(wanted)).order_by(Row.id))
    return [Change(*row) for row in found]


async def end_changes(session: Session, changes: Iterable[Change]) -> None:
    """These changes are seen to."""
    await session.execute(delete(_TABLE).where(any_of(Row.id, [change.id for change in changes])))


async def has_changes(session: Session, tenant_id: int) -> bool:
    """Whether committed changes of a tenant wait."""
    return await session.scalar(select(Row.id).where(Row.tenant_id == tenant_id).limit(1)) is not None


async def names_reached(
    session: Session, tenant_id: int, changes: Sequence[Change], limit: int | None = None
) -> list[str]:
    """The names of the hosts that changed groups, inventories and regions reach, at most `limit`."""
    query = _reached(tenant_id, changes).with_only_columns(Host.name).distinct().limit(limit)
    return [*await session.scalars(query)]


async def spread(session: Session, tenant_id: int, changes: Sequence[Change], what: Collection[str]) -> None:
    """Note the hosts that changed groups, inventories and regions reach, in chunks, in the place of those."""
    hosts = _reached(tenant_id, changes).with_only_columns(
        Host.id, Host.name, ((func.row_number().over(order_by=Host.id) - 1) / CHUNK).label("part")
    )
    parts = hosts.subquery()
    chunk = select(
        literal(None, BigInteger()),
        literal(tenant_id, BigInteger()),
        literal("host"),
        func.array_agg(parts.c.id),
        func.array_agg(cast(parts.c.name, Text)),
        literal(sorted(what), ARRAY(Text)),
    ).group_by(parts.c.part)
    await session.execute(insert(_TABLE).from_select(_WRITTEN, chunk))


_WRITTEN = ["transaction", "tenant_id", "kind", "keys", "names", "what"]


def _reached(tenant_id: int, changes: Sequence[Change]) -> Any:
    keys: dict[str, set[int]] = {"group": set(), "inventory": set(), "region": set()}
    for change in changes:
        keys[change.kind].update(change.keys)
    roots = select(func.unnest(literal(sorted(keys["group"]), ARRAY(BigInteger))).label("id"))
    below = roots.cte("below", recursive=True)
    below = below.union(select(GroupEdge.child_id).join(below, GroupEdge.parent_id == below.c.id))
    members = select(Membership.host_id).where(Membership.group_id.in_(select(below.c.id)))
    ways = {
        "group": Host.id.in_(members),
        "inventory": any_of(Host.inventory_id, sorted(keys["inventory"])),
        "region": any_of(Host.region_id, sorted(keys["region"])),
    }
    return select(Host.id).where(Host.tenant_id == tenant_id, or_(*(ways[kind] for kind, ids in keys.items() if ids)))


async def note_searches(session: Session, tenant_id: int, inventory_ids: Collection[int]) -> None:
    """Have smart inventories put together anew, as a whole. The tenant is locked, so nobody is at a note of before."""
    wanted = func.unnest(literal(sorted(inventory_ids), ARRAY(BigInteger))).column_valued("wanted")
    noted = exists().where(
        Row.tenant_id == tenant_id, Row.transaction.is_(None), Row.kind == "smart", Row.keys == array([wanted])
    )
    rows = select(
        literal(None, BigInteger()),
        literal(tenant_id, BigInteger()),
        literal("smart"),
        array([wanted]),
        literal([], ARRAY(Text)),
        literal([], ARRAY(Text)),
    ).where(~noted)
    if inventory_ids:
        await session.execute(insert(_TABLE).from_select(_WRITTEN, rows))


async def end_search(session: Session, inventory_id: int) -> None:
    """A smart inventory was put together anew: all that asked for it is seen to."""
    await session.execute(
        delete(_TABLE).where(Row.kind == "smart", Row.keys == literal([inventory_id], ARRAY(BigInteger)))
    )


async def hand_to_tenants(session: Session) -> list[int]:
    """Note changes of no tenant for every tenant there is. Returns the tenants, none when nothing waited."""
    columns = (Row.kind, Row.keys, Row.names, Row.what)
    taken = delete(_TABLE).where(Row.tenant_id.is_(None)).returning(*columns).cte("taken")
    rows = select(
        literal(None, BigInteger()), Tenant.id, taken.c.kind, taken.c["keys"], taken.c.names, taken.c.what
    ).join_from(taken, Tenant, literal(True))
    statement = insert(_TABLE).from_select(_WRITTEN, rows).returning(Row.tenant_id)
    return sorted({tenant_id for tenant_id in await session.scalars(statement) if tenant_id is not None})
