"""Collectors: the only part of a refresh that talks to the outside."""

from craton_inv.refresh.target import Target, Targets


class Collector:
    """Base of collectors. Subclasses add one async iterator per association, which a parser reads.

    A full and a targeted collector offer the same iterators, so that the parser does not know which one it has.
    """

    def __init__(self, targets: Targets) -> None:
        self.targets = targets

    def references(self, association: str) -> frozenset[tuple[str, ...]]:
        """The references asked for in an association."""
        return self.targets.references(association)

    def add_target(self, association: str, *ref: str) -> None:
        """Ask for one object more, found while collecting."""
        target = Target(self.targets.source_id, association, ref)
        self.targets = Targets(self.targets.source_id, self.targets.items | {target})

    async def collect(self) -> None:
        """Fetch what has to be there before the first page; nothing by default."""

    async def close(self) -> None:
        """Let go of what `collect` opened; called whatever happened."""
