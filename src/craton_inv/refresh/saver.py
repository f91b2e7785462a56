"""The saver: load the stages, save collections layer by layer, then delete what is missing, in one transaction."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from craton_inv.refresh import save_exclusive, save_layered
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.deletion import Deletion, strategy_of
from craton_inv.refresh.graph import Plan
from craton_inv.refresh.listing import Listing
from craton_inv.refresh.loading import load_stages
from craton_inv.refresh.name_filter import apply_name_filter
from craton_inv.refresh.ownership import Layered
from craton_inv.refresh.parents import all_parents
from craton_inv.refresh.repeated import drop_repeated
from craton_inv.refresh.saving import SaveOptions, Saving
from craton_inv.refresh.staging import Stage
from craton_inv.refresh.target_scope import find
from craton_inv.refresh.unconnected import keep_unconnected
from craton_inv.refresh.versions import drop_overtaken, is_overtaken, looks_back

# Staging tables need no fine statistics: to gather them would cost more than half of what a quiet refresh costs.
PLANNING = {"jit": "off", "default_statistics_target": "10", "enable_nestloop": "on"}
WORK_MEMORY = "64MB"  # a hash of 400 000 identities fits; beyond that PostgreSQL goes on on disk
MANY = 2000  # delivered rows from which joins are made between sets alone
Tell = Callable[[str, Counts], Awaitable[None]]


async def save(
    connection: AsyncConnection,
    stages: Mapping[str, Stage],
    plan: Plan,
    options: SaveOptions,
    tell: Tell,
    links_table: Table | None = None,
    listings: Mapping[str, Listing] = MappingProxyType({}),
) -> dict[str, Counts]:
    """Save all stages in the caller's transaction. The number of statements depends on the collections alone.

    `tell` hears of each collection once it is saved. `links_table` keeps links that lead nowhere, if there is one.
    Raises UpdateFailed for a target that nothing answers to, and when the guard stops the deletion; the caller rolls
    everything back.
    """
    collections = {name: stage.collection for name, stage in stages.items()}
    counts = {name: Counts(delivered=stage.count) for name, stage in stages.items()}
    if is_overtaken(options):
        for count in counts.values():
            count.overtaken = count.delivered
        return counts
    binds: dict[str, tuple[Any, Any]] = {}
    savings = {
        name: Saving(connection, stage, collections, options, plan.deferred.get(name, ()), binds)
        for name, stage in stages.items()
    }
    parents = all_parents(collections)
    deletion = Deletion(savings, plan, parents, options)
    await _load(connection, stages, counts, options)
    scope = None if options.targets is None else await find(savings, parents, options.targets)
    work = [name for name in plan.order if savings[name].loaded]
    if looks_back(options):
        for name in work:
            await drop_overtaken(savings[name], savings, parents, counts[name])
    for name in work:
        if isinstance(collections[name].ownership, Layered):
            figures = await save_layered.prepare(savings[name], counts[name])
            if scope is None:
                deletion.figures[name] = figures
    for name in work:
        custom = collections[name].custom_save_block
        await drop_repeated(savings[name], counts[name])
        await (custom or strategy_of(collections[name]).save)(savings[name], counts[name])
        if scope is None and custom is None and name not in deletion.figures:
            deletion.figures[name] = await strategy_of(collections[name]).owned(savings[name], counts[name])
        await tell(name, counts[name])
    for name, columns in plan.passes:
        if savings[name].loaded:
            await save_exclusive.save_deferred(savings[name], columns, counts[name])
    if scope is None:
        await deletion.full(counts)
    else:
        await deletion.targeted(counts, scope)
    for listing in listings.values():
        await load_stages(connection, listing.stages, empty=True)
    await deletion.listed(counts, listings)
    if links_table is not None:
        await keep_unconnected(savings, counts, links_table)
    return counts


async def _load(
    connection: AsyncConnection, stages: Mapping[str, Stage], counts: Mapping[str, Counts], options: SaveOptions
) -> None:
    """Fill the staging tables and take out what a name filter leaves out."""
    # Statistics know nothing of an inventory that is new: expecting a handful of rows, the planner would compare every
    # saved row with every staged one. Every join of many rows is between sets; a few are looked up one by one.
    full = options.targets is None
    sets = full or sum(stage.count for stage in stages.values()) > MANY
    # This is also what begins the transaction that the staging tables live in.
    modes = {**PLANNING, "enable_nestloop": "off", "work_mem": WORK_MEMORY} if sets else PLANNING
    await connection.execute(select(*(func.set_config(name, value, True) for name, value in modes.items())))
    await load_stages(connection, stages, empty=full)
    for name, stage in stages.items():
        counts[name].repeated = stage.duplicates
        if stage.rows and stage.collection.name_filter:
            counts[name].delivered -= await apply_name_filter(connection, stage, options.filter_timeout)
