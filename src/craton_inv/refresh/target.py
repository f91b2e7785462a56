"""What a refresh is asked for: a whole source, single objects of it by association and reference, or a part of it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Target:
    """One object of a source, by reference: it need not be in the database yet. Source: ManageIQ's Target.

    `manager_ref`: pairs of column and value in the order of the columns' names, so that equal targets are equal however
    they were written; several columns stay paired. Make targets with `of`.
    """

    source_id: int
    association: str
    manager_ref: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, source_id: int, association: str, manager_ref: Mapping[str, str]) -> "Target":
        """The target that a mapping of column to value names, such as {"instance_id": "i-1"}."""
        return cls(source_id, association, tuple(sorted(manager_ref.items())))

    @property
    def ref(self) -> dict[str, str]:
        """The reference as a mapping."""
        return dict(self.manager_ref)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names, sorted."""
        return tuple(name for name, _ in self.manager_ref)


@dataclass(frozen=True)
class Targets:
    """The targets of one refresh of one source; none means all of it (a full refresh).

    `partial`: a delivery of single objects though nobody asked for them by name, as a stream of changes brings them.
    """

    source_id: int
    items: frozenset[Target] = frozenset()
    partial: bool = False

    @property
    def full(self) -> bool:
        """Whether everything is asked for."""
        return not self.items and not self.partial

    def references(self, association: str, *columns: str) -> frozenset[tuple[str, ...]]:
        """What is asked for in one association by exactly these columns: their values, parts kept together.

        Without columns: of every target of the association, in the order of its columns' names.
        """
        wanted = frozenset(columns)
        return frozenset(
            tuple(item.ref[name] for name in (columns or item.columns))
            for item in self.items
            if item.association == association and (not wanted or wanted == frozenset(item.columns))
        )

    def values(self, association: str, column: str) -> frozenset[str]:
        """What is asked for in one association by this column alone."""
        return frozenset(ref[0] for ref in self.references(association, column))

    def including(self, target: Target) -> "Targets":
        """These and one more. A full refresh stays full."""
        return self if self.full else Targets(self.source_id, self.items | {target}, self.partial)
