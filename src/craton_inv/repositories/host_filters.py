"""What the database says about the terms of a filter: how it would look for each, how many hosts each matches."""

import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy import BigInteger, ClauseElement, ColumnElement, Executable, Select, func, literal, select, union_all
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from craton_inv.db.limits import within
from craton_inv.errors import ServiceUnavailable
from craton_inv.filters.nodes import Node
from craton_inv.filters.refused import refused_by_database
from craton_inv.models import Host
from craton_inv.repositories.scope import Scope

Key = TypeVar("Key", bound=Hashable)
# Less is not worth a statement.
LEAST_S = 0.01
_CONSTANT = re.compile(r"\(?'?(\d+)'?(?:::bigint)?\)?")


class Budget:
    """Seconds that statements may take: `each` of them, and all of them together."""

    def __init__(self, each: float, together: float) -> None:
        self.each = each
        self._ends = monotonic() + together

    def share(self, part: float = 1.0) -> float:
        """Seconds for the next statement, or for a `part` of what one may take; 0 when all are spent."""
        left = min(self.each * part, self._ends - monotonic())
        return left if left >= LEAST_S else 0.0


@dataclass(frozen=True)
class Plan:
    """How PostgreSQL would look for something: the indexes it reads, the tables it reads whole, its estimate."""

    indexes: tuple[str, ...]
    scans: tuple[str, ...]
    cost: float


class _Explained(Executable, ClauseElement):
    """EXPLAIN of a statement, with the statement's own parameters."""

    inherit_cache = False

    def __init__(self, statement: Any) -> None:
        self.statement = statement


@compiles(_Explained)
def _explained(element: _Explained, compiler: SQLCompiler, **kw: Any) -> str:
    return "EXPLAIN (VERBOSE, FORMAT JSON) " + compiler.process(element.statement, **kw)


class HostFilterRepository:
    """Conditions on hosts, asked within the caller's scope and, with `among`, of some hosts only.

    `asked`: all that people wrote of it, for what the database refuses. Every method raises InvalidFilter for a regular
    expression there that PostgreSQL does not take.
    """

    def __init__(self, session: AsyncSession, scope: Scope, asked: Node, *among: ColumnElement[bool]) -> None:
        self.session = session
        self.asked = asked
        self.hosts = (scope.where(Host), *among)

    async def plans(self, searches: Mapping[Key, ColumnElement[bool]], seconds: float) -> dict[Key, Plan]:
        """The plan of each search, all in one statement. Raises ServiceUnavailable when that takes longer."""
        keys = list(searches)
        statement = union_all(*self._counts(enumerate(searches.values())))
        [[document]] = await self._limited(_Explained(statement), seconds)
        return {keys[number]: plan for number, plan in read_plans(document).items()}

    async def counts(self, searches: Mapping[Key, ColumnElement[bool]], budget: Budget) -> dict[Key, int | None]:
        """The number of hosts per search, None where the budget did not suffice.

        One statement for all; only if that takes too long, one for each, in the order given.
        """
        found = await self._count(searches, budget.share(0.5))
        if found is not None or len(searches) == 1:
            return found or dict.fromkeys(searches)
        counts: dict[Key, int | None] = dict.fromkeys(searches)
        for key, where in searches.items():
            counts |= await self._count({key: where}, budget.share()) or {}
        return counts

    async def _count(self, searches: Mapping[Key, ColumnElement[bool]], seconds: float) -> dict[Key, int | None] | None:
        """All of them, or None when they take longer than that."""
        if not searches:
            return {}
        if not seconds:
            return None
        keys = list(searches)
        try:
            rows = await self._limited(union_all(*self._counts(enumerate(searches.values()))), seconds)
        except ServiceUnavailable:
            return None
        return {keys[number]: count for number, count in rows}

    def _counts(self, searches: Iterable[tuple[int, ColumnElement[bool]]]) -> list[Select[Any]]:
        return [_count_of(number, *self.hosts, where) for number, where in searches]

    async def rows(self, selects: Sequence[Select[Any]], seconds: float) -> list[Any] | None:
        """The rows of selects that are alike, in one statement; None when they take longer than that."""
        if not selects:
            return []
        try:
            return await self._limited(union_all(*selects), seconds) if seconds else None
        except ServiceUnavailable:
            return None

    async def _limited(self, statement: Any, seconds: float) -> list[Any]:
        """The rows of a statement that may take so long; what else the transaction did stays whole."""
        try:
            async with within(self.session, seconds):
                return [*await self.session.execute(statement)]
        except DBAPIError as error:
            refusal = refused_by_database(error, self.asked)
            if refusal is None:
                raise
            raise refusal from error


def _count_of(number: int, *where: ColumnElement[bool]) -> Select[Any]:
    columns: tuple[Any, ...] = (literal(number, BigInteger()), func.count())
    return select(*columns).select_from(Host).where(*where)


def read_plans(document: Any) -> dict[int, Plan]:
    """The plan of each member of a UNION ALL of (number, count), by its number, from EXPLAIN (VERBOSE, FORMAT JSON)."""
    top = document[0]["Plan"]
    shared = {each["Subplan Name"]: each for each in _below(top) if str(each.get("Subplan Name")).startswith("CTE ")}
    return {int(_number(member)): _plan(member, shared) for member in _members(top) or [top]}


def _members(node: Mapping[str, Any]) -> list[Any]:
    """The plans of the members, below the nodes that gather what parallel workers found; none if there is but one."""
    if node["Node Type"] == "Append":
        plans = [each for each in node["Plans"] if each["Parent Relationship"] == "Member"]
        return plans if all(map(_number, plans)) else []
    outer = [each for each in node.get("Plans", ()) if each["Parent Relationship"] == "Outer"]
    return _members(outer[0]) if outer else []


def _below(node: Mapping[str, Any]) -> list[Any]:
    """A node and all below it."""
    nodes = [node]
    for each in nodes:
        nodes.extend(each.get("Plans", ()))
    return nodes


def _number(node: Mapping[str, Any]) -> str:
    """The constant that a node puts out first, in any of the ways that PostgreSQL writes one; "" when it is none."""
    found = _CONSTANT.fullmatch((node.get("Output") or [""])[0])
    return found[1] if found else ""


def _plan(node: Mapping[str, Any], shared: Mapping[str, Any]) -> Plan:
    """`shared`: the plans of WITH queries by their names; they stand at the top, wherever they are read."""
    nodes = _below(node)
    for each in nodes:
        query = shared.get(f"CTE {each.get('CTE Name')}")
        if each["Node Type"] == "CTE Scan" and query is not None:
            nodes.extend(other for other in _below(query) if other not in nodes)
    indexes = {each["Index Name"] for each in nodes if "Index Name" in each}
    scans = {each["Relation Name"] for each in nodes if each["Node Type"] == "Seq Scan"}
    return Plan(tuple(sorted(indexes)), tuple(sorted(scans)), float(node["Total Cost"]))
