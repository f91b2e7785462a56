"""Whatever a source answers, by every way that an answer comes in: read as documented, or refused and nothing lost."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from craton_inv.errors import CratonInvError
from craton_inv.providers.ansible_plugins.stand_in import install
from craton_inv.providers.base import ProjectFiles, SourceDefinition
from craton_inv.settings import Settings
from tests.http_out.conftest import Server, answer
from tests.providers.bad_documents import CASES, NOT_PARSED, TEXTS, Case, deep, named
from tests.providers.running import Run, inputs_of, refresh
from tests.refresh.world import World

QUICK = ("Jinja in a host", "NUL in a value", "groups in a circle", "60 levels")
ALL = {**CASES, **TEXTS}


class Source:
    """A source of one kind, whose next answer a test sets."""

    def __init__(self, kind: str, folder: Path, server: Server) -> None:
        self.kind = kind
        self.folder = folder
        self.server = server
        self.definition = SourceDefinition(0, 0, 0, kind, verbosity=0)
        self.around: dict[str, Any] = {}
        self.inputs: Any = None
        self.settings: Mapping[str, Any] = {}

    def answers(self, case: Case) -> None:
        """This comes next."""
        getattr(self, f"_{self.kind}")(case)

    def _http(self, case: Case) -> None:
        self.server.reply = answer(case.body)
        self.around, self.settings = {"door": None}, {"http_out_allow": "127.0.0.1"}
        self._define(source_vars=json.dumps({"url": self.server.url}))

    def _controller(self, case: Case) -> None:
        self._http(case)
        self._define(source_vars=json.dumps({"host": self.server.url, "inventory_id": 1}))

    def _file(self, case: Case) -> None:
        (self.folder / "answer.txt").write_bytes(case.body)
        program = self.folder / "run.sh"
        program.write_text(f"#!/bin/sh\nexec cat {self.folder}/answer.txt\n")
        program.chmod(0o700)
        self.settings = {"allow_executable_inventories": True, "file_roots": str(self.folder)}
        self._define(source_path=str(program))

    def _scm(self, case: Case) -> None:
        self._file(case)
        self._define(source_path="run.sh", source_project_id=1)

        async def project() -> ProjectFiles:
            return ProjectFiles(self.folder)

        self.around = {"project": project}

    def _constructed(self, case: Case) -> None:
        self.inputs = inputs_of(case.answer)

    def _define(self, **values: Any) -> None:
        self.definition = SourceDefinition(0, 0, 0, self.kind, verbosity=0, **values)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server on a free port of loopback."""
    made = Server(reply=answer(b"{}"))
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    await listening.wait_closed()


async def run(world: World, settings: Settings, source: Source, **options: Any) -> Run:
    """One refresh of it."""
    changed = settings.model_copy(update=dict(source.settings))
    inputs = {} if source.inputs is None else {"inputs": source.inputs}
    return await refresh(world, changed, source.definition, around=source.around, **inputs, **options)


async def become_of(world: World, settings: Settings, source: Source, case: Case, told: set[str] | str) -> None:
    """The source delivers a host, then the case: it is read, or refused with every row as it was."""
    source.answers(Case(named("stays"), set(), set()))
    await run(world, settings, source)
    before = await world.row_versions()
    source.answers(case)
    if isinstance(told, set):
        await run(world, settings, source, force_delete=True)
        assert set(await world.hosts()) == told
        return
    with pytest.raises(CratonInvError) as caught:
        await run(world, settings, source)
    assert re.search(told, caught.value.message)
    assert "Traceback" not in caught.value.message
    assert len(caught.value.message) < 5000
    assert await world.row_versions() == before


def tiered(names: Iterable[str]) -> list[Any]:
    """These; all but a few in the long tests, for each is two runs of Ansible."""
    return [pytest.param(name, marks=() if name in QUICK else pytest.mark.full) for name in names]


@pytest.mark.parametrize("name", ALL)
async def test_an_answer_over_http(world: World, settings: Settings, tmp_path: Path, server: Server, name: str) -> None:
    await become_of(world, settings, Source("http", tmp_path, server), ALL[name], ALL[name].remote)


@pytest.mark.parametrize("name", tiered(ALL))
async def test_an_answer_of_a_controller(
    world: World, settings: Settings, tmp_path: Path, server: Server, name: str
) -> None:
    await become_of(world, settings, Source("controller", tmp_path, server), ALL[name], ALL[name].remote)


@pytest.mark.parametrize("name", tiered(ALL))
async def test_an_answer_of_a_program(
    world: World, settings: Settings, tmp_path: Path, server: Server, name: str
) -> None:
    await become_of(world, settings, Source("file", tmp_path, server), ALL[name], ALL[name].ansible)


@pytest.mark.parametrize("name", QUICK)
async def test_an_answer_of_a_program_in_a_project(
    world: World, settings: Settings, tmp_path: Path, server: Server, name: str
) -> None:
    await become_of(world, settings, Source("scm", tmp_path, server), ALL[name], ALL[name].ansible)


@pytest.mark.parametrize("name", tiered(CASES))
async def test_an_input_of_a_constructed_inventory(
    world: World, settings: Settings, tmp_path: Path, server: Server, name: str
) -> None:
    await become_of(world, settings, Source("constructed", tmp_path, server), CASES[name], CASES[name].ansible)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"hosts": {"{{ x }}": {}}}, "Inline Jinja variables"),
        ({"hosts": {"a\nb": {}}}, "control character"),
        ({"hosts": {"h" * 600: {}}}, "at most 512"),
        ({"hosts": [1]}, NOT_PARSED),
        ({"hosts": {"h": None}}, NOT_PARSED),
        ({"hosts": {"h": {}}, "groups_of_hosts": {"h": ["h"]}}, "can't add group to itself"),
        ({"hosts": {"h": {"a": deep(60)}}}, {"h"}),
        ({"hosts": {"h:22": {}, "h" * 300: {}}}, {"h", "h" * 300}),
        ({"hosts": {}}, "delivered nothing"),
    ],
    ids=["Jinja", "line end", "600", "list", "null", "circle", "60 levels", "port and 300", "nothing"],
)
async def test_an_answer_of_a_plugin(
    world: World, settings: Settings, tmp_path: Path, options: dict[str, Any], told: set[str] | str
) -> None:
    install("google.cloud.gcp_compute", tmp_path / "collections")
    changed = settings.model_copy(update={"ansible_collections_path": str(tmp_path / "collections")})

    def cloud(said: dict[str, Any]) -> SourceDefinition:
        return SourceDefinition(0, 0, 0, "gce", source_vars=json.dumps(said), verbosity=0)

    await refresh(world, changed, cloud({"hosts": {"stays": {}}}))
    before = await world.row_versions()
    if isinstance(told, set):
        await refresh(world, changed, cloud(options))
        assert set(await world.hosts()) == told
        return
    with pytest.raises(CratonInvError) as caught:
        await refresh(world, changed, cloud(options))
    assert told in caught.value.message
    assert await world.row_versions() == before
