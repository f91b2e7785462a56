"""Quantities as providers tell them, in the units of our columns."""

from typing import Any

GIB = 1024**3


def gibibytes(value: Any) -> int | None:
    """GiB as bytes; None for nothing, and for 0, which no disk has. Raises TypeError for what is no whole number.

    A text is refused: multiplied, it would be a text of gigabytes.
    """
    if not value:
        return None
    if not isinstance(value, int):
        raise TypeError("a size in GiB is a whole number")
    return value * GIB
