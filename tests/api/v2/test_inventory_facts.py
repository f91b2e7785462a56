"""inventories/:id/ansible_facts/: the facts of many hosts as NDJSON."""

import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import FactPath, Host, Inventory, Tenant
from tests.api.conftest import ClientOf
from tests.api.v2.conftest import Statements
from tests.factories import make_host, make_inventory, make_tenant

NDJSON = {"Content-Type": "application/x-ndjson"}


def path_of(inventory: Inventory) -> str:
    return f"/v2/inventories/{inventory.id}/ansible_facts/"


def ndjson(*rows: Any) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def line(name: str, **facts: Any) -> dict[str, Any]:
    return {"name": name, "ansible_facts": facts}


async def send(
    client: httpx.AsyncClient, method: str, inventory: Inventory, *rows: Any, **params: Any
) -> httpx.Response:
    return await client.request(method, path_of(inventory), content=ndjson(*rows), headers=NDJSON, params=params)


async def read(client: httpx.AsyncClient, inventory: Inventory, **params: Any) -> dict[str, Any]:
    """Facts by host name."""
    answer = await client.get(path_of(inventory), params=params)
    assert answer.status_code == 200, answer.text
    rows = [json.loads(text) for text in answer.text.splitlines()]
    return {row["name"]: row["ansible_facts"] for row in rows}


@pytest.fixture
async def hosts(session: AsyncSession, inventory: Inventory) -> list[Host]:
    """a with facts, b with others, c without."""
    return [
        await make_host(session, "a", inventory=inventory, facts={"os": "Debian", "cpus": 8}),
        await make_host(session, "b", inventory=inventory, facts={"os": "Fedora"}),
        await make_host(session, "c", inventory=inventory),
    ]


async def test_every_host_is_a_line_by_id(client: httpx.AsyncClient, inventory: Inventory, hosts: list[Host]) -> None:
    answer = await client.get(path_of(inventory))
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(text) for text in answer.text.splitlines()] == [
        {"id": hosts[0].id, "name": "a", "ansible_facts_modified": None, "ansible_facts": {"os": "Debian", "cpus": 8}},
        {"id": hosts[1].id, "name": "b", "ansible_facts_modified": None, "ansible_facts": {"os": "Fedora"}},
        {"id": hosts[2].id, "name": "c", "ansible_facts_modified": None, "ansible_facts": {}},
    ]


async def test_an_empty_inventory_has_no_line(client: httpx.AsyncClient, inventory: Inventory) -> None:
    assert (await client.get(path_of(inventory))).text == ""


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"host": ["b", "c", "nobody"]}, {"b": {"os": "Fedora"}, "c": {}}),
        ({"host_filter": 'ansible_facts__os="Debian"'}, {"a": {"os": "Debian", "cpus": 8}}),
        ({"keys": "cpus,none"}, {"a": {"cpus": 8}, "b": {}, "c": {}}),
        ({"keys": ["cpus", "os"], "host": "a"}, {"a": {"os": "Debian", "cpus": 8}}),
        ({"keys": ""}, {"a": {}, "b": {}, "c": {}}),
    ],
)
async def test_less_can_be_asked_for(
    client: httpx.AsyncClient, inventory: Inventory, hosts: list[Host], params: Any, found: Any
) -> None:
    assert await read(client, inventory, **params) == found


async def test_only_facts_of_late_can_be_asked_for(
    client: httpx.AsyncClient, inventory: Inventory, hosts: list[Host]
) -> None:
    await send(client, "PATCH", inventory, line("a", new=1))
    assert list(await read(client, inventory, newer_than=3600)) == ["a"]


async def test_a_large_inventory_is_read_in_pieces(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("craton_inv.services.facts_reading.PIECE_HOSTS", 3)
    facts = {f"h{number}": {"n": number} for number in range(10)}
    for name, values in facts.items():
        await make_host(session, name, inventory=inventory, facts=values)
    assert await read(client, inventory) == facts


async def test_a_smart_inventory_gives_the_facts_of_what_it_finds(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, hosts: list[Host]
) -> None:
    tenant = await session.get_one(Tenant, inventory.tenant_id)
    smart = await make_inventory(session, tenant=tenant, kind="smart", host_filter="name=a or name=c")
    assert await read(client, smart) == {"a": {"os": "Debian", "cpus": 8}, "c": {}}
    assert (await send(client, "PATCH", smart, line("c", new=1))).json()["updated"] == 1
    assert (await send(client, "PATCH", smart, line("b", new=1))).status_code == 400
    assert (await read(client, inventory))["c"] == {"new": 1}


async def test_patch_merges_and_put_replaces_the_hosts_named(
    client: httpx.AsyncClient, inventory: Inventory, hosts: list[Host]
) -> None:
    merged = await send(client, "PATCH", inventory, line("a", cpus=16, new=1), line("c", new=2))
    assert merged.json() == {"updated": 2, "unchanged": 0, "missing": []}
    replaced = await send(client, "PUT", inventory, {"id": hosts[1].id, "ansible_facts": {"only": 1}})
    assert replaced.json()["updated"] == 1
    assert await read(client, inventory) == {
        "a": {"os": "Debian", "cpus": 16, "new": 1}, "b": {"only": 1}, "c": {"new": 2}
    }  # fmt: skip


async def test_what_is_read_can_be_written_back(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, hosts: list[Host]
) -> None:
    text_of_all = (await client.get(path_of(inventory))).text
    copy = await make_inventory(session)
    for host in hosts:
        await make_host(session, host.name, inventory=copy)
    written = await client.put(path_of(copy), content=text_of_all, headers=NDJSON)
    assert written.json() == {"updated": 3, "unchanged": 0, "missing": []}
    assert await read(client, copy) == await read(client, inventory)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_facts_that_are_there_already_are_not_rewritten_but_stamped(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, hosts: list[Host], method: str
) -> None:
    version = text(f"SELECT ctid::text FROM host_facts WHERE host_id = {hosts[0].id}")
    before = await session.scalar(version)
    answer = await send(client, method, inventory, line("a", cpus=8, os="Debian"))
    assert answer.json() == {"updated": 0, "unchanged": 1, "missing": []}
    assert await session.scalar(version) == before
    stamp = select(Host.ansible_facts_modified).where(Host.id == hosts[0].id)
    assert await session.scalar(stamp) is not None


async def test_new_facts_leave_what_ansible_reads_unchanged(
    client: httpx.AsyncClient, inventory: Inventory, hosts: list[Host]
) -> None:
    script = f"/v2/inventories/{inventory.id}/script/?hostvars=1"
    etag = (await client.get(script)).headers["etag"]
    host = (await client.get(f"/v2/hosts/{hosts[0].id}/")).headers["etag"]
    await send(client, "PATCH", inventory, line("a", new=1))
    assert (await client.get(script, headers={"If-None-Match": etag})).status_code == 304
    assert (await client.get(f"/v2/hosts/{hosts[0].id}/")).headers["etag"] != host


async def test_blank_lines_and_a_last_line_without_an_end_are_fine(
    client: httpx.AsyncClient, inventory: Inventory, hosts: list[Host]
) -> None:
    body = "\n\r\n" + ndjson(line("a", x=1)) + "\n" + ndjson(line("b", x=1)).rstrip()
    answer = await client.patch(path_of(inventory), content=body, headers=NDJSON)
    assert answer.json()["updated"] == 2


async def test_no_line_at_all_changes_nothing(client: httpx.AsyncClient, inventory: Inventory) -> None:
    answer = await client.put(path_of(inventory), content="", headers=NDJSON)
    assert answer.json() == {"updated": 0, "unchanged": 0, "missing": []}


BAD = [
    (ndjson(line("a", x=1), line("nobody", x=1)), {"name": ["Line 2: the inventory has no host 'nobody'."]}),
    (ndjson(line("a", x=1), {"id": 2**70, "ansible_facts": {}}), f"Line 2: the inventory has no host {2**70}."),
    (ndjson(line("a", x=1), line("b"), line("a")), {"name": ["Lines 1 and 3 are about the same host, 'a'."]}),
    (ndjson(line("a", x=1), {"ansible_facts": {}}), "the host's name is missing, or its id as an integer"),
    (ndjson(line("a", x=1), {"id": True, "ansible_facts": {}}), "the host's name is missing, or its id as an integer"),
    (ndjson(line("a", x=1), {"name": 7, "ansible_facts": {}}), "Line 2: a name is text"),
    (ndjson(line("a", x=1), {"name": "b", "ansible_facts": [1]}), "Line 2: ansible_facts must be an object"),
    (ndjson(line("a", x=1), {"name": "b"}), "Line 2: ansible_facts must be an object"),
    (ndjson(line("a", x=1), {**line("b"), "facts": {}}), "Line 2: no such field"),
    (ndjson(line("a", x=1), [1]), "Line 2 is no object"),
    (ndjson(line("a", x=1)) + "{", "Line 2: JSON parse error"),
    (ndjson(line("a", x=1)) + '{"name": "b", "ansible_facts": {"x": NaN}}', "at /ansible_facts/x: NaN"),
    (ndjson(line("a", x=1)) + '{"name": "b", "ansible_facts": {"x": "\\u0000"}}', "Line 2: JSON parse error - at"),
    (ndjson(line("a", x=1)) + '{"name": "b", "ansible_facts": {"\\ud800": 1}}', "surrogate"),
    (ndjson(line("a", x=1)) + '{"name": "b", "ansible_facts": {"x": 1, "x": 2}}', "comes twice"),
    (ndjson(line("a", x=1)) + "[" * 1000, "nested deeper than 65 levels"),
    (ndjson(line("a", x=1)).encode() + b'{"name": "\xff"}', "not UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "refusal"), BAD, ids=range(len(BAD)))
async def test_one_bad_line_refuses_all_and_is_named(
    client: httpx.AsyncClient, inventory: Inventory, hosts: list[Host], body: Any, refusal: Any
) -> None:
    before = await read(client, inventory)
    answer = await client.patch(path_of(inventory), content=body, headers=NDJSON)
    assert answer.status_code == 400
    assert answer.json() == refusal if isinstance(refusal, dict) else refusal in answer.text
    assert await read(client, inventory) == before


async def test_facts_as_deep_as_a_single_host_may_have_are_taken(
    client: httpx.AsyncClient, inventory: Inventory, hosts: list[Host]
) -> None:
    deep: Any = 1
    for _ in range(63):
        deep = {"x": deep}
    assert (await client.put(f"/v2/hosts/{hosts[0].id}/ansible_facts/", json={"top": deep})).status_code == 200
    assert (await send(client, "PUT", inventory, line("b", top=deep))).status_code == 200
    assert (await send(client, "PUT", inventory, line("b", top={"x": deep}))).status_code == 400


async def test_a_host_named_by_name_and_by_id_comes_twice(
    client: httpx.AsyncClient, inventory: Inventory, hosts: list[Host]
) -> None:
    answer = await send(client, "PATCH", inventory, line("a"), {"id": hosts[0].id, "ansible_facts": {}})
    assert answer.json() == {"id": [f"Lines 1 and 2 are about the same host, {hosts[0].id}."]}


async def test_absent_hosts_can_be_skipped_and_are_told(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, hosts: list[Host]
) -> None:
    rows = [line("a", x=1), line("nobody", canary=1), {"id": 2**62, "ansible_facts": {"canary": 1}}]
    answer = await send(client, "PATCH", inventory, *rows, missing="skip")
    assert answer.json() == {"updated": 1, "unchanged": 0, "missing": ["nobody", 2**62]}
    seen = await session.scalars(select(FactPath.path).where(FactPath.tenant_id == inventory.tenant_id))
    assert seen.all() == ["ansible_facts__x"]


async def test_a_host_of_another_inventory_of_ones_own_is_absent(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, hosts: list[Host]
) -> None:
    neighbour = await make_host(session, "elsewhere")
    answer = await send(client, "PATCH", inventory, {"id": neighbour.id, "ansible_facts": {"x": 1}})
    assert answer.json() == {"id": [f"Line 1: the inventory has no host {neighbour.id}."]}


async def test_facts_beyond_the_limit_of_a_host_are_refused_also_by_merging(
    client: httpx.AsyncClient, inventory: Inventory, hosts: list[Host]
) -> None:
    assert (await send(client, "PATCH", inventory, line("a", x="x" * 600_000))).status_code == 200
    answer = await send(client, "PATCH", inventory, line("b", x=1), line("a", y="x" * 600_000))
    assert answer.status_code == 413
    assert "of a (line 2) may have 1048576 bytes" in answer.text
    assert (await read(client, inventory))["b"] == {"os": "Fedora"}


async def test_a_long_line_is_refused(client: httpx.AsyncClient, inventory: Inventory, hosts: list[Host]) -> None:
    answer = await send(client, "PATCH", inventory, line("b"), line("a", x="x" * 1024 * 1024))
    assert (answer.status_code, "Line 2 is longer than 1048576 bytes." in answer.text) == (413, True)


async def test_a_body_may_be_longer_than_one_of_json(
    client: httpx.AsyncClient, inventory: Inventory, hosts: list[Host]
) -> None:
    rows = [line(name, x="x" * 700_000) for name in "abc"]
    assert (await send(client, "PUT", inventory, *rows)).json()["updated"] == 3


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_another_content_type_is_refused(
    client: httpx.AsyncClient, inventory: Inventory, content_type: str
) -> None:
    answer = await client.patch(path_of(inventory), content="{}", headers={"Content-Type": content_type})
    assert answer.status_code == 415


async def test_a_misspelt_parameter_never_answers_with_everything(
    client: httpx.AsyncClient, inventory: Inventory
) -> None:
    answer = await client.get(path_of(inventory), params={"host_filtre": "name=a"})
    assert answer.json() == {"host_filtre": ["Unknown query parameter; did you mean 'host_filter'?"]}


@pytest.mark.parametrize("value", ["-1", "inf", "nan", "x", "1e400"])
async def test_an_age_is_a_number_of_seconds(client: httpx.AsyncClient, inventory: Inventory, value: str) -> None:
    assert (await client.get(path_of(inventory), params={"newer_than": value})).status_code == 400


async def test_a_bad_search_is_refused(client: httpx.AsyncClient, inventory: Inventory) -> None:
    answer = await client.get(path_of(inventory), params={"host_filter": "name="})
    assert answer.status_code == 400


async def test_the_facts_of_named_hosts_are_cleared(
    client: httpx.AsyncClient, inventory: Inventory, hosts: list[Host]
) -> None:
    answer = await client.delete(path_of(inventory), params={"host": ["a", "c"]})
    assert answer.json() == {"cleared": 1, "missing": []}
    assert await read(client, inventory) == {"a": {}, "b": {"os": "Fedora"}, "c": {}}


async def test_clearing_needs_names_and_hosts_that_are_there(
    client: httpx.AsyncClient, inventory: Inventory, hosts: list[Host]
) -> None:
    assert (await client.delete(path_of(inventory))).status_code == 400
    absent = await client.delete(path_of(inventory), params={"host": ["a", "nobody"]})
    assert absent.json() == {"host": ["The inventory has no host 'nobody'."]}
    assert (await read(client, inventory))["a"] != {}
    skipped = await client.delete(path_of(inventory), params={"host": ["a", "nobody"], "missing": "skip"})
    assert skipped.json() == {"cleared": 1, "missing": ["nobody"]}


async def test_a_reader_reads_and_a_stranger_finds_nothing(
    client_of: ClientOf, session: AsyncSession, inventory: Inventory, hosts: list[Host]
) -> None:
    reader = await client_of(await session.get_one(Tenant, inventory.tenant_id), "reader")
    assert list(await read(reader, inventory)) == ["a", "b", "c"]
    assert (await send(reader, "PATCH", inventory, line("a"))).status_code == 403
    stranger = await client_of(await make_tenant(session))
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        assert (await send(stranger, method, inventory, line("a"))).status_code == 404


async def test_hosts_of_another_tenant_cannot_be_named(
    client_of: ClientOf, session: AsyncSession, inventory: Inventory, hosts: list[Host]
) -> None:
    other = await make_inventory(session)
    admin = await client_of(await session.get_one(Tenant, other.tenant_id))
    refused = await send(admin, "PUT", other, {"id": hosts[0].id, "ansible_facts": {}})
    assert refused.json() == {"id": [f"Line 1: the inventory has no host {hosts[0].id}."]}


async def test_a_write_of_one_host_costs_as_many_statements_as_one_of_two_hundred(
    client: httpx.AsyncClient, session: AsyncSession, statements: Statements, inventory: Inventory
) -> None:
    for number in range(200):
        await make_host(session, f"h{number}", inventory=inventory)
    await send(client, "PATCH", inventory, line("h0", os={"name": "Debian"}, n=0))  # token and paths are noted now
    costs = []
    for wave, count in enumerate((1, 200), start=1):
        rows = [line(f"h{number}", os={"name": "Debian"}, n=wave) for number in range(count)]
        with statements.recorded() as seen:
            assert (await send(client, "PATCH", inventory, *rows)).json()["updated"] == count
        costs.append(len(seen))
    # The token, the inventory (before the body and after), ids, locks, facts, stamps, one look at the catalogue, and
    # the entry in the activity stream.
    assert costs == [9, 9]


async def test_a_body_over_the_limit_is_refused_before_it_is_read(
    client: httpx.AsyncClient, app: FastAPI, inventory: Inventory
) -> None:
    limit = app.state.context.settings.ndjson_limit
    headers = {**NDJSON, "Content-Length": str(limit + 1)}
    answer = await client.patch(path_of(inventory), content=b"{}", headers=headers)
    assert answer.status_code == 413
