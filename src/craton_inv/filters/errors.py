"""The refusals of the filter language: AWX's own words first, then place, expectation and the nearest known name."""

import json
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from craton_inv.errors import CratonInvError, Forbidden, InvalidFilter, ServiceUnavailable
from craton_inv.filters.nodes import Node, Origin, Term, Value, leaves, path_text

SHOWN = 200
NAMED = 10
INVALID_PATTERN = "2201B"
QUERY_CANCELED = "57014"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a refusal points: the text, an offset in it, and the field as written."""

    origin: Origin
    at: int
    name: str

    @property
    def words(self) -> str:
        """ "at column 3", with the line when there are several; nothing for list parameters, which name their key."""
        line, column = self.origin.position(self.at)
        if self.origin.kind == "list":
            return f"in {shown(self.origin.text)}"
        return f"at line {line}, column {column}" if "\n" in self.origin.text else f"at column {column}"

    def refuse(self, message: str, *, code: str, expected: Sequence[str] = ()) -> InvalidFilter:
        """An InvalidFilter with this place."""
        line, column = self.origin.position(self.at)
        return InvalidFilter(message, column=column, line=line, expected=expected, code=code)


def shown(text: str) -> str:
    """A text short enough for a message, on one line as far as control characters go."""
    cut = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    return "".join(char if char.isprintable() or char in " \n" else repr(char)[1:-1] for char in cut)


def nearest(name: str, known: Iterable[str]) -> str:
    """` ; did you mean "name"?` or nothing."""
    names = sorted({*known} - {name})
    close = get_close_matches(name.lower(), names, n=1, cutoff=0.65)
    return f'; did you mean "{close[0]}"?' if close else ""


def syntax(origin: Origin, at: int, problem: str, *, expected: Sequence[str] = ()) -> InvalidFilter:
    """The text cannot be read."""
    place = Place(origin, at, "")
    wanted = f", expected {alternatives(expected)}" if expected else ""
    return place.refuse(
        f"Invalid query {shown(origin.text)}: {problem} {place.words}{wanted}", code="filter.syntax", expected=expected
    )


def alternatives(words: Sequence[str]) -> str:
    """`a, b or c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def unknown_field(place: Place, name: str, owner: str, known: Iterable[str], *, deeper: bool) -> InvalidFilter:
    """No such field. `deeper`: it stands behind a relation or column, where AWX has other words."""
    hint = nearest(name, known)
    label, model = shown(name), owner
    owner = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", owner).lower()
    if deeper:
        text = f'No related model for field {label}. No field "{label}" on {owner} {place.words}{hint}'
    elif place.origin.kind == "list":
        text = f"{model} has no field named '{label}'{hint}"
    else:
        text = f'Invalid query {shown(place.origin.text)}: no field "{label}" on {owner} {place.words}{hint}'
    return place.refuse(text, code="filter.unknown_field")


def private_field(place: Place, name: str) -> CratonInvError:
    """A secret: neither its value nor an oracle on it. 403 in list parameters, 400 in a host_filter, as AWX."""
    message = f"Filtering on {name} is not allowed."
    if place.origin.kind == "list":
        return Forbidden(message, code="filter.private")
    return place.refuse(f"{message} It is secret ({place.words}).", code="filter.private")


def loop(place: Place, name: str) -> InvalidFilter:
    """One relation met twice on a path."""
    message = f"Loops not allowed in filters, detected on field {name}."
    return place.refuse(message if place.origin.kind == "list" else f"{message} ({place.words})", code="filter.loop")


def bad_value(place: Place, value: Value, awx: str, takes: str) -> InvalidFilter:
    """A value that does not fit its field. `awx`: AWX's sentence; `takes`: what the field takes."""
    place = replace(place, at=value.at)
    line, column = place.origin.position(place.at)
    more = f'Field "{shown(place.name)}" takes {takes}'
    if place.origin.kind == "list" and awx.startswith("“"):  # Django's validation errors: a JSON list of sentences
        message = json.dumps([awx, f"{more}."], ensure_ascii=False)
    else:
        message = f"{awx.removesuffix('.')}. {more} ({place.words})."
    return InvalidFilter(message, column=column, line=line, expected=[takes], code="filter.invalid_value")


def misuse(place: Place, message: str) -> InvalidFilter:
    """A lookup, operator or path that does not go with its field."""
    return place.refuse(f"{message} ({place.words})", code="filter.misuse")


def refused_by_database(error: Exception, node: Node | None) -> CratonInvError | None:
    """What an error of the database under a filter means to its writer; None when it is no fault of the filter.

    PostgreSQL alone decides whether a regular expression is one; when Python would refuse it too, AWX's words are used.
    A statement that ran out of time is a 503 that names the terms.
    """
    cause: object = getattr(error, "orig", None)
    state = getattr(cause, "sqlstate", None) or getattr(getattr(cause, "__cause__", None), "sqlstate", None)
    if state == INVALID_PATTERN:
        said = str(getattr(cause, "__cause__", None) or cause)
        patterns = pattern_terms(node)
        guilty = [term for term in patterns if _python_says(term)] or (patterns if len(patterns) == 1 else [])
        if guilty:
            return bad_pattern(guilty[0], said)
        return InvalidFilter(f"The regular expression is not valid: {said}", code="filter.invalid_pattern")
    if state == QUERY_CANCELED:
        return ServiceUnavailable(f"The search took too long; it looks at {_named(node)}.", code="filter.timeout")
    return None


def pattern_terms(node: Node | None) -> list[Term]:
    """The terms of a filter whose value is a regular expression."""
    terms = [] if node is None else [leaf for leaf in leaves(node) if isinstance(leaf, Term)]
    return [term for term in terms if term.op == "~" or _lookup(term) in ("regex", "iregex")]


def bad_pattern(term: Term, said: str) -> InvalidFilter:
    """A regular expression that PostgreSQL refuses, saying `said`; in AWX's words when Python would refuse it too."""
    place = Place(term.origin, term.value.at, path_text(term.path))
    words = _python_says(term) or f"The regular expression is not valid: {said}"
    return place.refuse(f"{words} ({place.words})", code="filter.invalid_pattern")


def _lookup(term: Term) -> str:
    last = term.path[-1]
    return "" if last.literal or last.array else last.name


def _python_says(term: Term) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of syntax that Python may read otherwise one day
            re.compile(term.value.text)
    except (re.error, OverflowError) as refusal:
        return str(refusal)
    return ""


def _named(node: Node | None) -> str:
    """The paths of a filter, the first ten of them."""
    names = list(dict.fromkeys(shown(path_text(term.path)) for term in leaves(node))) if node is not None else []
    if len(names) > NAMED:
        names[NAMED:] = [f"{len(names) - NAMED} more"]
    return ", ".join(names) or "the filter"
