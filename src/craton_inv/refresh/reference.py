"""Lazy links: a promise to find an object of another collection by its identity once that collection is saved."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reference:
    """What `lazy_find` gives: the name of a collection and the values of its `manager_ref`, in order.

    Values are kept as a tuple and travel as columns, so ("a__b", "c") and ("a", "b__c"), null and "" stay apart.
    """

    collection: str
    ref: tuple[Any, ...]
