"""The refusals of the filter language: AWX's own words first, then place, expectation and the nearest known name."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from craton_inv.errors import CratonInvError, Forbidden, InvalidFilter
from craton_inv.filters.nodes import Origin, Value

SHOWN = 200


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
