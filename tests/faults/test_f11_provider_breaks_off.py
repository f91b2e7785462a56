"""F11: a provider that refuses, hangs or answers too little, page by page over HTTP: nothing is deleted for it."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from craton_inv.errors import CratonInvError
from craton_inv.http_out.door import Limits
from craton_inv.providers import registry
from craton_inv.providers.base import Provider, SourceDefinition, Surroundings
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets
from tests.http_out.conftest import Request, Server, answer
from tests.jobs.updates import Updates, updates
from tests.refresh.conftest import factory, refresh_engine, world

__all__ = ["factory", "refresh_engine", "updates", "world"]
PAGES, A_PAGE = 20, 50
PATIENCE_S = 2.0


class PagedProvider(Provider):
    """Machines by name and size from pages at `source_vars`; a page that cannot be read leaves a gap."""

    kind = "paged"
    patience = 60.0  # seconds a page may take

    def refresher(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> Refresher:
        collector = PagedCollector(targets, definition.source_vars, around, self.patience)
        persister = InventoryPersister(definition.inventory_id)
        return Refresher(collector, PagedParser(collector, persister), persister, around.progress)

    def sample(self, folder: Path) -> SourceDefinition:
        return SourceDefinition(0, 0, 0, self.kind)


class PagedCollector(Collector):
    """Offers `machines`."""

    def __init__(self, targets: Targets, url: str, around: Surroundings, patience: float) -> None:
        super().__init__(targets)
        self.url = url
        self.around = around
        self.patience = patience

    async def machines(self) -> AsyncIterator[tuple[str, int]]:
        for page in range(1, PAGES + 1):
            try:
                found = await self.around.http().get(f"{self.url}/{page}", limits=Limits(seconds=self.patience))
            except CratonInvError as error:
                self.read_partly("hosts", f"page {page} of {PAGES}: {error.message}")
                continue
            if found.status != 200:
                self.read_partly("hosts", f"page {page} of {PAGES}: {found.status}")
                continue
            for name, size in json.loads(found.content):
                yield name, size


class PagedParser(Parser):
    """A host a machine."""

    def __init__(self, collector: PagedCollector, persister: InventoryPersister) -> None:
        self.collector = collector
        self.persister = persister

    async def parse(self) -> AsyncIterator[InventoryObject]:
        async for name, size in self.collector.machines():
            yield self.persister.hosts.build(name=name, variables={"size": size})


class Cloud:
    """The pages. `broken`: what becomes of a page; `machines`: how many there are; `size`: of each."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.machines = PAGES * A_PAGE
        self.size = 1
        self.broken: dict[int, str] = {}
        server.reply = self.reply

    async def reply(self, request: Request, writer: asyncio.StreamWriter) -> None:
        page = int(request.target.rsplit("/", 1)[1])
        fault = self.broken.get(page)
        if fault == "403":
            await answer(b"", status="403 Forbidden")(request, writer)
        elif fault == "timeout":
            await asyncio.sleep(3 * PATIENCE_S)
        elif fault == "cut off":
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[["m')
        else:
            numbers = range((page - 1) * A_PAGE, min(page * A_PAGE, self.machines))
            await answer(json.dumps([(f"m-{number}", self.size) for number in numbers]).encode())(request, writer)


@pytest.fixture
async def cloud(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cloud]:
    """A thousand machines on twenty pages."""
    monkeypatch.setitem(registry.providers(), PagedProvider.kind, PagedProvider())
    server = Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    yield Cloud(server)
    listening.close()
    await listening.wait_closed()


@pytest.fixture
async def filled(updates: Updates, cloud: Cloud) -> Updates:
    """All of them, saved by an update that owns them."""
    updates.settings = updates.settings.model_copy(update={"http_out_allow": "127.0.0.1"})
    ended = await updates.run(source=PagedProvider.kind, source_vars=cloud.server.url, overwrite=True)
    assert ended.status == "successful"
    return updates


@pytest.mark.parametrize(
    ("fault", "told"), [("403", "403"), ("timeout", "took more than 2 seconds"), ("cut off", "broke off")]
)
async def test_f11_one_of_twenty_pages_that_fails_deletes_nothing(
    filled: Updates, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, fault: str, told: str
) -> None:
    if fault == "timeout":
        monkeypatch.setattr(PagedProvider, "patience", PATIENCE_S)
    cloud.broken, cloud.size = {7: fault}, 2
    ended = await filled.run()
    assert (ended.status, ended.result["result"]) == ("failed", "partial")
    assert ended.result["incomplete"]["hosts"].startswith("page 7 of 20: ")
    assert told in ended.job_explanation
    hosts = await filled.world.hosts()
    assert len(hosts) == PAGES * A_PAGE
    assert sum(variables["size"] == 2 for variables in hosts.values()) == (PAGES - 1) * A_PAGE


@pytest.mark.parametrize(
    ("left", "told"), [(0, "delivered nothing"), (450, "550")], ids=["an empty list", "less than half a list"]
)
async def test_f11_too_short_a_list_said_to_be_whole_stops_at_the_guard(
    filled: Updates, cloud: Cloud, left: int, told: str
) -> None:
    before = await filled.world.row_versions()
    cloud.machines, cloud.size = left, 2
    ended = await filled.run()
    assert (ended.status, told in ended.job_explanation) == ("failed", True)
    after = await filled.world.row_versions()
    assert {**after, "sources": ()} == {**before, "sources": ()}


async def test_f11_once_all_pages_are_read_again_what_is_gone_goes(filled: Updates, cloud: Cloud) -> None:
    cloud.broken = {20: "403"}
    await filled.run()
    cloud.broken, cloud.machines = {}, 990
    assert (await filled.run()).status == "successful"
    assert len(await filled.world.hosts()) == 990
