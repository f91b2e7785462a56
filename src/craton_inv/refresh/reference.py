"""Lazy links: a promise to find an object of another collection once that collection is saved."""

from collections.abc import Mapping
from typing import Any, NamedTuple

MANAGER_REF = "manager_ref"  # the name of the reference that every collection has


class Reference(NamedTuple):
    """What `lazy_find` gives.

    collection  the name of the collection that the link leads to
    ref         the values of the columns it is found by, in order; a relation among them is a Reference itself
    form        what it is found by: "manager_ref" or the name of a secondary ref, then what relations are found by
    key         the column of the found object to take; "" for its id
    default     taken when the link leads nowhere or the value is null; None for none

    Values are kept as a tuple and travel as columns, so ("a__b", "c") and ("a", "b__c"), null and "" stay apart.
    """

    collection: str
    ref: tuple[Any, ...]
    form: str = MANAGER_REF
    key: str = ""
    default: Any = None


def form_label(ref: str, relations: Mapping[str, str]) -> str:
    """The name of a form; relations found by their manager_ref are not mentioned."""
    named = [f"{name}={by}" for name, by in relations.items() if by != MANAGER_REF]
    return f"{ref}({', '.join(named)})" if named else ref
