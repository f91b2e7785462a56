"""The saver: load the stages, save collections layer by layer, then delete what is missing, in one transaction."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from craton_inv.refresh import save_exclusive, save_layered, save_shared
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.graph import Plan
from craton_inv.refresh.guard import check_empty
from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.name_filter import apply_name_filter
from craton_inv.refresh.ownership import Layered, Shared
from craton_inv.refresh.saving import SaveOptions, Saving
from craton_inv.refresh.staging import Stage

Tell = Callable[[str, Counts], Awaitable[None]]


class Strategy(Protocol):
    """One way of saving: `save` writes what differs, `owned` counts (gone, owned), `delete` removes the complement."""

    async def save(self, saving: Saving, counts: Counts) -> None:
        """Insert and update."""

    async def owned(self, saving: Saving, counts: Counts) -> tuple[int, int]:
        """How many rows the source owns and did not deliver, and how many it owned before the refresh."""

    async def delete(self, saving: Saving, counts: Counts) -> None:
        """Delete what the source did not deliver."""


def strategy_of(collection: InventoryCollection) -> Strategy:
    """The strategy that fits who owns the rows."""
    if isinstance(collection.ownership, Layered):
        return save_layered
    if isinstance(collection.ownership, Shared):
        return save_shared
    return save_exclusive


async def save(
    connection: AsyncConnection, stages: Mapping[str, Stage], plan: Plan, options: SaveOptions, tell: Tell
) -> dict[str, Counts]:
    """Save all stages in the caller's transaction. The number of statements depends on the collections alone.

    `tell` hears of each collection once it is saved. Raises UpdateFailed when the guard stops the deletion; the caller
    rolls everything back.
    """
    collections = {name: stage.collection for name, stage in stages.items()}
    counts = {name: Counts(delivered=stage.count) for name, stage in stages.items()}
    savings = {
        name: Saving(connection, stage, collections, options, plan.deferred.get(name, ()))
        for name, stage in stages.items()
    }
    # Statistics know nothing of an inventory that is new: expecting a handful of rows, the planner would compare every
    # saved row with every staged one. Every join of a refresh is between sets.
    await connection.execute(text("SET LOCAL enable_nestloop = off"))
    for name, stage in stages.items():
        await stage.load(connection)
        counts[name].repeated = stage.duplicates
        if stage.collection.name_filter:
            counts[name].delivered -= await apply_name_filter(connection, stage, options.filter_timeout)
    figures: dict[str, tuple[int, int]] = {}
    for name in plan.order:
        if isinstance(collections[name].ownership, Layered):
            await save_layered.prepare(savings[name], counts[name])
            figures[name] = await save_layered.owned(savings[name], counts[name])
    for name in plan.order:
        custom = collections[name].custom_save
        await (custom or strategy_of(collections[name]).save)(savings[name], counts[name])
        if custom is None and name not in figures:
            figures[name] = await strategy_of(collections[name]).owned(savings[name], counts[name])
        await tell(name, counts[name])
    for name in plan.deferred:
        await save_exclusive.save_deferred(savings[name], counts[name])
    await _delete(savings, plan, counts, figures, options)
    return counts


async def _delete(
    savings: Mapping[str, Saving],
    plan: Plan,
    counts: Mapping[str, Counts],
    figures: Mapping[str, tuple[int, int]],
    options: SaveOptions,
) -> None:
    """Check the guard over all collections first, then delete in the order opposite to saving.

    `figures`: per collection what was not delivered and what the source owned before; custom ones have none.
    """
    ruled = [name for name in plan.order if name in figures]
    if not ruled:
        return
    doomed = [
        (savings[name], *figures[name])
        for name in ruled
        if options.delete and savings[name].collection.complete and not savings[name].collection.update_only
    ]
    if not options.force_delete:
        check_empty(sum(counts[name].delivered for name in ruled), sum(figures[name][1] for name in ruled))
        for saving, gone, owned in doomed:
            saving.collection.guard.check(saving.collection.name.replace("_", " "), gone, owned)
    for saving, gone, _ in reversed(doomed):
        if gone:
            await strategy_of(saving.collection).delete(saving, counts[saving.collection.name])
