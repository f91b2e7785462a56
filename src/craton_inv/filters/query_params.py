"""The query parameters of every list as filter nodes: `[or__|chain__][not__]path[__lookup]=value`, search and order_by.

Source: django-ansible-base's filter back ends, as AWX configures them.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, inspect, select
from sqlalchemy.orm import aliased

from craton_inv.errors import InvalidFilter
from craton_inv.filters import errors, values
from craton_inv.filters.compiler import compile_where
from craton_inv.filters.errors import Place
from craton_inv.filters.nodes import And, Node, Not, Or, Origin, Part, SameRow, Term, Value, leaves
from craton_inv.filters.parser import MAX_PARTS, MAX_TERMS
from craton_inv.filters.paths import Model, catalogue

RESERVED = frozenset(
    {"page", "page_size", "format", "order", "order_by", "search", "type", "host_filter"}
    | {"count_disabled", "no_truncate", "limit", "validate"}
)
MAX_TEXT = 4096
_WORDS = re.compile(r"""\"([^\"]*)\"|'([^']*)'|([^\s,]+)""")


def list_node(params: Sequence[tuple[str, str]], model: Model) -> Node | None:
    """The parameters as one node; None when no parameter filters. Raises InvalidFilter (AWX's texts).

    Plain terms over one relation hold on the same related row; `chain__` terms stand alone; `or__` terms form one
    group; of a repeated `x__search` one must hold, and every piece between its commas.
    """
    same: list[Term] = []
    alone: list[Node] = []
    either: list[Node] = []
    searches: dict[str, list[Node]] = {}
    for key, text in params:
        if key == "search" and catalogue(model).search_columns:
            alone.extend(_search_words(text))
        if key in RESERVED:
            continue
        flags, term = _term(key, text)
        if term.path[-1].name == "search":
            searches.setdefault(key, []).append(And(tuple(_piece(term, piece) for piece in text.split(","))))
        elif "or" in flags:
            either.append(Not(term) if "not" in flags else term)
        elif flags:
            alone.append(Not(term) if "not" in flags else term)
        else:
            same.append(term)
    for key, found in searches.items():
        alone.append(Not(Or(tuple(found))) if "not" in _term(key, "")[0] else Or(tuple(found)))
    nodes: list[Node] = [*alone, *([Or(tuple(either))] if either else []), *([SameRow(tuple(same))] if same else [])]
    if not nodes:
        return None
    node = And(tuple(nodes))
    terms = len(leaves(node))
    if terms > MAX_TERMS:
        raise InvalidFilter(f"{terms} filters; at most {MAX_TERMS} are read")
    return node


def list_conditions(
    params: Sequence[tuple[str, str]], model: Model, *, now: datetime | None = None
) -> ColumnElement[bool] | None:
    """The condition that the parameters of a list mean; None when there is none.

    Raises InvalidFilter, and Forbidden for secret columns.
    """
    node = list_node(params, model)
    return None if node is None else compile_where(node, model, now=now)


def order_by_clauses(spec: str, model: Model) -> list[ColumnElement[Any] | UnaryExpression[Any]]:
    """`-name,inventory__name` as ORDER BY clauses, always ending in id. Raises InvalidFilter, Forbidden.

    A relation is followed only to one row (many to one), so an order never repeats or loses rows.
    """
    clauses: list[Any] = []
    names = [name.strip() for name in spec.split(",") if name.strip()]
    if len(names) > 20:
        raise InvalidFilter(f"order_by={errors.shown(spec)}: {len(names)} fields; at most 20 are taken")
    unique = False
    for name in names:
        field = name.removeprefix("-")
        column = _ordered(field, model, model, Place(Origin(f"order_by={spec}", "list"), 0, field))
        unique = unique or field in ("id", "pk")
        clauses.append(column.desc() if name.startswith("-") else column.asc())
    if not unique:
        clauses.append(model.id.asc())
    return clauses


def _ordered(field: str, model: Model, entity: Any, place: Place) -> Any:
    """The expression of `field` on `entity`, which is `model` or an alias of it."""
    name, _, rest = field.partition("__")
    here = catalogue(model)
    if name in here.private:
        raise errors.private_field(place, name)
    if not rest and name in here.columns and values.kind_of(here.columns[name]) is not None:
        return getattr(entity, here.columns[name].key)
    if name not in here.known:
        raise errors.unknown_field(place, name, here.label, here.known, deeper=False)
    hop = here.relations.get(name)
    if hop is None or hop.local_key is None:
        why = (
            f"nothing is below {name}" if rest and hop is None else f"{name} is no single value of {here.label.lower()}"
        )
        raise place.refuse(f"Cannot order by {errors.shown(field)}: {why}", code="filter.unknown_order")
    near = getattr(entity, inspect(model).get_property_by_column(hop.local_key).key)
    if not rest:
        return near
    far = aliased(hop.target)
    return select(_ordered(rest, hop.target, far, place)).where(far.id == near).scalar_subquery()


def _term(key: str, text: str) -> tuple[frozenset[str], Term]:
    origin = Origin(f"{key}={text}", "list")
    place = Place(origin, 0, key)
    if not key:
        raise place.refuse("Query string field name not provided.", code="filter.unknown_field")
    if not key.isascii():
        raise place.refuse(
            f"{errors.shown(key)} is not an allowed field name. Must be ascii encodable.", code="filter.unknown_field"
        )
    if len(key) + len(text) > MAX_TEXT:
        raise place.refuse(f"{errors.shown(key)}: a filter takes at most {MAX_TEXT} characters", code="filter.too_long")
    names = key.split("__")
    flags = set()
    while len(names) > 1 and names[0] in ("or", "chain", "not") and names[0] not in flags:
        flags.add(names.pop(0))
    if len(names) > 1 and names[-1] == "int":
        names.pop()
    if not all(names) or len(names) > MAX_PARTS:
        raise place.refuse(f"{errors.shown(key)} is not a field: a part is empty", code="filter.unknown_field")
    path = tuple(Part(name[:-2], array=True) if name.endswith("[]") and name != "[]" else Part(name) for name in names)
    return frozenset(flags), Term(path, "=", Value(text, quoted=True, at=0), 0, origin)


def _piece(term: Term, text: str) -> Term:
    return Term(term.path, "=", Value(text.strip(), quoted=True), term.at, term.origin)


def _search_words(text: str) -> list[Node]:
    """Every word, and every quoted phrase, must be found (DRF's search)."""
    words = ["".join(groups) for groups in _WORDS.findall(text)]
    origin = Origin(f"search={text}", "list")
    return [Term((Part("search"),), "=", Value(word, quoted=True), 0, origin) for word in words if word]
