"""Bound terms become one condition: what belongs together in the database shares a sub-query, and nothing changes.

Together go terms over one document, whatever joins them; under `or`, terms over one relation, since "some row is a, or
some row is b" is "some row is a or b"; under `and`, the negations of such. Under `and` the terms over a relation stand
for themselves, so each keeps its sub-query; many of them are intersected, since the time to plan that many joins grows
faster than their square. Alternatives of which some are sub-queries become a union, where each is found in its own way.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, Select, and_, any_, func, intersect, or_, select, union_all
from sqlalchemy.dialects.postgresql import ARRAY

from craton_inv.filters import trees
from craton_inv.filters.documents import Test, holding
from craton_inv.filters.operands import Condition, complement, subquery
from craton_inv.filters.paths import Hop, JsonRoot, Model
from craton_inv.filters.trees import Every, No, One, Some, Tree

MANY = 6
"""Sub-queries over a relation beyond which they are intersected instead of joined."""
BRANCHES = 8
"""Alternatives up to which they are a union: each is a search of its own."""


@dataclass(frozen=True, eq=False)
class Bound:
    """A term on a model: the relations still to cross, and what it asks there.

    `own` is that as a condition; `asked` of the document of `root`, when it is about one in a table of its own. Equal
    are terms of equal `name` that stand equally far from what they ask.
    """

    name: object
    hops: tuple[Hop, ...]
    own: Condition
    root: JsonRoot | None = None
    asked: Tree[Test] | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Bound) and (self.name, len(self.hops)) == (other.name, len(other.hops))

    def __hash__(self) -> int:
        return hash(self.name)


Terms: TypeAlias = Tree[Bound]


def fused(tree: Terms, model: Model) -> Condition:
    """The condition on the rows of `model` for which the terms hold as they are joined."""
    tree = trees.pushed(tree)
    if isinstance(tree, Some) and _document(tree) is None:
        return _any(tree.parts, model, alone=True)
    return _condition(tree, model)


def _condition(tree: Terms, model: Model) -> Condition:
    root = _document(tree)
    if root is not None:
        return holding(root, model, _questions(tree))
    match tree:
        case One(term):
            return _across(term.hops[0], [tree]) if term.hops else term.own
        case No(part):
            return complement(_condition(part, model))
        case Every(parts):
            return _all(parts, model)
        case Some(parts):
            return _any(parts, model)


def _all(parts: Sequence[Terms], model: Model) -> Condition:
    conditions: list[Condition] = []
    crossing: list[Condition] = []
    for group in _grouped(parts, _refused):
        hop = _refused(group[0])
        if hop is not None:
            conditions.append(complement(_across(hop, [trees.opposite(part) for part in group])))
            continue
        condition = _condition(trees.every(group), model)
        alone = subquery(condition) is not None and _document(group[0]) is None
        (crossing if alone else conditions).append(condition)
    if len(crossing) > MANY:
        crossing = [model.id.in_(intersect(*(_rows(condition, model) for condition in crossing)))]
    return and_(*conditions, *crossing)


def _any(parts: Sequence[Terms], model: Model, *, alone: bool = False) -> Condition:
    """Any of the parts. `alone`: they are the whole search, so nothing else can be meant to narrow it."""
    conditions: list[Condition] = []
    columns: list[Condition] = []
    searches: list[Condition] = []
    for group in _grouped(parts, _crossed):
        hop = _crossed(group[0])
        condition = _across(hop, group) if hop is not None else _condition(trees.some(group), model)
        conditions.append(condition)
        plain = isinstance(group[0], One) and subquery(condition) is None
        (columns if plain else searches).append(condition)
    branches = [*searches, *([or_(*columns)] if columns else [])]
    if not searches or not 1 < len(branches) <= BRANCHES or any(map(_excludes, parts)):
        return or_(*conditions)
    found = union_all(*(_rows(branch, model) for branch in branches))
    if not alone:
        return model.id.in_(found)  # type: ignore[no-any-return]
    # An array of ids is one walk over the primary key, where a join guesses the number of rows, mostly far too low. It
    # must not stand beside other terms: if another index were used, each row would be looked for in the whole array.
    ids = func.array(found.scalar_subquery(), type_=ARRAY(BigInteger))
    return model.id == any_(ids)  # type: ignore[no-any-return]


def _across(hop: Hop, parts: Iterable[Terms]) -> Condition:
    """Some row beyond `hop` answers one of the parts, each a term that crosses it next."""
    return hop.condition(_condition(trees.some(trees.mapped(part, _nearer) for part in parts), hop.target))


def _nearer(term: Bound) -> Bound:
    return replace(term, hops=term.hops[1:])


def _rows(condition: Condition, model: Model) -> Select[Any]:
    """The ids of the rows for which a condition holds."""
    found = subquery(condition)
    if found is not None and model.id.expression.compare(found.column):
        return found.rows
    return select(model.id).where(condition).correlate(None)


def _grouped(parts: Sequence[Terms], relation: Callable[[Terms], Hop | None]) -> list[list[Terms]]:
    """The parts about one document together, those over one relation together, all others alone."""
    groups: dict[object, list[Terms]] = {}
    for part in parts:
        root, hop = _document(part), relation(part)
        key: object = id(root) if root is not None else hop.identity if hop is not None else part
        groups.setdefault(key, []).append(part)
    return list(groups.values())


def _crossed(part: Terms) -> Hop | None:
    """The relation that a term crosses next."""
    return part.term.hops[0] if isinstance(part, One) and part.term.hops else None


def _refused(part: Terms) -> Hop | None:
    """The relation that a negated term crosses next."""
    return _crossed(part.part) if isinstance(part, No) else None


def _document(tree: Terms) -> JsonRoot | None:
    """The root whose document, of the rows themselves, all terms are about; None when there is no such."""
    roots = [None if term.hops else term.root for term in trees.terms(tree)]
    return roots[0] if roots and all(root is roots[0] for root in roots) else None


def _questions(tree: Terms) -> Tree[Test]:
    """The terms about one document as what they ask of it."""
    match tree:
        case One(term):
            return term.asked if term.asked is not None else Every(())
        case No(part):
            return No(_questions(part))
        case Every(parts):
            return Every(tuple(map(_questions, parts)))
        case Some(parts):
            return Some(tuple(map(_questions, parts)))


def _excludes(part: Terms) -> bool:
    """Whether a part is found by what it excludes, so that most rows may be in it."""
    if _document(part) is not None:
        return trees.holds(_questions(part), lambda _: False)
    match part:
        case One():
            return False
        case No():
            return True
        case Every(parts):
            return all(map(_excludes, parts))
        case Some(parts):
            return any(map(_excludes, parts))
