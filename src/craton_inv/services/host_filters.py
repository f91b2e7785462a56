"""What a host_filter means and does here: per term its SQL, its index, its matches, and what looks wrong with it."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.filters import compile_where, parse
from craton_inv.filters.explain import ExplainedTerm, explain_terms
from craton_inv.filters.hints import Hint, case_hint, type_hints
from craton_inv.filters.nodes import And, InList, Leaf, Node, Term
from craton_inv.models import Host, Inventory
from craton_inv.repositories.host_filters import Budget, HostFilterRepository
from craton_inv.repositories.scope import Scope
from craton_inv.services.fact_hints import FactHints, fact_hints
from craton_inv.services.filter_on_host import OnHost, look_at
from craton_inv.services.smart_inventories import hosts_of, search_of

WHOLE = "the whole filter"


@dataclass(frozen=True)
class Measured:
    """The indexes read, the tables read whole, and the hosts found; None when counting them takes too long."""

    indexes: tuple[str, ...]
    scans: tuple[str, ...]
    matches: int | None


@dataclass(frozen=True)
class TermReport:
    """One term: what it is, how it is looked for, what may be wrong with it, and what was probably meant."""

    term: ExplainedTerm
    measured: Measured
    warnings: list[str] = field(default_factory=list)
    similar: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Explanation:
    """A filter, whole and term by term in the order written; `host`: what it says of the host asked about."""

    node: Node
    measured: Measured
    terms: list[TermReport]
    host: OnHost | None


async def explain(
    session: AsyncSession,
    scope: Scope,
    text: str,
    *,
    host: Host | None = None,
    inventory: Inventory | None = None,
    seconds: float,
) -> Explanation:
    """Explain a filter over the hosts that the caller sees, or those of `inventory`. `host`: also what it says of this.

    `seconds`: what a single statement may take; all together take a small multiple of it, however many terms there are.
    Raises InvalidFilter, and ServiceUnavailable when not even the plans can be made in that time.
    """
    node, now = parse(text), datetime.now(UTC)
    terms = explain_terms(node, Host, now)
    distinct = {term.leaf: term for term in terms}
    whole: Hashable = node if isinstance(node, Term | InList) else WHOLE
    searches: dict[Hashable, ColumnElement[bool]] = {leaf: term.compiled.condition for leaf, term in distinct.items()}
    searches.setdefault(whole, compile_where(node, Host, now=now))

    within = [] if inventory is None else [hosts_of(inventory)]
    stored = None if inventory is None else search_of(inventory)
    repository = HostFilterRepository(session, scope, node if stored is None else And((node, stored)), *within)
    budget = Budget(seconds, 2 * seconds)
    measured, warnings = await _measure(repository, searches, whole, distinct, budget)
    of_facts = await fact_hints(repository, scope, distinct.values(), budget)
    reports = [
        _report(term, measured[term.leaf], warnings[term.leaf], of_facts.get(term.leaf, FactHints())) for term in terms
    ]
    on_host = None if host is None else await look_at(session, scope, host, node, terms, Budget(seconds, seconds))
    return Explanation(node, measured[whole], reports, on_host)


async def _measure(
    repository: HostFilterRepository,
    searches: Mapping[Hashable, ColumnElement[bool]],
    whole: Hashable,
    terms: Mapping[Leaf, ExplainedTerm],
    budget: Budget,
) -> tuple[dict[Hashable, Measured], dict[Leaf, list[str]]]:
    """How each search is done and what it finds, and per term what other readings of its value would find."""
    plans = await repository.plans(searches, budget.each)
    # The whole first, then what is cheap: if time runs out, it does so over what takes long anyhow.
    order = sorted(searches, key=lambda key: (key != whole, plans[key].cost))
    hints: dict[Hashable, Hint] = {hint: hint for term in terms.values() for hint in type_hints(term)}
    conditions = {key: searches[key] for key in order} | {key: hint.condition for key, hint in hints.items()}
    counts = await repository.counts(conditions, budget)

    unmatched = [term for leaf, term in terms.items() if counts[leaf] == 0]
    capitals: dict[Hashable, Hint] = {hint: hint for term in unmatched if (hint := case_hint(term)) is not None}
    counts |= await repository.counts({key: hint.condition for key, hint in capitals.items()}, budget)

    warnings: dict[Leaf, list[str]] = {leaf: [] for leaf in terms}
    for key, hint in (hints | capitals).items():
        if count := counts[key]:
            warnings[hint.leaf].append(hint.said(count))
    return {key: Measured(plans[key].indexes, plans[key].scans, counts[key]) for key in searches}, warnings


def _report(term: ExplainedTerm, measured: Measured, warnings: Sequence[str], of_facts: FactHints) -> TermReport:
    return TermReport(term, measured, [*warnings, *of_facts.warnings], of_facts.similar)
