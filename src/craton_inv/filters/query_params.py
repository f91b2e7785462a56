"""The query parameters of every list as filter nodes: `[or__|chain__][not__]path[__lookup][__int]=value`, and search.

Source: django-ansible-base's filter back ends, as AWX configures them.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement

from craton_inv.errors import InvalidFilter
from craton_inv.filters import errors, values
from craton_inv.filters.compiler import compile_where
from craton_inv.filters.errors import Place
from craton_inv.filters.nodes import And, Node, Not, Or, Origin, Part, SameRow, Term, Value, leaves
from craton_inv.filters.parser import MAX_PARTS, MAX_TERMS
from craton_inv.filters.paths import Model, catalogue

RESERVED = frozenset(
    {"page", "page_size", "format", "order", "order_by", "search", "type", "host_filter"}
    | {"count_disabled", "no_truncate", "limit", "validate", "role_level"}
)
MAX_TEXT = 4096
_BY_ID: tuple[list[str], ...] = ([], ["exact"], ["in"], ["gt"], ["gte"], ["lt"], ["lte"])
_WORDS = re.compile(r"""\"([^\"]*)\"|'([^']*)'|([^\s,]+)""")


def list_node(params: Sequence[tuple[str, str]], model: Model) -> Node | None:
    """The parameters as one node; None when no parameter filters. Raises InvalidFilter (AWX's texts).

    Plain terms over one relation hold on the same related row; `chain__` terms stand alone; `or__` terms form one
    group; of a repeated `x__search` one must hold, or every piece of all of them when the first has a comma.
    """
    same: list[Term] = []
    alone: list[Node] = []
    either: list[Node] = []
    searches: dict[str, list[Term]] = {}
    for key, text in params:
        if key == "search" and catalogue(model).search_columns:
            alone.extend(_search_words(text))
        if key in RESERVED:
            continue
        flags, term = _term(key, text)
        searching = _is_search(term, model)
        if searching and not flags:
            searches.setdefault(key, []).append(term)
        elif not flags:
            same.append(_of_the_row(term, model))
        else:
            node = _search([term]) if searching else term
            (either if "or" in flags else alone).append(Not(node) if "not" in flags else node)
    alone.extend(map(_search, searches.values()))
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
    flags = {names.pop(0)} if len(names) > 1 and names[0] in ("or", "chain") else set()
    if len(names) > 1 and names[0] == "not":
        flags.add(names.pop(0))
    value = Value(text, quoted=True)
    if len(names) > 1 and names[-1] == "int":
        names.pop()
        value = _whole(value, place)
    if not all(names) or len(names) > MAX_PARTS:
        raise place.refuse(f"{errors.shown(key)} is not a field: a part is empty", code="filter.unknown_field")
    path = tuple(Part(name[:-2], array=True) if name.endswith("[]") and name != "[]" else Part(name) for name in names)
    return frozenset(flags), Term(path, "=", value, 0, origin)


def _whole(value: Value, place: Place) -> Value:
    """What `__int` makes of a value: a number also where texts are taken, as in facts. Raises InvalidFilter."""
    try:
        return Value(str(values.INTEGER.read(value.text.strip(), datetime.min)))
    except values.Unfit:
        awx = f"invalid literal for int() with base 10: '{errors.shown(value.text)}'"
        raise errors.bad_value(place, value, awx, values.INTEGER.takes) from None


def _is_search(term: Term, model: Model) -> bool:
    """Whether the path is relations and then `search`: in JSON it is a key, and columns refuse it."""
    *relations, last = term.path
    for part in relations:
        hop = catalogue(model).relations.get(part.name)
        if hop is None:
            return False
        model = hop.target
    return last.name == "search" and bool(relations and catalogue(model).search_columns)


def _of_the_row(term: Term, model: Model) -> Term:
    """`groups=5` as `groups__pk=5`, for it to hold on the same related row as the other terms.

    Not so where there is nothing to cross, where the absence of rows is meant, and where the value is refused anyway.
    """
    hop, crossed = None, 0
    while crossed < len(term.path):
        found = catalogue(model).relations.get(term.path[crossed].name)
        if found is None:
            break
        hop, model, crossed = found, found.target, crossed + 1
    lookup = [part.name for part in term.path[crossed:]]
    if hop is None or hop.local_key is not None or lookup not in _BY_ID:
        return term
    pieces = term.value.text.split(",") if lookup == ["in"] else [term.value.text]
    try:
        for piece in pieces:
            values.INTEGER.read(piece.strip(), datetime.min)
    except values.Unfit:
        return term
    return replace(term, path=(*term.path[:crossed], Part("pk"), *term.path[crossed:]))


def _search(terms: list[Term]) -> Node:
    """One key's searches: any of them, or, with a comma in the first, every piece of all."""
    if "," not in terms[0].value.text:
        return Or(tuple(terms))
    pieces = [(term, piece) for term in terms for piece in term.value.text.split(",")]
    return And(tuple(replace(term, value=replace(term.value, text=piece.strip())) for term, piece in pieces))


def _search_words(text: str) -> list[Node]:
    """Every word, and every quoted phrase, must be found (DRF's search)."""
    words = ["".join(groups) for groups in _WORDS.findall(text)]
    origin = Origin(f"search={text}", "list")
    return [Term((Part("search"),), "=", Value(word, quoted=True), 0, origin) for word in words if word]
