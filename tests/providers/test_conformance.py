"""Every provider, on its own sample: it parses, saves, and saves again without writing a row."""

from dataclasses import replace
from pathlib import Path

import pytest

from craton_inv.errors import InvalidField
from craton_inv.providers import registry
from craton_inv.providers.base import SourceDefinition
from craton_inv.settings import Settings
from tests.providers.running import refresh
from tests.refresh.world import World, written

KINDS = registry.kinds()
# Kinds that differ in a row of a table are one provider: the quick tier runs the first of them.
FIRST_OF_EACH = {type(provider): kind for kind, provider in sorted(registry.providers().items(), reverse=True)}
RUN = [kind if kind in FIRST_OF_EACH.values() else pytest.param(kind, marks=pytest.mark.full) for kind in KINDS]


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Settings by which Ansible finds the stand-ins that samples write."""
    return settings.model_copy(update={"ansible_collections_path": str(tmp_path)})


def test_the_shipped_kinds_are_found() -> None:
    assert {"example", "file"} <= set(KINDS)


def test_an_unknown_kind_is_refused_by_field() -> None:
    with pytest.raises(InvalidField, match='"nonsense" is not a valid choice') as caught:
        registry.get("nonsense")
    assert list(caught.value.fields) == ["source"]


@pytest.mark.parametrize("kind", RUN)
async def test_a_sample_is_saved_and_saved_again_without_a_write(
    kind: str, world: World, settings: Settings, tmp_path: Path
) -> None:
    sample = registry.get(kind).sample(tmp_path)
    recorded = {"recorded": tmp_path}
    first = await refresh(world, settings, sample, around=recorded)
    assert first.counts["hosts"].created > 0
    assert first.counts["memberships"].created > 0
    before = await world.row_versions()
    second = await refresh(world, settings, sample, around=recorded)
    assert written(second.counts) == 0
    assert await world.row_versions() == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_passes_its_own_check(kind: str, settings: Settings, tmp_path: Path) -> None:
    provider = registry.get(kind)
    sample = provider.sample(tmp_path)
    provider.check(sample, settings)
    assert provider.why_not_updatable(sample.source_path, uploaded=False) == ""


@pytest.mark.parametrize(
    ("source_vars", "reason"),
    [
        ('{"hosts": -1}', "hosts: Input should be greater than or equal to 0"),
        ('{"prefix": "A"}', "prefix: String should match pattern"),
        ('{"machines": 1}', "machines: Extra inputs are not permitted"),
        ("[", "Cannot parse as JSON"),
    ],
)
def test_a_wrong_configuration_is_refused_by_key(source_vars: str, reason: str) -> None:
    with pytest.raises(InvalidField, match=reason) as caught:
        registry.get("example").read_config(source_vars)
    assert list(caught.value.fields) == ["source_vars"]


async def test_a_machine_that_keeps_its_id_is_renamed_in_place(world: World, settings: Settings) -> None:
    before = SourceDefinition(0, 0, 0, "example", source_vars='{"hosts": 2, "prefix": "web"}')
    await refresh(world, settings, before)
    row = await world.host("web-1")
    after = replace(before, source_vars='{"hosts": 2, "prefix": "app"}')
    run = await refresh(world, settings, after)
    assert (await world.host("app-1")).id == row.id
    assert set(await world.hosts()) == {"app-1", "app-2"}
    assert (run.counts["hosts"].created, run.counts["hosts"].deleted) == (0, 0)


async def test_the_example_makes_what_its_configuration_says(world: World, settings: Settings, tmp_path: Path) -> None:
    sample = registry.get("example").sample(tmp_path)
    await refresh(world, settings, sample)
    assert await world.memberships() == {("web", "web-1"), ("web", "web-2")}
    assert (await world.hosts())["web-2"] == {"ansible_host": "10.0.0.2"}
