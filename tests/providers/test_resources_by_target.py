"""Collections of a provider's own, by target: they share a table, and none touches the rows of another."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import pytest

from craton_inv.providers import registry
from craton_inv.providers.base import Provider, SourceDefinition, Surroundings
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets
from craton_inv.settings import Settings
from tests.providers.conformance import CHECKS, Conformance
from tests.refresh.world import World

THINGS = {"vaults": ("a", "b"), "shelves": ("a", "c")}  # what they are called may be the same


class Storage(Provider):
    """Vaults and shelves, in full or by their refs."""

    kind = "storage"
    allow_targeted_refresh = True
    target_refs: ClassVar[Mapping[str, tuple[tuple[str, ...], ...]]] = MappingProxyType(
        dict.fromkeys(THINGS, (("ref",),))
    )

    def refresher(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> Refresher:
        """Two collections of its own."""
        persister = InventoryPersister(definition.inventory_id)
        for name in THINGS:
            persister.add_resource_collection(name)
        return Refresher(Collector(targets), StorageParser(targets, persister), persister)

    def sample(self, folder: Path) -> SourceDefinition:
        """Nothing to keep."""
        return SourceDefinition(0, 0, 0, self.kind)


class StorageParser(Parser):
    """What is asked for."""

    def __init__(self, targets: Targets, persister: InventoryPersister) -> None:
        self.targets = targets
        self.persister = persister

    async def parse(self) -> AsyncIterator[InventoryObject]:
        """An object each."""
        for name, refs in THINGS.items():
            for ref in refs:
                if self.targets.full or ref in self.targets.values(name, "ref"):
                    yield self.persister[name].build(
                        ref=ref, name=f"{name} {ref}", attributes={"of": name}, links={"next": ref}
                    )


@pytest.mark.parametrize("check", CHECKS)
async def test_an_object_by_target(
    check: str, world: World, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Storage()
    monkeypatch.setitem(registry.providers(), provider.kind, provider)
    suite = await Conformance.of(world, settings, provider.sample(tmp_path))
    assert len([*suite.objects()]) == 4
    for asked in suite.objects():
        await suite.run(check, asked)
