"""What an error of the database under a filter means to the filter's writer."""

from craton_inv.errors import CratonInvError, InvalidFilter, ServiceUnavailable
from craton_inv.filters.errors import shown
from craton_inv.filters.nodes import Node, leaves, path_text
from craton_inv.filters.patterns import bad_pattern, pattern_terms, python_says

NAMED = 10
INVALID_PATTERN = "2201B"
QUERY_CANCELED = "57014"


def refused_by_database(error: Exception, node: Node | None) -> CratonInvError | None:
    """The refusal that the error means; None when it is no fault of the filter.

    PostgreSQL alone decides whether a regular expression is one; when Python would refuse it too, AWX's words are used.
    A statement that ran out of time is a 503 that names the terms.
    """
    cause: object = getattr(error, "orig", None)
    state = getattr(cause, "sqlstate", None) or getattr(getattr(cause, "__cause__", None), "sqlstate", None)
    if state == INVALID_PATTERN:
        said = str(getattr(cause, "__cause__", None) or cause)
        patterns = pattern_terms(node)
        guilty = [term for term in patterns if python_says(term)] or (patterns if len(patterns) == 1 else [])
        if guilty:
            return bad_pattern(guilty[0], said)
        return InvalidFilter(f"The regular expression is not valid: {said}", code="filter.invalid_pattern")
    if state == QUERY_CANCELED:
        return ServiceUnavailable(f"The search took too long; it looks at {_named(node)}.", code="filter.timeout")
    return None


def _named(node: Node | None) -> str:
    """The paths of a filter, the first ten of them."""
    names = list(dict.fromkeys(shown(path_text(term.path)) for term in leaves(node))) if node is not None else []
    if len(names) > NAMED:
        names[NAMED:] = [f"{len(names) - NAMED} more"]
    return ", ".join(names) or "the filter"
