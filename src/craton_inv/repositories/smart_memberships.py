"""Memberships of smart inventories in the database: who is a member now, and the table made to say so.

Searches are asked about the changed hosts alone. Their conditions name tables; in these statements the names of tables
that hold rows of hosts stand for common table expressions with the rows of the changed hosts (and what these can
reach), so that a regular expression or a `not` costs what few hosts cost, however many there are.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    MetaData,
    Select,
    Table,
    Text,
    any_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, array

from craton_inv.models import Base, Host, Inventory
from craton_inv.models import SmartInventoryMembership as Member
from craton_inv.repositories.sets import any_of
from craton_inv.repositories.smart_changes import Session

_TABLE: Any = Member.__table__
Searches = Mapping[int, ColumnElement[bool]]


class Stored(NamedTuple):
    """A smart inventory's search as stored."""

    inventory_id: int
    text: str


class Difference(NamedTuple):
    """How many memberships were added and taken away, or would be."""

    added: int
    gone: int


async def stored_searches(session: Session, tenant_id: int) -> list[Stored]:
    """The searches of a tenant's smart inventories, but for those that are being deleted."""
    query = (
        select(Inventory.id, Inventory.host_filter)
        .where(Inventory.tenant_id == tenant_id, _is_smart())
        .order_by(Inventory.id)
    )
    return [Stored(inventory_id, text or "") for inventory_id, text in await session.execute(query)]


def of_host(host: Host) -> ColumnElement[bool]:
    """The smart inventories that a host is a member of, as the table says; those of another tenant never."""
    member = select(Member.inventory_id).where(Member.host_id == host.id)
    return Inventory.id.in_(member) & _is_smart() & (Inventory.tenant_id == host.tenant_id)


def renewal(searches: Searches, tables: Collection[str], schema: str, *, write: bool = True) -> Select[Any]:
    """A statement that makes the table say which hosts of some names the searches find; it selects a Difference.

    Its parameters are `tenant_id`, `names`, and `keys`: ids of hosts that had such a name. `tables`: what the searches
    look at. Of equal names the host with the lowest id is the member. `schema` is where the tables are.
    """
    near = _Near(schema)
    return _renewal(searches, near.hosts, [*near.shadows(tables)], write=write)


def renewal_at_large(searches: Searches, *, write: bool = True) -> Select[Any]:
    """The same for searches that look at other hosts than those they find."""
    hosts = select(Host.id).where(_named(Host)).cte("named")
    return _renewal(searches, hosts, (), write=write, only=Host.id.in_(select(hosts.c.id)))


def rebuilding(inventory_id: int, tenant_id: int, condition: ColumnElement[bool]) -> Select[Any]:
    """A statement that makes the table say which hosts of the tenant a search finds; it selects a Difference."""
    wanted = (
        select(literal(inventory_id, BigInteger()).label("inventory_id"), func.min(Host.id).label("host_id"))
        .where(Host.tenant_id == tenant_id, condition)
        .group_by(Host.name)
        .cte("wanted")
    )
    return _difference(wanted, Member.inventory_id == inventory_id, write=True)


async def forget(session: Session, inventory_ids: Collection[int]) -> None:
    """Drop the memberships in smart inventories that are gone, or are going."""
    there = exists().where(Inventory.id == Member.inventory_id, _is_smart())
    if inventory_ids:
        await session.execute(delete(_TABLE).where(any_of(Member.inventory_id, inventory_ids), ~there))


async def drop_strays(session: Session) -> int:
    """Drop memberships whose host or smart inventory is gone, or of another tenant. Returns how many.

    Rows that somebody else is writing are left to them, which keeps this out of everybody's way.
    """
    right = exists().where(
        Inventory.id == Member.inventory_id,
        _is_smart(),
        Host.id == Member.host_id,
        Host.tenant_id == Inventory.tenant_id,
    )
    strays = select(Member.inventory_id, Member.host_id).where(~right).with_for_update(skip_locked=True)
    gone = delete(_TABLE).where(tuple_(Member.inventory_id, Member.host_id).in_(strays)).returning(Member.host_id)
    return len((await session.execute(gone)).all())


async def tenants_with_searches(session: Session) -> list[int]:
    """The tenants that have smart inventories."""
    query = select(Inventory.tenant_id).where(_is_smart()).distinct().order_by(Inventory.tenant_id)
    return [*(await session.execute(query)).scalars()]


def _is_smart() -> ColumnElement[bool]:
    return (Inventory.kind == "smart") & ~Inventory.pending_deletion


def _named(hosts: Any) -> ColumnElement[bool]:
    mine: ColumnElement[bool] = hosts.tenant_id == bindparam("tenant_id", type_=BigInteger)
    named: ColumnElement[bool] = hosts.name == any_(bindparam("names", type_=ARRAY(Text)))
    return mine & named


def _renewal(
    searches: Searches, hosts: CTE, shadows: Iterable[CTE], *, write: bool, only: ColumnElement[bool] | None = None
) -> Select[Any]:
    matched: list[Any] = [case((condition, literal(key, BigInteger()))) for key, condition in searches.items()]
    found = select(Host.id, Host.name, func.unnest(array(matched, type_=BigInteger)).label("inventory_id"))
    each = found.where(*(() if only is None else (only,))).cte("found")
    wanted = (
        select(each.c.inventory_id, func.min(each.c.id).label("host_id"))
        .where(each.c.inventory_id.is_not(None))
        .group_by(each.c.inventory_id, each.c.name)
        .cte("wanted")
    )
    keys = bindparam("keys", type_=ARRAY(BigInteger))
    touched = func.array_cat(func.array(select(hosts.c.id).scalar_subquery(), type_=ARRAY(BigInteger)), keys)
    where = any_of(Member.inventory_id, searches) & (Member.host_id == any_(touched))
    return _difference(wanted, where, write=write).add_cte(*shadows)


def _difference(wanted: CTE, where: ColumnElement[bool], *, write: bool) -> Select[Any]:
    same = (wanted.c.inventory_id == Member.inventory_id) & (wanted.c.host_id == Member.host_id)
    stale = where & ~exists().where(same)
    missing = select(wanted.c.inventory_id, wanted.c.host_id).where(~exists().where(same))
    if write:
        gone = delete(_TABLE).where(stale).returning(Member.host_id).cte("gone")
        added = insert(_TABLE).from_select(["inventory_id", "host_id"], missing).returning(Member.host_id).cte("added")
    else:
        gone, added = select(Member.host_id).where(stale).cte("gone"), missing.cte("added")
    counts = [select(func.count()).select_from(rows).scalar_subquery() for rows in (added, gone)]
    return select(*counts)


class _Near:
    """Common table expressions in the place of tables: the changed hosts, and all that they can reach.

    The tables themselves are named with their schema: without it the names would mean the expressions.
    """

    def __init__(self, schema: str) -> None:
        self._schema = schema
        hosts = self._real("hosts")
        self.hosts = _cte(select(hosts).where(_named(hosts.c)), "hosts")

    def shadows(self, tables: Collection[str]) -> Iterable[CTE]:
        """Those of the tables that are worth it, in an order in which each knows what it needs."""
        ids = select(self.hosts.c.id)
        yield self.hosts
        for name in ("host_facts", "host_labels"):
            if name in tables:
                yield self._where(name, "host_id", ids)
        sources = self._where("host_sources", "host_id", ids)
        members = self._where("memberships", "host_id", ids)
        inventories = select(self.hosts.c.inventory_id)
        if "host_sources" in tables:
            yield sources
        if "inventory_sources" in tables:
            real = self._real("inventory_sources")
            delivering = select(sources.c.inventory_source_id)
            where = or_(real.c.inventory_id.in_(inventories), real.c.id.in_(delivering))
            yield _cte(select(real).where(where), "inventory_sources")
        if "inventories" in tables:
            yield self._where("inventories", "id", inventories)
        if "regions" in tables:
            yield self._where("regions", "id", select(self.hosts.c.region_id))
        if "memberships" in tables:
            yield members
        if not {"groups", "group_edges"}.isdisjoint(tables):
            edges = self._real("group_edges")
            over = select(members.c.group_id.label("id")).cte("groups_over", recursive=True)
            over = over.union(select(edges.c.parent_id).join(over, edges.c.child_id == over.c.id))
            yield self._where("groups", "id", select(over.c.id))
            yield self._where("group_edges", "child_id", select(over.c.id))

    def _real(self, name: str) -> Table:
        return _in_schema(name, self._schema)

    def _where(self, name: str, column: str, ids: Any) -> CTE:
        real = self._real(name)
        return _cte(select(real).where(real.c[column].in_(ids)), name)


def _cte(query: Select[Any], name: str) -> CTE:
    return query.cte(name).prefix_with("MATERIALIZED", dialect="postgresql")


@lru_cache
def _in_schema(name: str, schema: str) -> Table:
    """A table named with its schema."""
    return Base.metadata.tables[name].to_metadata(MetaData(), schema)
