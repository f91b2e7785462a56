"""Slices of an inventory: `subset=slice2of5` is every fifth host from the second, in name order."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from craton_inv.errors import BadRequest

T = TypeVar("T")
_SLICE = re.compile(r"slice([0-9]{1,9})of([0-9]{1,9})\Z")


@dataclass(frozen=True)
class Slice:
    """Part `number` (from 1) of `count`."""

    number: int
    count: int

    def of(self, items: Sequence[T]) -> Sequence[T]:
        """The items of this part."""
        return items[self.number - 1 :: self.count]


def parse_subset(text: str) -> Slice:
    """Read `subset=`. Raises BadRequest with AWX's sentences."""
    if not text.startswith("slice"):
        raise BadRequest("Subset does not use any supported syntax.", code="subset")
    found = _SLICE.match(text)
    if found is None:
        raise BadRequest("Could not parse subset as slice specification.", code="subset")
    number, count = int(found[1]), int(found[2])
    if number > count:
        raise BadRequest("Slice number must be less than total number of slices.", code="subset")
    if number < 1:
        raise BadRequest("Slice number must be 1 or higher.", code="subset")
    return Slice(number, count)
