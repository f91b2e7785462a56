"""Kind http: inventories at a URL of a real server on loopback, read once, asked for conditionally, never trusted."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from craton_inv.errors import CratonInvError, InvalidField, RemoteFault, TransientError, UpdateFailed
from craton_inv.providers import registry
from craton_inv.providers.base import SourceDefinition
from craton_inv.providers.credentials.definitions import ProviderCredential
from craton_inv.settings import Settings
from tests.http_out.conftest import Request, Server, answer
from tests.providers.running import Run, refresh
from tests.refresh.world import World

DOCUMENT = {
    "web": {"hosts": ["web-1"], "vars": {"tier": "front"}},
    "_meta": {"hostvars": {"web-1": {"ansible_host": "10.0.0.1"}}},
}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server(reply=answer(json.dumps(DOCUMENT).encode()))
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    await listening.wait_closed()


@pytest.fixture
def open_settings(settings: Settings) -> Settings:
    """Loopback may be asked."""
    return settings.model_copy(update={"http_out_allow": "127.0.0.1"})


def source(server: Server, *credentials: ProviderCredential, path: str = "/hosts", **config: Any) -> SourceDefinition:
    config = {"url": f"{server.url}{path}", **config}
    return SourceDefinition(0, 0, 0, "http", source_vars=json.dumps(config), credentials=credentials)


class Memory:
    """What a source remembers between two runs."""

    def __init__(self) -> None:
        self.state: Mapping[str, Any] = {}

    def keep(self, state: Mapping[str, Any]) -> None:
        self.state = state

    def around(self) -> dict[str, Any]:
        return {"door": None, "remembered": self.state, "remember": self.keep}


async def run(
    world: World, settings: Settings, definition: SourceDefinition, memory: Memory | None = None, **options: Any
) -> Run:
    return await refresh(world, settings, definition, around=(memory or Memory()).around(), **options)


async def test_a_document_is_saved(world: World, open_settings: Settings, server: Server) -> None:
    await run(world, open_settings, source(server))
    assert await world.hosts() == {"web-1": {"ansible_host": "10.0.0.1"}}
    assert await world.groups() == {"web": {"tier": "front"}}
    assert await world.memberships() == {("web", "web-1")}


async def test_what_did_not_change_is_neither_sent_nor_written(
    world: World, open_settings: Settings, server: Server
) -> None:
    async def reply(request: Request, writer: asyncio.StreamWriter) -> None:
        known = request.headers.get("if-none-match") == '"7"'
        made = answer(status="304 Not Modified") if known else answer(json.dumps(DOCUMENT).encode(), ETag='"7"')
        await made(request, writer)

    server.reply = reply
    memory = Memory()
    await run(world, open_settings, source(server), memory)
    before = await world.row_versions()
    second = await run(world, open_settings, source(server), memory)
    assert second.counts == {}
    assert "Nothing changed since the last update." in second.said
    assert await world.row_versions() == before
    assert [request.headers.get("if-none-match") for request in server.requests] == [None, '"7"']
    third = await run(world, open_settings, source(server), memory)
    assert third.counts == {}


async def test_what_was_remembered_of_another_url_is_not_used(
    world: World, open_settings: Settings, server: Server
) -> None:
    server.reply = answer(json.dumps(DOCUMENT).encode(), ETag='"7"')
    memory = Memory()
    await run(world, open_settings, source(server), memory)
    await run(world, open_settings, source(server, path="/other"), memory)
    assert "if-none-match" not in server.requests[1].headers


async def test_a_not_modified_that_nobody_asked_for_fails_and_nothing_is_lost(
    world: World, open_settings: Settings, server: Server
) -> None:
    await run(world, open_settings, source(server))
    server.reply = answer(status="304 Not Modified")
    with pytest.raises(RemoteFault, match="answers 304"):
        await run(world, open_settings, source(server))
    assert set(await world.hosts()) == {"web-1"}


async def test_s25_templates_are_marked_and_marks_are_not_doubled(
    world: World, open_settings: Settings, server: Server
) -> None:
    evil = "{{ lookup('pipe', 'id') }}"
    document = {
        "all": {"vars": {"site": evil}},
        "web": {"hosts": ["web-1"], "vars": {"motd": evil}},
        "_meta": {"hostvars": {"web-1": {"a": [evil], "b": {"__ansible_unsafe": evil}, "c": "plain"}}},
    }
    server.reply = answer(json.dumps(document).encode())
    await run(world, open_settings, source(server))
    unsafe = {"__ansible_unsafe": evil}
    assert await world.hosts() == {"web-1": {"a": [unsafe], "b": unsafe, "c": "plain"}}
    assert await world.groups() == {"web": {"motd": unsafe}}


@pytest.mark.parametrize(
    ("reply", "kind", "told"),
    [
        (answer(b""), UpdateFailed, "no JSON"),
        (answer(b'{"web": {"hosts": ['), UpdateFailed, "no JSON"),
        (answer(b"<html>login</html>"), UpdateFailed, "no JSON"),
        (answer(b"[]"), UpdateFailed, "other than a JSON object"),
        (answer(b'{"web": 1}'), UpdateFailed, "a mapping is needed"),
        (answer(b'{"web": {"hosts": "web-1"}}'), UpdateFailed, "a list of names"),
        (answer(b'{"a": {}, "a": {}}'), UpdateFailed, "appears twice"),
        (answer(b'{"a": {"vars": {"x": NaN}}}'), UpdateFailed, "NaN"),
        (answer(b'{"a": {"vars": {"x": 1e999}}}'), UpdateFailed, "finite"),
        (answer(b'{"a": {"vars": {"x": "\\u0000"}}}'), UpdateFailed, "NUL"),
        (answer(b"[" * 5000), UpdateFailed, "Nested deeper"),
        (answer(b'{"a": ' * 100 + b"1" + b"}" * 100), UpdateFailed, "Nested deeper"),
        (answer(b"\xff\xfe"), UpdateFailed, "no JSON"),
        (answer(b"", status="404 Not Found"), RemoteFault, "answers 404"),
        (answer(b"", status="401 Unauthorized"), RemoteFault, "needs a credential"),
        (answer(b"", status="206 Partial Content"), RemoteFault, "answers 206"),
        (answer(b"", status="503 Service Unavailable"), TransientError, "answers 503"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_f11_an_answer_that_is_no_inventory_fails_and_nothing_is_lost(
    world: World,
    open_settings: Settings,
    server: Server,
    reply: Any,
    kind: type[CratonInvError],
    told: str,
) -> None:
    await run(world, open_settings, source(server))
    server.reply = reply
    with pytest.raises(kind, match=told):
        await run(world, open_settings, source(server))
    assert set(await world.hosts()) == {"web-1"}


async def test_f11_an_answer_without_any_host_is_stopped_by_the_guard(
    world: World, open_settings: Settings, server: Server
) -> None:
    await run(world, open_settings, source(server))
    server.reply = answer(b"{}")
    with pytest.raises(UpdateFailed):
        await run(world, open_settings, source(server))
    assert set(await world.hosts()) == {"web-1"}


async def test_s06_an_answer_beyond_the_limit_fails(world: World, open_settings: Settings, server: Server) -> None:
    server.reply = answer(gzip.compress(b" " * 2_000_000 + b"{}"), Content_Encoding="gzip")
    small = open_settings.model_copy(update={"upload_limit": 1_000_000})
    with pytest.raises(RemoteFault, match="larger than 1000000 bytes"):
        await run(world, small, source(server))


async def test_a_list_of_hosts_is_a_group(world: World, open_settings: Settings, server: Server) -> None:
    server.reply = answer(b'{"web": ["web-1", "web-2"]}')
    await run(world, open_settings, source(server))
    assert await world.memberships() == {("web", "web-1"), ("web", "web-2")}


@pytest.mark.parametrize(
    ("inputs", "sent"),
    [
        ({"token": "s3cret"}, "Bearer s3cret"),
        ({"username": "ada", "password": "s3cret"}, "Basic YWRhOnMzY3JldA=="),
        ({"username": "ada"}, None),
    ],
)
async def test_a_credential_logs_in(
    world: World, open_settings: Settings, server: Server, inputs: dict[str, str], sent: str | None
) -> None:
    ran = await run(world, open_settings, source(server, ProviderCredential("", inputs), headers={"X-Site": "east"}))
    assert server.requests[0].headers.get("authorization") == sent
    assert server.requests[0].headers["x-site"] == "east"
    assert "s3cret" not in ran.text


async def test_yaml_and_ini_are_read_by_ansible(world: World, open_settings: Settings, server: Server) -> None:
    server.reply = answer(
        b"all:\n  children:\n    web:\n      hosts:\n        web-[1:2]: {port: 80, motd: '{{ x }}'}\n"
    )
    await run(world, open_settings, source(server, format="yaml"))
    variables = {"port": 80, "motd": {"__ansible_unsafe": "{{ x }}"}}
    assert await world.hosts() == {"web-1": variables, "web-2": variables}
    server.reply = answer(b"[web]\nweb-1 port=81\n")
    await run(world, open_settings, source(server, format="ini"), force_delete=True)
    assert await world.hosts() == {"web-1": {"port": 81}}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"web: [", "no YAML"),
        (
            b"\n".join(
                b"k%d: &k%d [%s]" % (n, n, b", ".join([b"*k%d" % (n - 1)] * 9) if n else b"x") for n in range(8)
            ),
            "cannot be read",
        ),
        (b"[" * 500 + b"]" * 500, "cannot be read"),
    ],
    ids=["broken", "S12 an alias bomb", "S14 deep nesting"],
)
async def test_yaml_that_is_a_trap_is_refused(
    world: World, open_settings: Settings, server: Server, body: bytes, told: str
) -> None:
    server.reply = answer(body)
    with pytest.raises(UpdateFailed, match=told):
        await run(world, open_settings, source(server, format="yaml"))


async def test_s13_a_tag_that_makes_objects_makes_none(world: World, open_settings: Settings, server: Server) -> None:
    server.reply = answer(b"all:\n  hosts:\n    web-1:\n      x: !!python/object/apply:os.system [id]\n")
    with pytest.raises(UpdateFailed):
        await run(world, open_settings, source(server, format="yaml"))


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"url": "https://169.254.169.254/"}, "url: 169.254.169.254 is, or leads to"),
        ({"url": "http://inventory.example.org/"}, "url: Only https"),
        ({"url": "https://a:b@inventory.example.org/"}, "url: The URL holds credentials"),
        ({"url": "file:///etc/passwd"}, "url: Only https"),
        ({}, "url: Field required"),
        ({"url": "https://x.example.org", "format": "xml"}, "format: "),
        ({"url": "https://x.example.org", "headers": {"Authorization": "Bearer x"}}, "belongs into a credential"),
        ({"url": "https://x.example.org", "headers": {"X-A": "a\r\nHost: b"}}, "one line"),
        ({"url": "https://x.example.org", "headers": {"A b": "x"}}, "letters and dashes"),
        ({"url": "https://x.example.org", "method": "POST"}, "method: Extra inputs"),
    ],
)
def test_a_source_that_could_never_be_read_is_refused(config: dict[str, Any], told: str, settings: Settings) -> None:
    definition = SourceDefinition(0, 0, 0, "http", source_vars=json.dumps(config))
    with pytest.raises(InvalidField, match=told) as caught:
        registry.get("http").check(definition, settings)
    assert list(caught.value.fields) == ["source_vars"]
