"""Explanations of filters, paths and lookups as /v2 shows them."""

from collections.abc import Iterator

from craton_inv.filters.lookups import LOOKUPS, OPERATORS
from craton_inv.filters.nodes import And, Node, Not, Or, SameRow, path_text, to_text
from craton_inv.filters.parser import NEGATIVE
from craton_inv.schemas.v2.host_filters import (
    ExplainedTerm,
    FilterBranch,
    FilterExplanation,
    FilterLookup,
    FilterOnHost,
    FilterOperator,
    FilterPath,
    FilterPlan,
    FilterTerm,
    FilterWords,
    FoundValue,
    TermOnHost,
    TermPlan,
    TypedValue,
)
from craton_inv.services.filter_on_host import TermOnHost as LookedAt
from craton_inv.services.filter_paths import KnownPath
from craton_inv.services.host_filters import Explanation, TermReport


def explanation(found: Explanation) -> FilterExplanation:
    """The whole answer."""
    on_host = [None] * len(found.terms) if found.host is None else found.host.terms
    host = found.host and FilterOnHost(id=found.host.host.id, name=found.host.host.name, matches=found.host.matches)
    return FilterExplanation(
        host_filter=to_text(found.node),
        tree=_tree(found.node, iter(enumerate(found.terms))),
        terms=[_term(report, looked) for report, looked in zip(found.terms, on_host, strict=True)],
        host=host,
        sql=FilterPlan(indexes=list(found.measured.indexes), scans=list(found.measured.scans)),
        matches=found.measured.matches,
        timed_out=found.measured.matches is None,
    )


def path(known: KnownPath) -> FilterPath:
    """One path."""
    choice = known.choice
    return FilterPath(
        path=choice.path,
        field_type=choice.field_type,
        same_as=choice.same_as,
        types=known.types,
        example=known.example,
        deeper=choice.deeper,
    )


def words() -> FilterWords:
    """All lookups and operators."""
    lookups = [
        FilterLookup(name=lookup.name, about=lookup.about, field_types=sorted(lookup.kinds))
        for lookup in LOOKUPS.values()
    ]
    any_of = "Any of the values in parentheses, each with its own type."
    about = {sign: LOOKUPS[name].about for sign, name in OPERATORS.items()} | {"in": any_of}
    negative = {**NEGATIVE, "not in": "in"}
    about |= {sign: f"The hosts that `{of}` does not match." for sign, of in negative.items()}
    stands_for = {**OPERATORS, "in": "in"}
    operators = [
        FilterOperator(
            operator=sign,
            lookup=stands_for[negative.get(sign, sign)],
            negated=sign in negative,
            about=sentence,
        )
        for sign, sentence in about.items()
    ]
    return FilterWords(lookups=lookups, operators=operators)


def _tree(node: Node, terms: Iterator[tuple[int, TermReport]]) -> FilterBranch | FilterTerm:
    match node:
        case And(children) | SameRow(children):
            return FilterBranch(kind="and", children=[_tree(child, terms) for child in children])
        case Or(children):
            return FilterBranch(kind="or", children=[_tree(child, terms) for child in children])
        case Not(child):
            return FilterBranch(kind="not", children=[_tree(child, terms)])
    number, report = next(terms)
    return FilterTerm(
        kind="term",
        term=number,
        path=path_text(node.path),
        operator=report.term.operator,
        lookup=report.term.lookup,
        values=[TypedValue(type=meant.type, value=meant.value) for meant in report.term.meant],
    )


def _term(report: TermReport, looked: LookedAt | None) -> ExplainedTerm:
    leaf = report.term.leaf
    line, column = leaf.origin.position(leaf.at)
    measured = report.measured
    return ExplainedTerm(
        text=to_text(leaf),
        line=line,
        column=column,
        field_type=report.term.field.kind,
        matches=measured.matches,
        timed_out=measured.matches is None,
        sql=TermPlan(operators=list(report.term.operators), indexes=list(measured.indexes), scans=list(measured.scans)),
        warnings=report.warnings,
        similar=report.similar,
        on_host=None if looked is None else _looked(looked),
    )


def _looked(looked: LookedAt) -> TermOnHost:
    found = [FoundValue(row=each.row, value=each.value, cut=each.cut) for each in looked.found]
    return TermOnHost(matches=looked.matches, found=found, more=looked.more)
