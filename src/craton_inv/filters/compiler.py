"""Turns nodes into a condition on a mapped class. Knows no model and writes no SQL text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_

from craton_inv.filters import errors
from craton_inv.filters.errors import Place
from craton_inv.filters.facts import JsonField, UnansweredField
from craton_inv.filters.fusion import Bound, fused
from craton_inv.filters.lookups import OPERATORS, Lookup, serving
from craton_inv.filters.nodes import And, InList, Leaf, Node, Not, Or, SameRow, Term, path_text
from craton_inv.filters.operands import Condition, Operand
from craton_inv.filters.parser import parse
from craton_inv.filters.paths import Hop, Model
from craton_inv.filters.resolve import Target, resolve
from craton_inv.filters.trees import Every, No, One, Some, Tree


def compile_where(node: Node, model: Model, *, now: datetime | None = None) -> ColumnElement[bool]:
    """The condition on `model` that holds for the rows `node` matches. `now`: for relative times, UTC.

    Raises InvalidFilter for fields, lookups and values that do not fit; Forbidden for secrets in list parameters.
    """
    return fused(_bound(node, model, now or datetime.now(UTC)), model)


def validate(text: str, model: Model) -> None:
    """Refuse a host_filter that would be refused when asked: for saving. Raises InvalidFilter."""
    compile_where(parse(text), model)


def _bound(node: Node, model: Model, now: datetime) -> Tree[Bound]:
    match node:
        case And(children):
            return Every(tuple(_bound(child, model, now) for child in children))
        case Or(children):
            return Some(tuple(_bound(child, model, now) for child in children))
        case Not(child):
            return No(_bound(child, model, now))
        case SameRow(children):
            return _together([(_target(term, model, now), term) for term in children], node)
        case _:
            return One(_bound_term(_target(node, model, now), node))


def _bound_term(target: Target, leaf: Leaf) -> Bound:
    field = target.field
    if not isinstance(field, JsonField) or field.root.table_key is None:
        return Bound(leaf, target.hops, asked_of(field, target, leaf))
    unanswered = UnansweredField.of(field)
    own = asked_of(unanswered, target, leaf)
    return Bound(leaf, target.hops, own, field.root, Every(tuple(unanswered.asked)))


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
    return CompiledTerm(leaf, target, own, compile_where(leaf, model, now=now))


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


def _together(targets: list[tuple[Target, Term]], node: SameRow) -> Tree[Bound]:
    """All terms, those that cross the same relation in one sub-query, so on one and the same related row."""
    parts: list[Tree[Bound]] = []
    beyond: dict[object, list[tuple[Target, Term]]] = {}
    for target, term in targets:
        if target.hops:
            beyond.setdefault(target.hops[0].identity, []).append((target, term))
        else:
            parts.append(One(_bound_term(target, term)))
    for group in beyond.values():
        target, term = group[0]
        if len(group) == 1:
            parts.append(One(_bound_term(target, term)))
        else:
            parts.append(One(Bound((node, target.hops[0].identity), (), _on_one_row(group))))
    return Every(tuple(parts))


def _on_one_row(targets: list[tuple[Target, Term]], depth: int = 0) -> Condition:
    here = [asked_of(target.field, target, term) for target, term in targets if len(target.hops) == depth]
    beyond: dict[Any, tuple[Hop, list[tuple[Target, Term]]]] = {}
    for target, term in targets:
        if len(target.hops) > depth:
            hop = target.hops[depth]
            beyond.setdefault(hop.identity, (hop, []))[1].append((target, term))
    return and_(*here, *(hop.condition(_on_one_row(group, depth + 1)) for hop, group in beyond.values()))
