"""Run one provider the way the worker does, without a job around it."""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from craton_inv.providers import registry
from craton_inv.providers.base import InputInventory, ProjectFiles, SourceDefinition, Surroundings
from craton_inv.providers.events import ObjectRef
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.parser import Parser
from craton_inv.refresh.saving import SaveOptions
from craton_inv.refresh.target import Target, Targets
from craton_inv.settings import Settings, examples_dir
from tests.providers.recorded import RecordedDoor
from tests.refresh.world import World


@dataclass
class Run:
    """What a run said and did."""

    said: list[str] = field(default_factory=list)
    counts: Mapping[str, Counts] = field(default_factory=dict)
    delivered: Mapping[str, int] = field(default_factory=dict)
    collections: Mapping[str, InventoryCollection] = field(default_factory=dict)
    incomplete: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.said)


async def _each(*items: Any) -> AsyncIterator[Any]:
    for item in items:
        yield item


def inputs_of(*documents: Mapping[str, Any], **facts: Mapping[str, Any]) -> Callable[[], AsyncIterator[InputInventory]]:
    """Inputs with these documents; `facts` by host come with the first."""

    async def inputs() -> AsyncIterator[InputInventory]:
        for number, document in enumerate(documents, 1):
            known = [(name, json.dumps(found).encode()) for name, found in facts.items()] if number == 1 else []
            yield InputInventory(f"input {number}", _each(json.dumps(document).encode()), _each(*known))

    return inputs


WEB_AND_DB = inputs_of(
    {"web": {"hosts": ["web-1"]}, "_meta": {"hostvars": {"web-1": {"role": "front", "remote_tower_id": 11}}}},
    {"db": {"hosts": ["db-1"]}, "_meta": {"hostvars": {"db-1": {"role": "back", "remote_tower_id": 12}}}},
)


async def examples() -> ProjectFiles:
    """A project that holds the examples."""
    return ProjectFiles(examples_dir())


def surroundings(settings: Settings, run: Run, inputs: Any = None, **more: Any) -> Surroundings:
    """What a worker gives a provider; the project of a source is the examples, other services are recorded ones."""
    given = {"inputs": inputs or WEB_AND_DB, "project": examples, "door": RecordedDoor(), **more}
    return Surroundings(settings, run.said.append, **given)


async def gather(
    settings: Settings, definition: SourceDefinition, run: Run | None = None, inputs: Any = WEB_AND_DB
) -> tuple[Run, Any]:
    """Collect and parse only; the collector's document when it has one."""
    run = run or Run()
    refresher = registry.refresher(definition, Targets(definition.id), surroundings(settings, run, inputs))
    try:
        await refresher.gather()
        run.delivered = refresher.persister.delivered
        return run, getattr(refresher.collector, "document", None)
    finally:
        await refresher.close()


async def refresh(
    world: World,
    settings: Settings,
    definition: SourceDefinition,
    *,
    asked: Iterable[ObjectRef] = (),
    inputs: Any = WEB_AND_DB,
    around: Mapping[str, Any] | None = None,
    parser: Callable[[Parser], Parser] | None = None,
    **options: Any,
) -> Run:
    """Collect, parse and save into the world's inventory: all, or the objects asked for.

    `around`: surroundings other than the usual ones. `parser`: what stands between the parser and the persister.
    """
    source_id = await world.source(definition.kind)
    definition = replace(definition, id=source_id, inventory_id=world.inventory_id, tenant_id=world.tenant_id)
    run = Run()
    targets = Targets(source_id, frozenset(Target.of(source_id, ref.association, ref.manager_ref) for ref in asked))
    refresher = registry.refresher(definition, targets, surroundings(settings, run, inputs, **(around or {})))
    if parser is not None:
        refresher.parser = parser(refresher.parser)
    scope = {"inventory_id": world.inventory_id, "tenant_id": world.tenant_id}
    try:
        await refresher.gather()
        async with world.engine.begin() as connection:
            run.counts = await refresher.save(connection, SaveOptions(source_id, scope, **{"delete": True, **options}))
        run.collections, run.incomplete = refresher.persister.collections, dict(refresher.incomplete)
        return run
    finally:
        await refresher.close()
