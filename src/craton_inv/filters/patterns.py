"""The regular expressions of a filter, which PostgreSQL alone judges: their terms, and its refusal of one."""

import re
import warnings
from datetime import UTC, datetime

from craton_inv.errors import InvalidFilter
from craton_inv.filters.compiler import compile_term
from craton_inv.filters.errors import Place
from craton_inv.filters.nodes import Node, Term, leaves, path_text
from craton_inv.filters.paths import Model


def pattern_terms(node: Node | None) -> list[Term]:
    """The terms whose value is a regular expression as far as the text tells, which knows no keys of documents."""
    terms = [] if node is None else [leaf for leaf in leaves(node) if isinstance(leaf, Term)]
    return [term for term in terms if term.op == "~" or _lookup(term) in ("regex", "iregex")]


def patterns_of(node: Node | None, model: Model) -> list[Term]:
    """As `pattern_terms`, without those whose last name is a key called regex. Raises as `compile_where` does."""
    now = datetime.now(UTC)
    return [
        term
        for term in pattern_terms(node)
        if term.op == "~" or compile_term(term, model, now).target.lookup in ("regex", "iregex")
    ]


def bad_pattern(term: Term, said: str) -> InvalidFilter:
    """A regular expression that PostgreSQL refuses, saying `said`; in AWX's words when Python would refuse it too."""
    place = Place(term.origin, term.value.at, path_text(term.path))
    words = python_says(term) or f"The regular expression is not valid: {said}"
    return place.refuse(f"{words} ({place.words})", code="filter.invalid_pattern")


def _lookup(term: Term) -> str:
    last = term.path[-1]
    return "" if last.literal or last.array else last.name


def python_says(term: Term) -> str:
    """What Python has against the regular expression, in AWX's words; "" when it takes it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of syntax that Python may read otherwise one day
            re.compile(term.value.text)
    except (re.error, OverflowError) as refusal:
        return str(refusal)
    return ""
