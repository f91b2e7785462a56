"""inventory_sources/ and inventory_updates/: definitions, uploads, starting, cancelling, output."""

import hashlib
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.session import SessionFactory
from craton_inv.models import (
    Group,
    GroupSource,
    Host,
    HostSource,
    Inventory,
    InventorySource,
    InventoryUpdate,
    InventoryUpdateEvent,
    Job,
)
from craton_inv.services import inventory_sources
from craton_inv.services.update_events import EventWriter
from tests.factories import make_group, make_host, make_source, save

SOURCES = "/api/v2/inventory_sources/"


@pytest.fixture
async def source(session: AsyncSession, inventory: Inventory) -> InventorySource:
    """A source of kind `file` with nothing to read."""
    return await make_source(session, "src", inventory=inventory)


async def make_run(session: AsyncSession, source: InventorySource, **values: Any) -> InventoryUpdate:
    """A run of a source."""
    values.setdefault("status", "successful")
    row = InventoryUpdate(
        inventory_id=source.inventory_id,
        tenant_id=source.tenant_id,
        inventory_source_id=source.id,
        name=f"run of {source.name}",
        **values,
    )
    run: InventoryUpdate = await save(session, row)
    return run


async def test_a_source_keeps_its_texts(client: httpx.AsyncClient, inventory: Inventory) -> None:
    body = {"name": "s", "inventory": inventory.id, "source": "file", "source_vars": '{"A": "1"}', "overwrite": 1}
    answer = await client.post(SOURCES, json=body)
    assert answer.status_code == 201, answer.text
    found = (await client.get(answer.json()["url"])).json()
    assert (found["source_vars"], found["overwrite"], found["status"]) == ('{"A": "1"}', True, "never updated")
    assert found["related"]["update"] == f"{found['url']}update/"


async def test_manual_is_the_empty_source(client: httpx.AsyncClient, inventory: Inventory) -> None:
    made = (await client.post(SOURCES, json={"name": "s", "inventory": inventory.id, "source": "manual"})).json()
    assert made["source"] == ""
    assert (await client.get(made["related"]["update"])).json() == {"can_update": False}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"source": "nonsense"}, "source"),
        ({"source": "file", "verbosity": 3}, "verbosity"),
        ({"source": "file", "update_cache_timeout": -1}, "update_cache_timeout"),
        ({"source": "file", "source_vars": "a: ["}, "source_vars"),
        ({"source": "file", "host_filter": "("}, "host_filter"),
        ({"source": "file", "host_filter": "a" * 129}, "host_filter"),
        ({"source": "file", "source_path": "/etc/passwd"}, "source_path"),
        ({"source": "", "source_path": "x"}, "detail"),
        ({"source": "file", "limit": "\0"}, "detail"),
        ({"source": "file", "timeout": 10**30}, "timeout"),
        ({"source": "file", "timeout": "1"}, "timeout"),
        ({"source": None}, "source"),
    ],
)
async def test_what_could_never_be_refreshed_is_refused(
    client: httpx.AsyncClient, inventory: Inventory, values: dict[str, Any], field: str
) -> None:
    answer = await client.post(SOURCES, json={"name": "s", "inventory": inventory.id, **values})
    assert answer.status_code == 400, answer.text
    assert field in answer.json()


async def test_an_unknown_kind_is_told_the_known_ones(client: httpx.AsyncClient, source: InventorySource) -> None:
    answer = await client.patch(f"{SOURCES}{source.id}/", json={"source": "nonsense"})
    assert "Choices: manual, ansible, " in answer.json()["source"][0]


async def test_an_upload_is_kept_and_described(client: httpx.AsyncClient, source: InventorySource) -> None:
    content = b"[web]\nh1\n"
    path = f"{SOURCES}{source.id}/upload/"
    expected = {"filename": "hosts.ini", "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    multipart = await client.post(path, files={"file": ("hosts.ini", content)})
    assert (multipart.status_code, multipart.json()) == (201, expected)
    bare = await client.post(
        path, params={"filename": "hosts.ini"}, content=content, headers={"Content-Type": "application/octet-stream"}
    )
    assert (bare.status_code, bare.json()) == (201, expected)
    shown = (await client.get(f"{SOURCES}{source.id}/")).json()["summary_fields"]["upload"]
    assert shown.items() >= expected.items()
    assert (await client.get(f"{SOURCES}{source.id}/update/")).json() == {"can_update": True}
    assert (await client.delete(path)).status_code == 204
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "x\0", "x" * 300, ""])
async def test_unsafe_file_names_are_refused(client: httpx.AsyncClient, source: InventorySource, name: str) -> None:
    answer = await client.post(f"{SOURCES}{source.id}/upload/", params={"filename": name}, content=b"x")
    assert answer.status_code == 400


async def test_a_manual_source_takes_no_upload(client: httpx.AsyncClient, session: AsyncSession) -> None:
    source = await make_source(session, source="")
    answer = await client.post(f"{SOURCES}{source.id}/upload/", files={"file": ("a.ini", b"x")})
    assert answer.status_code == 400


async def test_a_multipart_body_without_a_file_is_refused(client: httpx.AsyncClient, source: InventorySource) -> None:
    answer = await client.post(f"{SOURCES}{source.id}/upload/", files={"other": ("a.ini", b"x")})
    assert (answer.status_code, list(answer.json())) == (400, ["file"])


async def test_an_update_is_started(client: httpx.AsyncClient, source: InventorySource, session: AsyncSession) -> None:
    await client.post(f"{SOURCES}{source.id}/upload/", files={"file": ("a.ini", b"h1\n")})
    answer = await client.post(f"{SOURCES}{source.id}/update/", json={})
    assert answer.status_code == 202, answer.text
    run = answer.json()
    assert (run["type"], run["status"], run["inventory_update"]) == ("inventory_update", "pending", run["id"])
    assert answer.headers["Location"] == run["url"] == f"/api/v2/inventory_updates/{run['id']}/"
    assert (await session.scalars(select(Job.task))).all() == ["refresh"]
    shown = (await client.get(f"{SOURCES}{source.id}/")).json()
    assert shown["related"]["current_job"] == run["url"]
    runs = (await client.get(shown["related"]["inventory_updates"])).json()
    assert [row["id"] for row in runs["results"]] == [run["id"]]


async def test_a_source_with_nothing_to_read_is_not_started(client: httpx.AsyncClient, source: InventorySource) -> None:
    assert (await client.get(f"{SOURCES}{source.id}/update/")).json() == {"can_update": False}
    assert (await client.post(f"{SOURCES}{source.id}/update/", json={})).status_code == 405


async def test_all_sources_of_an_inventory_are_started(
    client: httpx.AsyncClient, source: InventorySource, session: AsyncSession, inventory: Inventory
) -> None:
    path = f"inventories/{inventory.id}/update_inventory_sources/"
    await make_source(session, "manual", inventory=inventory, source="")
    assert (await client.get(f"/api/v2/{path}")).json() == [{"inventory_source": source.id, "can_update": False}]
    assert (await client.post(f"/api/v2/{path}", json={})).status_code == 400
    await client.post(f"{SOURCES}{source.id}/upload/", files={"file": ("a.ini", b"h1\n")})
    started = await client.post(f"/v2/{path}", json={})
    assert started.status_code == 200
    assert started.json()["results"][0].items() >= {"inventory_source": source.id, "status": "started"}.items()
    await make_source(session, "another", inventory=inventory)
    assert (await client.post(f"/api/v2/{path}", json={})).status_code == 202


async def test_an_inventory_without_sources_has_nothing_to_start(
    client: httpx.AsyncClient, inventory: Inventory
) -> None:
    answer = await client.post(f"/api/v2/inventories/{inventory.id}/update_inventory_sources/", json={})
    assert (answer.status_code, answer.json()) == (400, {"detail": "No inventory sources to update."})


async def test_a_waiting_run_is_cancelled_once(client: httpx.AsyncClient, source: InventorySource) -> None:
    await client.post(f"{SOURCES}{source.id}/upload/", files={"file": ("a.ini", b"h1\n")})
    run = (await client.post(f"{SOURCES}{source.id}/update/", json={})).json()
    assert (await client.get(run["related"]["cancel"])).json() == {"can_cancel": True}
    first = await client.post(run["related"]["cancel"])
    assert (first.status_code, first.content) == (202, b"")
    found = (await client.get(run["url"])).json()
    assert (found["status"], found["failed"]) == ("canceled", True)
    assert (await client.post(run["related"]["cancel"])).status_code == 405


async def test_a_running_run_is_not_deleted(
    client: httpx.AsyncClient, source: InventorySource, session: AsyncSession
) -> None:
    run = await make_run(session, source, status="running")
    refused = await client.delete(f"/v2/inventory_updates/{run.id}/")
    assert (refused.status_code, refused.json()) == (403, {"detail": "Cannot delete running job resource."})
    ended = await make_run(session, source)
    assert (await client.delete(f"/v2/inventory_updates/{ended.id}/")).status_code == 204


async def test_a_list_of_runs_leaves_the_long_texts_out(
    client: httpx.AsyncClient, source: InventorySource, session: AsyncSession
) -> None:
    run = await make_run(session, source, result_traceback="long")
    row = (await client.get("/v2/inventory_updates/")).json()["results"][0]
    assert "result_traceback" not in row
    assert (await client.get(f"/v2/inventory_updates/{run.id}/")).json()["result_traceback"] == "long"


@pytest.fixture
async def spoken(session: AsyncSession, source: InventorySource) -> InventoryUpdate:
    """A run that wrote three lines, one of them green."""
    run = await make_run(session, source)
    for number, line in enumerate(("one", "\x1b[32mtwo\x1b[0m", "x" * 2000)):
        await save(
            session,
            InventoryUpdateEvent(
                inventory_update_id=run.id, counter=number + 1, stdout=line, start_line=number, end_line=number + 1
            ),
        )
    return run


async def test_events_come_in_order_and_from_a_line(client: httpx.AsyncClient, spoken: InventoryUpdate) -> None:
    path = f"/api/v2/inventory_updates/{spoken.id}/events/"
    answer = await client.get(path, params={"order_by": "start_line", "start_line__gte": 1, "no_truncate": "True"})
    assert [event["counter"] for event in answer.json()["results"]] == [2, 3]
    assert len(answer.json()["results"][1]["stdout"]) == 2000
    assert answer.headers["X-UI-Max-Events"] == "4000"
    cut = (await client.get(path)).json()["results"][2]["stdout"]
    assert len(cut) == 1025


async def test_limited_events_carry_no_count(client: httpx.AsyncClient, spoken: InventoryUpdate) -> None:
    answer = (await client.get(f"/v2/inventory_updates/{spoken.id}/events/?limit=2")).json()
    assert (list(answer), len(answer["results"])) == (["results"], 2)


async def test_stdout_comes_in_every_format(client: httpx.AsyncClient, spoken: InventoryUpdate) -> None:
    path = f"/v2/inventory_updates/{spoken.id}/stdout/"
    found = (await client.get(path, params={"format": "json", "start_line": 0, "end_line": 2})).json()
    assert found == {"range": {"start": 0, "end": 2, "absolute_end": 3}, "content": "one\n\x1b[32mtwo\x1b[0m\n"}
    assert (await client.get(path, params={"format": "txt"})).text.startswith("one\ntwo\n")
    assert "\x1b[32m" in (await client.get(path, params={"format": "ansi"})).text
    kept = await client.get(path, params={"format": "txt_download"})
    assert kept.headers["content-disposition"].startswith("attachment")
    assert (await client.get(path, params={"format": "pdf"})).status_code == 400


async def test_much_output_is_only_for_download(
    client: httpx.AsyncClient, source: InventorySource, session: AsyncSession
) -> None:
    run = await make_run(session, source)
    await save(session, InventoryUpdateEvent(inventory_update_id=run.id, counter=1, stdout="y" * 1_100_000))
    path = f"/v2/inventory_updates/{run.id}/stdout/"
    assert (await client.get(path, params={"format": "txt"})).text.startswith("Standard Output too large")
    assert len((await client.get(path, params={"format": "txt_download"})).text) == 1_100_000


async def test_what_a_source_made_is_deleted_and_what_a_person_made_stays(
    client: httpx.AsyncClient, source: InventorySource, session: AsyncSession, inventory: Inventory
) -> None:
    for made, manual in (("theirs", False), ("ours", True)):
        host = await make_host(session, made, inventory=inventory, manual=manual)
        group = await make_group(session, f"g-{made}", inventory=inventory, manual=manual)
        values = {"inventory_source_id": source.id, "ref": made, "digest": b"x"}
        await save(session, HostSource(host_id=host.id, **values))
        await save(session, GroupSource(group_id=group.id, **values))
    listed = (await client.get(f"{SOURCES}{source.id}/hosts/")).json()
    assert [host["name"] for host in listed["results"]] == ["ours", "theirs"]
    for below in ("hosts", "groups"):
        assert (await client.delete(f"{SOURCES}{source.id}/{below}/")).status_code == 204
    assert (await session.scalars(select(Host.name))).all() == ["ours"]
    assert (await session.scalars(select(Group.name))).all() == ["g-ours"]


@pytest.mark.parametrize("line", ["", "a\rb\x0cc\u2028d", "one\ntwo", "ends\n"])
async def test_stdout_has_the_lines_that_the_events_count(
    client: httpx.AsyncClient,
    session: AsyncSession,
    session_factory: SessionFactory,
    source: InventorySource,
    line: str,
) -> None:
    run = await make_run(session, source)
    async with EventWriter(session_factory, run.id) as events:
        for text in ("first", line, "last"):
            events.say(text)
    told = (await client.get(f"/v2/inventory_updates/{run.id}/events/")).json()["results"]
    path = f"/v2/inventory_updates/{run.id}/stdout/"
    last = told[-1]
    cut = (await client.get(path, params={"start_line": last["start_line"], "end_line": last["end_line"]})).json()
    assert cut["content"] == "last"
    assert cut["range"]["absolute_end"] == last["end_line"]


@pytest.mark.parametrize("what", ["hosts", "groups"])
async def test_much_of_a_source_is_deleted_by_the_worker(
    what: str, client: httpx.AsyncClient, session: AsyncSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventory_sources, "AT_ONCE", -1)
    source = await make_source(session)
    answer = await client.delete(f"{SOURCES}{source.id}/{what}/")
    assert (answer.status_code, answer.content) == (202, b"")
    assert list(await session.scalars(select(Job.task))) == [f"delete_source_{what}"]
