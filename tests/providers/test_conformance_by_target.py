"""Every provider, on its own sample: an object by target becomes what a full refresh makes of it; no other moves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from craton_inv.db.session import unit_of_work
from craton_inv.models import Tenant
from craton_inv.providers import registry
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.refresh_queue import ObjectTarget, queue_refresh
from craton_inv.services.update_targets import load_targets
from craton_inv.settings import Settings
from tests.factories import make_project
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


@pytest.mark.parametrize("kind", registry.kinds())
async def test_an_object_of_a_kind_that_knows_whole_sources_only_means_the_whole_source(
    kind: str, world: World, settings: Settings, tmp_path: Path
) -> None:
    provider = registry.get(kind)
    sample = provider.sample(tmp_path)
    async with unit_of_work(world.factory) as session:
        tenant = await session.get_one(Tenant, world.tenant_id)
        project = await make_project(session, tenant=tenant) if kind == "scm" else None
    source_id = await world.source(
        source=kind,
        source_vars=sample.source_vars,
        source_path=sample.source_path,
        source_project_id=project.id if project is not None else None,
    )
    for association, ways in provider.target_refs.items():
        for columns in ways:
            asked = ObjectTarget(source_id, association, dict.fromkeys(columns, "x"))
            async with world.factory() as session:
                [update] = await queue_refresh(session, SYSTEM, [asked], threshold=1)
                assert update.kind == ("targeted" if kind in TARGETED else "full")
                kept = await load_targets(session, update.id, source_id)
                assert len(kept.items) == (kind in TARGETED)
