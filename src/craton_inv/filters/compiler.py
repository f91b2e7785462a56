"""Turns nodes into a condition on a mapped class. Knows no model and writes no SQL text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from craton_inv.filters import errors
from craton_inv.filters.errors import Place
from craton_inv.filters.lookups import OPERATORS, Lookup, serving
from craton_inv.filters.nodes import And, InList, Leaf, Node, Not, Or, SameRow, Term, path_text
from craton_inv.filters.operands import Condition, Operand, complement
from craton_inv.filters.parser import parse
from craton_inv.filters.paths import Hop, Model
from craton_inv.filters.resolve import Target, resolve


def compile_where(node: Node, model: Model, *, now: datetime | None = None) -> ColumnElement[bool]:
    """The condition on `model` that holds for the rows `node` matches. `now`: for relative times, UTC.

    Raises InvalidFilter for fields, lookups and values that do not fit; Forbidden for secrets in list parameters.
    """
    return _compile(node, model, now or datetime.now(UTC))


def validate(text: str, model: Model) -> None:
    """Refuse a host_filter that would be refused when asked: for saving. Raises InvalidFilter."""
    compile_where(parse(text), model)


def _compile(node: Node, model: Model, now: datetime) -> Condition:
    match node:
        case And(children):
            return and_(*(_compile(child, model, now) for child in children))
        case Or(children):
            return or_(*(_compile(child, model, now) for child in children))
        case Not(child):
            return complement(_compile(child, model, now))
        case SameRow(children):
            return _together([(_target(term, model, now), term) for term in children])
        case _:
            return compile_term(node, model, now).condition


@dataclass(frozen=True)
class CompiledTerm:
    """One term: where its path leads, its condition on the rows there (`own`), and on the model's rows."""

    leaf: Leaf
    target: Target
    own: Condition
    condition: Condition


def compile_term(leaf: Leaf, model: Model, now: datetime) -> CompiledTerm:
    """What `compile_where` makes of one term, with the steps to it. Raises as it does."""
    target = _target(leaf, model, now)
    own = asked_of(target.field, target, leaf)
    return CompiledTerm(leaf, target, own, across(target.hops, own))


def _target(leaf: Leaf, model: Model, now: datetime) -> Target:
    place = Place(leaf.origin, leaf.at, path_text(leaf.path))
    return resolve(leaf.path, model, place, now)


def asked_of(field: Operand, target: Target, leaf: Leaf) -> Condition:
    """What a term asks, asked of `field`: the target's own, or one that stands for it."""
    lookup = lookup_of(target, leaf)
    return field.one_of(leaf.values) if isinstance(leaf, InList) else lookup.apply(field, leaf.value)


def lookup_of(target: Target, leaf: Leaf) -> Lookup:
    """The lookup that a term comes down to. Raises InvalidFilter for two at once, or one that does not serve."""
    if isinstance(leaf, InList):
        _no_lookup(target, "in")
        return serving(target.field, "in")
    if leaf.op != "=":
        _no_lookup(target, leaf.op)
    return serving(target.field, target.lookup or OPERATORS[leaf.op])


def _no_lookup(target: Target, operator: str) -> None:
    if target.lookup is not None:
        raise errors.misuse(
            target.field.place,
            f'"{operator}" and "__{target.lookup}" both say how to compare; keep one'
            f' (a key called {target.lookup} is written "{target.lookup}", in quotes)',
        )


def across(hops: Sequence[Hop], condition: Condition) -> Condition:
    """A condition on the rows behind `hops` as one on the rows before them."""
    for hop in reversed(hops):
        condition = hop.condition(condition)
    return condition


def _together(targets: list[tuple[Target, Term]], depth: int = 0) -> Condition:
    """All terms, those that cross the same relation next in one sub-query, so on one and the same related row."""
    here = [asked_of(target.field, target, term) for target, term in targets if len(target.hops) == depth]
    beyond: dict[Any, tuple[Hop, list[tuple[Target, Term]]]] = {}
    for target, term in targets:
        if len(target.hops) > depth:
            hop = target.hops[depth]
            beyond.setdefault(hop.identity, (hop, []))[1].append((target, term))
    return and_(*here, *(hop.condition(_together(group, depth + 1)) for hop, group in beyond.values()))
