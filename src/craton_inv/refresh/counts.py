"""What a refresh did to one collection, in numbers."""

from dataclasses import asdict, dataclass


@dataclass
class Counts:
    """Rows of one collection. `repeated`: identities sent before; the last of each wins.

    `unconnected`: links that lead nowhere; `ambiguous`: those of them that several rows fit.

    `overtaken`: delivered rows that were left as a later refresh had saved them.
    """

    delivered: int = 0
    created: int = 0
    updated: int = 0
    deleted: int = 0
    layers: int = 0
    unconnected: int = 0
    ambiguous: int = 0
    repeated: int = 0
    overtaken: int = 0

    @property
    def written(self) -> int:
        """Rows that the refresh inserted, changed or deleted, layers included."""
        return self.created + self.updated + self.deleted + self.layers

    def as_dict(self) -> dict[str, int]:
        """For JSON."""
        return asdict(self)
