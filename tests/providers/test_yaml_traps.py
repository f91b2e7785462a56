"""S12 to S14 for every kind that hands YAML to Ansible: files on disk, uploads, projects, answers over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from craton_inv.errors import CratonInvError
from craton_inv.providers.base import ProjectFiles, SourceDefinition, Upload
from craton_inv.settings import Settings
from tests.http_out.conftest import Server, answer
from tests.providers.running import refresh
from tests.refresh.world import World

WAYS = ("file", "upload", "scm", "http")
BOMB = "\n".join(
    [
        "a0: &a0 [x, x, x, x, x, x, x, x, x]",
        *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)),
        "all: {hosts: {h: {x: *a8}}}",
    ]
)
NESTED = "all: {hosts: {h: {x: " + "[" * 500 + "]" * 500 + "}}}"
OBJECT = "all:\n  hosts:\n    h:\n      x: !!python/object/apply:os.system ['touch {trace}']\n"
ITSELF = "all:\n  hosts:\n    h: &h\n      <<: *h\n      x: 1\n"
KEPT = (
    "all:\n  hosts:\n    h:\n      secret: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        6162\n"
    "      text: !unsafe '{{ x }}'\n"
)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server on a free port of loopback."""
    made = Server(reply=answer(b"{}"))
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    await listening.wait_closed()


async def read(world: World, settings: Settings, folder: Path, server: Server, way: str, text: str) -> None:
    """Refresh from this YAML by one of the ways."""
    settings = settings.model_copy(update={"http_out_allow": "127.0.0.1", "file_roots": str(folder)})
    kind = "file" if way == "upload" else way
    definition = SourceDefinition(0, 0, 0, kind, verbosity=0)
    around: dict[str, Any] = {}
    if way == "http":
        server.reply = answer(text.encode())
        config = {"url": server.url, "format": "yaml"}
        definition, around = replace(definition, source_vars=json.dumps(config)), {"door": None}
    elif way == "upload":
        definition = replace(definition, upload=Upload("hosts.yml", text.encode()))
    else:
        (folder / "hosts.yml").write_text(text)
        definition = replace(definition, source_path="hosts.yml", source_project_id=1 if way == "scm" else None)

    async def project() -> ProjectFiles:
        return ProjectFiles(folder)

    await refresh(world, settings, definition, around={"project": project, **around})


async def refusal(world: World, settings: Settings, folder: Path, server: Server, way: str, text: str) -> str:
    """Why it is refused, with everything as it was."""
    await read(world, settings, folder, server, way, "all: {hosts: {stays: {}}}")
    before = await world.row_versions()
    with pytest.raises(CratonInvError) as caught:
        await read(world, settings, folder, server, way, text)
    assert await world.row_versions() == before
    return caught.value.message


@pytest.mark.parametrize("way", WAYS)
async def test_s12_an_alias_bomb_is_refused_before_it_grows(
    world: World, settings: Settings, tmp_path: Path, server: Server, way: str
) -> None:
    told = await refusal(world, settings, tmp_path, server, way, BOMB)
    assert "more than 100000 values" in told


@pytest.mark.parametrize("way", WAYS)
async def test_s13_a_tag_that_makes_objects_makes_none(
    world: World, settings: Settings, tmp_path: Path, server: Server, way: str
) -> None:
    trace = tmp_path / "ran"
    told = await refusal(world, settings, tmp_path, server, way, OBJECT.replace("{trace}", str(trace)))
    assert "python/object/apply" in told
    assert not trace.exists()


@pytest.mark.parametrize("way", WAYS)
async def test_s13_a_merge_that_holds_itself_is_refused(
    world: World, settings: Settings, tmp_path: Path, server: Server, way: str
) -> None:
    told = await refusal(world, settings, tmp_path, server, way, ITSELF)
    assert "*h refers to what contains it" in told


@pytest.mark.parametrize("way", WAYS)
async def test_s13_a_vault_stays_closed_and_what_is_unsafe_stays_marked(
    world: World, settings: Settings, tmp_path: Path, server: Server, way: str
) -> None:
    await read(world, settings, tmp_path, server, way, KEPT)
    stored = (await world.hosts())["h"]
    assert stored["text"] == {"__ansible_unsafe": "{{ x }}"}
    assert stored["secret"] == {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n6162\n"}


@pytest.mark.parametrize("way", WAYS)
async def test_s14_nesting_of_500_is_refused_and_the_next_refresh_works(
    world: World, settings: Settings, tmp_path: Path, server: Server, way: str
) -> None:
    told = await refusal(world, settings, tmp_path, server, way, NESTED)
    assert "Traceback" not in told
    await read(world, settings, tmp_path, server, way, "all: {hosts: {stays: {}, more: {}}}")
    assert set(await world.hosts()) == {"stays", "more"}
