"""THE place for lookups: one function each, decorated with its name and the kinds of field it serves.

A function says what the lookup is in the words of `Operand`; columns, JSON paths, relations and searches each say how.
host_filter, list parameters and smart inventories all take every lookup from here.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from craton_inv.filters import errors
from craton_inv.filters.nodes import Value
from craton_inv.filters.operands import Condition, Operand


@dataclass(frozen=True, slots=True)
class Lookup:
    """A lookup: its name, what it means, and the kinds it serves."""

    name: str
    about: str
    kinds: frozenset[str]
    apply: Callable[[Operand, Value], Condition]


LOOKUPS: dict[str, Lookup] = {}

WORDS = frozenset({"text", "json"})
TEXTUAL = WORDS | {"integer", "number", "boolean", "timestamp", "date", "address", "uuid"}
FIELDS = TEXTUAL | {"relation"}


def lookup(
    name: str, kinds: frozenset[str]
) -> Callable[[Callable[[Operand, Value], Condition]], Callable[[Operand, Value], Condition]]:
    """Register a function as the lookup `name`; its docstring is what users read."""

    def register(function: Callable[[Operand, Value], Condition]) -> Callable[[Operand, Value], Condition]:
        LOOKUPS[name] = Lookup(name, (function.__doc__ or "").strip(), kinds, function)
        return function

    return register


@lookup("exact", FIELDS)
def exact(field: Operand, value: Value) -> Condition:
    """Equals; what `=` alone means."""
    return field.equals(value)


@lookup("iexact", WORDS)
def iexact(field: Operand, value: Value) -> Condition:
    """Equals, any case."""
    return field.like(value, any_case=True)


@lookup("contains", TEXTUAL)
def contains(field: Operand, value: Value) -> Condition:
    """Contains the text."""
    return field.like(value, before=True, after=True)


@lookup("icontains", TEXTUAL)
def icontains(field: Operand, value: Value) -> Condition:
    """Contains the text, any case."""
    return field.like(value, before=True, after=True, any_case=True)


@lookup("startswith", TEXTUAL)
def startswith(field: Operand, value: Value) -> Condition:
    """Starts with the text."""
    return field.like(value, after=True)


@lookup("istartswith", TEXTUAL)
def istartswith(field: Operand, value: Value) -> Condition:
    """Starts with the text, any case."""
    return field.like(value, after=True, any_case=True)


@lookup("endswith", TEXTUAL)
def endswith(field: Operand, value: Value) -> Condition:
    """Ends with the text."""
    return field.like(value, before=True)


@lookup("iendswith", TEXTUAL)
def iendswith(field: Operand, value: Value) -> Condition:
    """Ends with the text, any case."""
    return field.like(value, before=True, any_case=True)


@lookup("regex", TEXTUAL)
def regex(field: Operand, value: Value) -> Condition:
    """Matches the regular expression; what `~` means."""
    return field.matches(value)


@lookup("iregex", TEXTUAL)
def iregex(field: Operand, value: Value) -> Condition:
    """Matches the regular expression, any case."""
    return field.matches(value, any_case=True)


@lookup("gt", FIELDS)
def gt(field: Operand, value: Value) -> Condition:
    """Greater than; what `>` means."""
    return field.compare(">", value)


@lookup("gte", FIELDS)
def gte(field: Operand, value: Value) -> Condition:
    """Greater or equal; what `>=` means."""
    return field.compare(">=", value)


@lookup("lt", FIELDS)
def lt(field: Operand, value: Value) -> Condition:
    """Less than; what `<` means."""
    return field.compare("<", value)


@lookup("lte", FIELDS)
def lte(field: Operand, value: Value) -> Condition:
    """Less or equal; what `<=` means."""
    return field.compare("<=", value)


@lookup("in", FIELDS)
def one_of(field: Operand, value: Value) -> Condition:
    """Any text of a comma list, blanks included; `in (a, b)` takes typed values instead."""
    if not value.text:
        raise errors.misuse(field.place, "cannot provide empty value for __in")
    texts = value.text.split(",")
    if field.kind not in WORDS:
        texts = [text.strip() for text in texts]
    return field.one_of([replace(value, text=text, quoted=True) for text in texts])


@lookup("isnull", FIELDS)
def isnull(field: Operand, value: Value) -> Condition:
    """Whether it is null: JSON paths absent or null, relations without a related row."""
    return field.null(value)


@lookup("search", frozenset({"rows"}))
def search(field: Operand, value: Value) -> Condition:
    """On a model or relation: one of its search fields contains the text, any case."""
    return field.like(value, before=True, after=True, any_case=True)


OPERATORS = {"=": "exact", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte", "~": "regex"}


def serving(field: Operand, name: str) -> Lookup:
    """The lookup `name`, once sure that it serves the field. Raises InvalidFilter in AWX's words."""
    found = LOOKUPS[name]
    if field.kind in found.kinds:
        return found
    shown = errors.shown(field.place.name.removesuffix(f"__{name}"))
    if name == "search":
        raise errors.misuse(field.place, f"{shown} is not searchable")
    if name == "iexact":
        raise errors.misuse(
            field.place, f"{shown} is not a text field and cannot be filtered by case-insensitive search"
        )
    served = ", ".join(sorted(other.name for other in LOOKUPS.values() if field.kind in other.kinds))
    raise errors.misuse(field.place, f"{shown} is of kind {field.kind} and does not take {name}; it takes {served}")
