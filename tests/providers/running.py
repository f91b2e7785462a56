"""Run one provider the way the worker does, without a job around it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from craton_inv.providers import registry
from craton_inv.providers.base import SourceDefinition, Surroundings
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.saving import SaveOptions
from craton_inv.refresh.target import Targets
from craton_inv.settings import Settings
from tests.refresh.world import World


@dataclass
class Run:
    """What a run said and did."""

    said: list[str] = field(default_factory=list)
    counts: Mapping[str, Counts] = field(default_factory=dict)
    delivered: Mapping[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.said)


async def gather(settings: Settings, definition: SourceDefinition, run: Run | None = None) -> tuple[Run, Any]:
    """Collect and parse only; the collector's document when it has one."""
    run = run or Run()
    refresher = registry.get(definition.kind).refresher(
        definition, Targets(definition.id), Surroundings(settings, run.said.append)
    )
    try:
        await refresher.gather()
        run.delivered = refresher.persister.delivered
        return run, getattr(refresher.collector, "document", None)
    finally:
        await refresher.close()


async def refresh(world: World, settings: Settings, definition: SourceDefinition, **options: Any) -> Run:
    """Collect, parse and save into the world's inventory."""
    source_id = await world.source(definition.kind)
    definition = replace(definition, id=source_id, inventory_id=world.inventory_id, tenant_id=world.tenant_id)
    run = Run()
    refresher = registry.get(definition.kind).refresher(
        definition, Targets(source_id), Surroundings(settings, run.said.append)
    )
    scope = {"inventory_id": world.inventory_id, "tenant_id": world.tenant_id}
    try:
        await refresher.gather()
        async with world.engine.begin() as connection:
            run.counts = await refresher.save(connection, SaveOptions(source_id, scope, **{"delete": True, **options}))
        return run
    finally:
        await refresher.close()
