"""What a filter says of one host: which terms match it, and what is there at the place that each looks at."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, false
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.filters.explain import ExplainedTerm, holds
from craton_inv.filters.found import MAX_LENGTH, MAX_VALUES, Look
from craton_inv.filters.nodes import Leaf, Node, path_text
from craton_inv.filters.spelling import positive
from craton_inv.models import Host, Tenant, User
from craton_inv.repositories.host_filters import Budget, HostFilterRepository
from craton_inv.repositories.scope import Scope
from craton_inv.repositories.users import UserRepository


@dataclass(frozen=True)
class Found:
    """A value that the term looks at. `row`: the name of the related row that holds it; `cut`: only its beginning."""

    row: str | None
    value: Any
    cut: bool


@dataclass(frozen=True)
class TermOnHost:
    """Whether a term matches a host, None when time ran out; the values there; `more`: not all of them are told."""

    matches: bool | None
    found: list[Found] = field(default_factory=list)
    more: bool = False


@dataclass(frozen=True)
class OnHost:
    """A host, whether the whole filter matches it, and each term in the order written."""

    host: Host
    matches: bool | None
    terms: list[TermOnHost]


async def look_at(
    session: AsyncSession, scope: Scope, host: Host, node: Node, terms: Sequence[ExplainedTerm], budget: Budget
) -> OnHost:
    """What a filter says of a host that the caller may see: two statements, however many terms there are."""
    distinct = {term.leaf: term for term in terms}
    repository = HostFilterRepository(session, scope, node, Host.id == host.id)
    asked = {leaf: positive(term.compiled.condition) for leaf, term in distinct.items()}
    counts = await repository.counts({leaf: condition for leaf, (condition, _) in asked.items()}, budget)
    verdicts: dict[Leaf, bool | None] = {}
    for leaf, (_, turned) in asked.items():
        count = counts[leaf]
        verdicts[leaf] = None if count is None else bool(count) != turned

    def visible(model: Any) -> ColumnElement[bool]:
        if model is User:
            return UserRepository(session, scope).visible_condition()
        return scope.where(model) if model is Tenant or hasattr(model, "tenant_id") else false()

    look = Look(Host, host.id, visible)
    places = {_place(term): term for term in terms}
    selects = [look.values(term, number) for number, term in enumerate(places.values())]
    rows = await repository.rows([each for each in selects if each is not None], budget.share())
    found: dict[str, list[Found]] = {place: [] for place in places}
    for number, name, shown in rows or ():
        if shown is not None:
            found[list(places)[number]].append(_found(name, shown))
    told = [_told(verdicts[term.leaf], found[_place(term)]) for term in terms]
    return OnHost(host, holds(node, (verdicts[term.leaf] for term in terms)), told)


def _place(term: ExplainedTerm) -> str:
    """What terms that look at the same values have in common."""
    return f"{term.field.kind} {path_text(term.leaf.path[: -1 if term.compiled.target.lookup else None])}"


def _told(matches: bool | None, found: list[Found]) -> TermOnHost:
    return TermOnHost(matches, found[:MAX_VALUES], more=len(found) > MAX_VALUES)


def _found(row: str | None, shown: str) -> Found:
    if len(shown) > MAX_LENGTH:
        return Found(row, shown[:MAX_LENGTH], cut=True)
    return Found(row, json.loads(shown), cut=False)
