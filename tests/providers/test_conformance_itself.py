"""The conformance suite finds what it is there for: providers that by target give less, more or something else."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from craton_inv.providers import registry
from craton_inv.providers.base import SourceDefinition, Surroundings
from craton_inv.providers.example import ExampleProvider
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets
from craton_inv.settings import Settings
from tests.providers.conformance import Conformance
from tests.refresh.world import World

Fault = Callable[[InventoryObject], InventoryObject | None]


class Faulty(ExampleProvider):
    """The example, but by target each object passes a fault; None leaves it out."""

    kind = "faulty"

    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def refresher(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> Refresher:
        """The example's, with the fault."""
        made = super().refresher(definition, targets, around)
        if not targets.full:
            made.parser = Through(made.parser, self.fault)
        return made


class Through(Parser):
    """Another parser's objects, each through a fault."""

    def __init__(self, parser: Parser, fault: Fault) -> None:
        self.parser = parser
        self.fault = fault

    async def parse(self) -> AsyncIterator[InventoryObject]:
        """What is left."""
        async for item in self.parser.parse():
            if (changed := self.fault(item)) is not None:
                yield changed


def without(name: str) -> Fault:
    """Nothing of a collection."""
    return lambda item: None if item.collection.name == name else item


def changing(name: str, **values: object) -> Fault:
    """Other values in a collection."""
    return lambda item: item._replace(values={**item.values, **values}) if item.collection.name == name else item


async def run_all(suite: Conformance, check: str) -> None:
    """One check on every object."""
    for asked in suite.objects():
        await suite.run(check, asked)


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        (without("disks"), "unchanged"),
        (without("memberships"), "altered"),
        (without("hypervisors"), "unknown"),
        (without("groups"), "unknown"),
        (changing("hosts", flavor_id=None), "unchanged"),
        (changing("hosts", variables={}), "altered"),
        (changing("flavors", cpus=64), "noted"),
        (changing("groups", variables={"other": 1}), "unchanged"),
    ],
)
async def test_a_fault_is_found(
    fault: Fault, check: str, world: World, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = Faulty(fault)
    monkeypatch.setitem(registry.providers(), provider.kind, provider)
    suite = await Conformance.of(world, settings, provider.sample(tmp_path))
    with pytest.raises(AssertionError) as caught:
        await run_all(suite, check)
    assert caught.value.__notes__[0].startswith(f"faulty: {check}: ")
