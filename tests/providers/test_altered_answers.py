"""Clouds whose recorded answers were altered, one part at a time: each is read, or refused in words of ours."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from craton_inv.errors import CratonInvError
from craton_inv.providers import registry
from craton_inv.providers.base import SourceDefinition, Surroundings
from craton_inv.refresh.target import Targets
from craton_inv.settings import Settings
from tests.providers.running import refresh
from tests.refresh.world import World

GONE = object()
DEEP: Any = None
for _ in range(100):
    DEEP = [DEEP]
VALUES = [
    GONE, None, 0, -1, 10**30, 1.5, True, "", "x", "10", "h" * 300, "a\0b", "\ud800", "{{ x }}", "1e999", float("inf"),
    [], [None], [[]], ["x"], {}, {"a": 1}, DEEP,
]  # fmt: skip
Path_ = tuple[str | int, ...]


def places(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Where an answer has something: every key, and the first object of every list."""
    yield at
    parts = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, part in parts:
        yield from places(part, (*at, key))


def altered(answer: Any, place: Path_, value: Any) -> Any:
    """The answer with something else there."""
    if not place:
        return {} if value is GONE else value
    answer = copy.deepcopy(answer)
    holder = answer
    for part in place[:-1]:
        holder = holder[part]
    if value is GONE:
        del holder[place[-1]]
    else:
        holder[place[-1]] = value
    return answer


async def read(definition: SourceDefinition, settings: Settings, answers: Path) -> None:
    """Collect and parse, as an update does before it writes."""
    refresher = registry.refresher(definition, Targets(0), Surroundings(settings, recorded=answers))
    try:
        await refresher.gather()
    finally:
        await refresher.close()


def alterations(answers: Path, every: int) -> Iterator[tuple[Path, Path_, Any]]:
    """Each `every`-th place of each answer with each value; the file is altered while one is out."""
    number = 0
    for file in sorted(answers.glob("*.json")):
        text = file.read_text()
        answer = json.loads(text)
        for place in places(answer):
            number += 1
            for value in VALUES if number % every == 0 else ():
                file.write_text(json.dumps(altered(answer, place, value)))
                yield file, place, value
        file.write_text(text)


async def alter_all(kind: str, settings: Settings, answers: Path, every: int) -> list[str]:
    """What was said of the altered answers that were refused."""
    definition = registry.get(kind).sample(answers)
    said: list[str] = []
    for file, place, value in alterations(answers, every):
        try:
            await read(definition, settings, answers)
        except CratonInvError as failure:
            said.append(failure.message)
        except Exception as crash:
            raise AssertionError(f"{file.name}: {place} = {value!r} ends in {crash!r}") from crash
    return said


@pytest.mark.parametrize("kind", ["ec2", "openstack"])
@pytest.mark.parametrize("every", [43, pytest.param(1, marks=pytest.mark.full)])
async def test_an_answer_in_another_form_is_read_or_refused_in_plain_words(
    settings: Settings, tmp_path: Path, kind: str, every: int
) -> None:
    said = await alter_all(kind, settings, tmp_path, every)
    assert said
    assert [text for text in said if not text.endswith(".")] == []


@pytest.mark.parametrize(
    ("kind", "file", "place", "told"),
    [
        ("ec2", "eu-central-1.describe_instances.json", ("Reservations", 0, "Instances", 0, "Tags", 0, "Key"), "'Key'"),
        ("openstack", "compute.servers.detail.json", ("servers", 0, "addresses", "private", 0, "addr"), "'addr'"),
    ],
)
async def test_what_is_missing_and_where_is_told_and_nothing_is_lost(
    world: World, settings: Settings, tmp_path: Path, kind: str, file: str, place: Path_, told: str
) -> None:
    definition = registry.get(kind).sample(tmp_path)
    await refresh(world, settings, definition, around={"recorded": tmp_path})
    before = await world.row_versions()
    answer = json.loads((tmp_path / file).read_text())
    (tmp_path / file).write_text(json.dumps(altered(answer, place, GONE)))
    with pytest.raises(CratonInvError, match=f"The answer cannot be read: {told} is missing"):
        await refresh(world, settings, definition, around={"recorded": tmp_path})
    assert await world.row_versions() == before
