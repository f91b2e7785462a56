"""The provider that `craton-inv provider new` writes, as a package of its own: held to what every provider is."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from craton_inv.cli.new_provider import standing_alone, write
from craton_inv.providers import registry
from craton_inv.settings import Settings
from tests.providers.conformance import CHECKS, Conformance
from tests.refresh.world import World

KIND = "written_anew"


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for its recorded answers; the kind is found while the test runs."""
    files = standing_alone(KIND, tmp_path / "project")
    write(files)
    package = f"craton_inv_{KIND}"
    monkeypatch.syspath_prepend(tmp_path / "project" / "src")
    monkeypatch.setitem(registry.providers(), KIND, import_module(package).PROVIDER)
    (tmp_path / "answers").mkdir()
    yield tmp_path / "answers"
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        del sys.modules[name]


@pytest.mark.parametrize("check", CHECKS)
async def test_an_object_by_target(check: str, world: World, settings: Settings, sample: Path) -> None:
    suite = await Conformance.of(world, settings, registry.get(KIND).sample(sample), {"recorded": sample})
    assert {asked.key.identity for asked in suite.objects()} == {("web-1",), ("web-2",), ("db-1",)}
    for asked in suite.objects():
        await suite.run(check, asked)


async def test_what_is_delivered_twice_is_counted_and_the_last_wins(
    world: World, settings: Settings, sample: Path
) -> None:
    suite = await Conformance.of(world, settings, registry.get(KIND).sample(sample), {"recorded": sample})
    await suite.repeated()
