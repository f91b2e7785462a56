"""What goes: the one gate that all deletions of a refresh pass, over all collections, before the first row is deleted.

Nothing goes of a collection that was read only partly, nor of those whose rows are parts of its rows. A full refresh
deletes the complement of the collection's scope, held to the guard; a targeted one what its scope reaches.
Rows that others may have as well go only when that is asked for (AWX's overwrite); those that a source owns alone,
which nobody else could take away, always follow it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from craton_inv.errors import UpdateFailed
from craton_inv.refresh import save_exclusive, save_layered, save_shared
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.graph import Plan
from craton_inv.refresh.guard import check_empty
from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.listing import Listing
from craton_inv.refresh.ownership import Exclusive, Layered, Shared
from craton_inv.refresh.parents import Parent, dependents
from craton_inv.refresh.saving import SaveOptions, Saving
from craton_inv.refresh.target_scope import TargetScope
from craton_inv.refresh.versions import unless_newer

_STEP = "step_{number} AS ({sql} RETURNING 1)"
_COUNTED = "(SELECT count(*) FROM step_{number})"


class Strategy(Protocol):
    """One way of saving: `save` writes what differs, `owned` counts (gone, owned) for the guard."""

    async def save(self, saving: Saving, counts: Counts) -> None:
        """Insert and update."""

    async def owned(self, saving: Saving, counts: Counts) -> tuple[int, int]:
        """How many rows the source owns and did not deliver, and how many it owned before the refresh."""


def strategy_of(collection: InventoryCollection) -> Strategy:
    """The strategy that fits who owns the rows."""
    if isinstance(collection.ownership, Layered):
        return save_layered
    if isinstance(collection.ownership, Shared):
        return save_shared
    return save_exclusive


@dataclass
class Deletion:
    """The deletions of one refresh. `figures`: per collection what was not delivered and what was owned before."""

    savings: Mapping[str, Saving]
    plan: Plan
    parents: Mapping[str, tuple[Parent, ...]]
    options: SaveOptions
    figures: dict[str, tuple[int, int]] = field(default_factory=dict)

    def is_off(self, name: str) -> bool:
        """Whether a collection keeps what was not delivered, whatever the refresh is asked to do."""
        collection = self.savings[name].collection
        return not collection.deletes or name in self._read_partly

    def _follows(self, name: str) -> bool:
        """Whether the rows of a collection are deleted by this refresh when they are not delivered."""
        return self.options.delete or isinstance(self.savings[name].collection.ownership, Exclusive)

    @property
    def _read_partly(self) -> frozenset[str]:
        return dependents(frozenset(self.options.incomplete), self.parents)

    async def full(self, counts: Mapping[str, Counts]) -> None:
        """Delete the complement. Raises UpdateFailed when the guard does not allow it."""
        whole = [name for name in self.plan.order if name in self.figures and name not in self._read_partly]
        doomed = [name for name in whole if self._follows(name) and not self.is_off(name)]
        if whole and not self.options.force_delete:
            delivered = sum(counts[name].delivered for name in whole)
            self._judge(check_empty, delivered, sum(self.figures[name][1] for name in whole))
            for name in doomed:
                self._judge(self.savings[name].collection.guard.check, name.replace("_", " "), *self.figures[name])
        for name in reversed(doomed):
            if self.figures[name][0]:
                await self._delete(counts, {name: "true"})

    def _judge(self, check: Callable[..., None], *figures: Any) -> None:
        """Let the guard speak; where verdicts are noted it stops nothing."""
        try:
            check(*figures)
        except UpdateFailed as refusal:
            if self.options.verdicts is None:
                raise
            self.options.verdicts.append(refusal.message)

    async def targeted(self, counts: Mapping[str, Counts], scope: TargetScope) -> None:
        """Delete what the scope reaches and was not delivered: few rows by nature, the guard has no part in it."""
        following = [name for name in reversed(self.plan.order) if self._follows(name) and not self.is_off(name)]
        reached = [name for name in following if scope.reaches(name)]
        # Collections that share a table have values of their own for one column of the scope: each takes its turn.
        alone = {name for name in reached if self.savings[name].collection.fixed_scope}
        await self._delete(counts, {name: scope.condition(name) for name in reached if name not in alone})
        for name in alone:
            await self._delete(counts, {name: scope.condition(name)})

    async def listed(self, counts: Mapping[str, Counts], listings: Mapping[str, Listing]) -> None:
        """Delete what is neither listed nor delivered. Raises UpdateFailed when the guard does not allow it."""
        doomed = [name for name in reversed(self.plan.order) if name in listings and not self.is_off(name)]
        for name in (name for name in doomed if self._follows(name)):
            saving, listing = self.savings[name], listings[name]
            if listing.within is None and not self.options.force_delete:
                self._judge(saving.collection.guard.check, name.replace("_", " "), *await listing.figures(saving))
            await self._delete(counts, {name: listing.condition(saving)})

    async def _delete(self, counts: Mapping[str, Counts], limits: Mapping[str, str]) -> None:
        """Delete what was not delivered of the rows `t` that a condition holds for, by collection.

        One statement for all but layered rows, whose parts are gone by then.
        """
        steps: list[tuple[str, str, str]] = []
        layered: list[tuple[str, str]] = []
        for name, condition in limits.items():
            saving = self.savings[name]
            within = condition + unless_newer(self.savings, self.parents, name, self.options)
            if isinstance(saving.collection.ownership, Layered):
                layered.append((name, within))
            elif isinstance(saving.collection.ownership, Shared):
                steps += [(name, *step) for step in save_shared.deletion(saving, within)]
            else:
                steps += [(name, *step) for step in save_exclusive.deletion(saving, within)]
        if steps:
            parts = [_STEP.format(number=number, sql=sql) for number, (_, _, sql) in enumerate(steps)]
            counted = ", ".join(_COUNTED.format(number=number) for number in range(len(steps)))
            row = (await self.savings[steps[0][0]].run(f"WITH {', '.join(parts)} SELECT {counted}")).one()
            for (name, counter, _), count in zip(steps, row, strict=True):
                setattr(counts[name], counter, getattr(counts[name], counter) + count)
        for name, within in layered:
            await save_layered.delete(self.savings[name], counts[name], within)
