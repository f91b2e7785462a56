"""Collectors: the only part of a refresh that talks to the outside."""

from craton_inv.refresh.target import Target, Targets


class Collector:
    """Base of collectors. Subclasses add one async iterator per association, which a parser reads.

    A full and a targeted collector offer the same iterators, so that the parser does not know which one it has.
    """

    def __init__(self, targets: Targets) -> None:
        self.targets = targets
        self.incomplete: dict[str, str] = {}
        self.kept: dict[str, str] = {}

    def references(self, association: str, *columns: str) -> frozenset[tuple[str, ...]]:
        """The references asked for in an association, by exactly these columns; see `Targets.references`."""
        return self.targets.references(association, *columns)

    def values(self, association: str, column: str) -> frozenset[str]:
        """What is asked for in an association by one column: `values("hosts", "instance_id")`."""
        return self.targets.values(association, column)

    def add_target(self, association: str, **manager_ref: str) -> None:
        """Ask for one object more, found while collecting: `add_target("images", ref="ami-1")`."""
        self.targets = self.targets.including(Target.of(self.targets.source_id, association, manager_ref))

    def read_partly(self, association: str, reason: str) -> None:
        """Say that an association was not read completely: what was read is saved, nothing of it is deleted.

        `reason` is for people and holds no secret; several are joined.
        """
        known = self.incomplete.get(association)
        if known is None or reason not in known.split("; "):
            self.incomplete[association] = reason if known is None else f"{known}; {reason}"

    def keep(self, association: str, reason: str) -> None:
        """Say that nothing of an association is to be deleted, though all there was to read was read.

        For what the other side does not offer: its objects of earlier stay, and the refresh is none the worse.
        """
        self.kept[association] = reason

    async def collect(self) -> None:
        """Fetch what has to be there before the first page; nothing by default."""

    async def close(self) -> None:
        """Let go of what `collect` opened; called whatever happened."""
