"""Paths, values and operators as they can be written, in every style."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests.filters.reference.fields import LOOKUPS

Item = TypeVar("Item")


@dataclass(frozen=True)
class Piece:
    """One part of a path to be written."""

    name: str
    array: bool = False
    key: bool = False


class Writer:
    """Chooses by a random number generator."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def chance(self, share: float) -> bool:
        """True in this share of all cases."""
        return self.rng.random() < share

    def choice(self, items: Sequence[Item]) -> Item:
        """One of the items."""
        return self.rng.choice(items)

    def spaced(self, operator: str) -> str:
        """The operator with or without blanks."""
        return self.choice((operator, operator, f" {operator} ", f" {operator}", f"{operator} "))

    def value(self, text: str, *, bare: bool, inside: bool = False) -> str:
        """The value as written: bare if that is wanted and can be, else in quotes."""
        stops = set(' \n\t()="' + ("," if inside else ""))
        slip = text[:1] in ("=", "~", ">", "<")
        if bare and text and text[0] != "'" and not slip and not stops & set(text) and self.chance(0.8):
            return text
        quote = self.choice("\"'")
        return f"{quote}{text.replace(quote, quote * 2)}{quote}"

    def path(self, pieces: list[Piece]) -> str:
        """The path as written: bare, quoted as a whole, or with quoted parts."""
        odd = [piece.key and self.needs_quotes(piece.name) for piece in pieces]
        if not any(odd) and self.chance(0.1):
            whole = "__".join(piece.name + "[]" * piece.array for piece in pieces)
            quote = self.choice("\"'")
            return f"{quote}{whole.replace(quote, quote * 2)}{quote}"
        return "__".join(
            (self.quoted(piece.name) if quoted or (piece.key and self.chance(0.06)) else piece.name)
            + "[]" * piece.array
            for piece, quoted in zip(pieces, odd, strict=True)
        )

    def needs_quotes(self, key: str) -> bool:
        """A key that is no plain part of a path, or would be taken for a lookup; the latter is tried, too."""
        plain = key and not set(key) & set(" ()=<>!~'\"\n") and "__" not in key and key.strip("_") == key
        return not plain or key.endswith("[]") or (key in LOOKUPS and not self.chance(0.3))

    def quoted(self, text: str) -> str:
        """The text in quotes."""
        quote = self.choice("\"'")
        return f"{quote}{text.replace(quote, quote * 2)}{quote}"
