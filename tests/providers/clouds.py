"""Refreshing from a cloud's own API server, as the worker does, in full or single machines."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from craton_inv.providers import registry
from craton_inv.providers.base import SourceDefinition, Surroundings
from craton_inv.providers.events import ObjectRef
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.saving import SaveOptions
from craton_inv.refresh.target import Target, Targets
from craton_inv.settings import Settings
from tests.refresh.world import World


@dataclass
class Run:
    """What a refresh did."""

    counts: Mapping[str, Counts]
    incomplete: Mapping[str, str]


async def refresh(world: World, settings: Settings, definition: SourceDefinition, *asked: str | ObjectRef) -> Run:
    """Refresh all, or these objects, machines by their ids, as the worker does."""
    source_id = await world.source(definition.kind)
    known = replace(definition, id=source_id, inventory_id=world.inventory_id, tenant_id=world.tenant_id)
    refs = (ObjectRef("hosts", {"instance_id": each}) if isinstance(each, str) else each for each in asked)
    targets = Targets(source_id, frozenset(Target.of(source_id, ref.association, ref.manager_ref) for ref in refs))
    refresher = registry.refresher(known, targets, Surroundings(settings))
    scope = {"inventory_id": world.inventory_id, "tenant_id": world.tenant_id}
    try:
        await refresher.gather()
        async with world.engine.begin() as connection:
            counts = await refresher.save(connection, SaveOptions(source_id, scope, delete=True))
            return Run(counts, dict(refresher.incomplete))
    finally:
        await refresher.close()


async def rows(world: World, model: Any) -> list[Any]:
    """Rows of the world's inventory, by name."""
    async with world.factory() as session:
        found = select(model).where(model.inventory_id == world.inventory_id)
        return [*await session.scalars(found.order_by(model.name, model.id))]
