"""Every provider, on its own sample: an object by target becomes what a full refresh makes of it; no other moves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from craton_inv.providers import registry
from craton_inv.settings import Settings
from tests.providers.conformance import CHECKS, Conformance
from tests.refresh.world import World

TARGETED = [kind for kind, provider in sorted(registry.providers().items()) if provider.allow_targeted_refresh]
MANY_REFRESHES = {"lost", "gone"}  # three for each object: the quick tier does that for the smallest sample


def each_check() -> Iterator[Any]:
    """Kinds and checks."""
    for kind in TARGETED:
        for check in CHECKS:
            slow = kind in ("ec2", "openstack") and check in MANY_REFRESHES
            yield pytest.param(kind, check, marks=pytest.mark.full if slow else ())


async def suite_of(kind: str, world: World, settings: Settings, folder: Path) -> Conformance:
    """The sample of a kind, refreshed in full."""
    return await Conformance.of(world, settings, registry.get(kind).sample(folder), {"recorded": folder})


def test_kinds_refresh_single_objects() -> None:
    assert {"ec2", "example", "openstack"} <= set(TARGETED)


@pytest.mark.parametrize(("kind", "check"), [*each_check()])
async def test_an_object_by_target(kind: str, check: str, world: World, settings: Settings, tmp_path: Path) -> None:
    suite = await suite_of(kind, world, settings, tmp_path)
    for asked in suite.objects():
        await suite.run(check, asked)


@pytest.mark.parametrize("kind", TARGETED)
async def test_a_sample_has_an_object_for_each_way_of_asking(
    kind: str, world: World, settings: Settings, tmp_path: Path
) -> None:
    suite = await suite_of(kind, world, settings, tmp_path)
    asked = {(each.ref.association, frozenset(each.ref.manager_ref)) for each in suite.objects()}
    ways = registry.get(kind).target_refs.items()
    assert asked == {(association, frozenset(columns)) for association, each in ways for columns in each}


@pytest.mark.parametrize("kind", TARGETED)
async def test_what_is_delivered_twice_is_counted_and_the_last_wins(
    kind: str, world: World, settings: Settings, tmp_path: Path
) -> None:
    suite = await suite_of(kind, world, settings, tmp_path)
    await suite.repeated()
