"""What a refresh is asked for: a whole source, or single objects of it by association and reference."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """One object of a source, by reference: it need not be in the database yet. Source: ManageIQ's Target."""

    source_id: int
    association: str
    manager_ref: tuple[str, ...]


@dataclass(frozen=True)
class Targets:
    """The targets of one refresh of one source; none means all of it (a full refresh)."""

    source_id: int
    items: frozenset[Target] = frozenset()

    @property
    def full(self) -> bool:
        """Whether everything is asked for."""
        return not self.items

    def references(self, association: str) -> frozenset[tuple[str, ...]]:
        """The references asked for in one association, parts kept together."""
        return frozenset(item.manager_ref for item in self.items if item.association == association)
