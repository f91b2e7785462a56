"""The regular expressions of a filter, for PostgreSQL to judge before there is a row to try them on."""

from datetime import UTC, datetime

from craton_inv.filters.compiler import compile_term
from craton_inv.filters.errors import pattern_terms
from craton_inv.filters.nodes import Node, Term
from craton_inv.filters.paths import Model


def patterns_of(node: Node | None, model: Model) -> list[Term]:
    """The terms whose value is a regular expression; a key called regex makes none. Raises as `compile_where` does."""
    now = datetime.now(UTC)
    return [
        term
        for term in pattern_terms(node)
        if term.op == "~" or compile_term(term, model, now).target.lookup in ("regex", "iregex")
    ]
