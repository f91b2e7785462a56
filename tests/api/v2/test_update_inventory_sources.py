"""inventories/:id/update_inventory_sources/: four outcomes, a bare array for AWX's clients and `results` under /v2."""

from typing import Any

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory, InventoryUpdate, Tenant
from tests.api.conftest import ClientOf
from tests.factories import make_inventory, make_source

MOUNTS = ("/v2", "/api/v2")
REFUSED = "Could not start because `can_update` returned False"
ABLE, UNABLE, MANUAL = "example", "file", ""
pytestmark = pytest.mark.parametrize("mount", MOUNTS)


def path(mount: str, inventory: Inventory) -> str:
    """The address of an inventory's sources under a mount."""
    return f"{mount}/inventories/{inventory.id}/update_inventory_sources/"


def entries(mount: str, answer: httpx.Response) -> list[dict[str, Any]]:
    """The list in an answer, which /v2 puts under `results` and nothing else."""
    body = answer.json()
    if mount == "/v2":
        assert list(body) == ["results"], body
        body = body["results"]
    assert isinstance(body, list), body
    return body


async def add(session: AsyncSession, inventory: Inventory, *kinds: str) -> list[int]:
    """Sources of these kinds, named in their order; their ids."""
    return [
        (await make_source(session, f"s{number}", inventory=inventory, source=kind)).id
        for number, kind in enumerate(kinds)
    ]


@pytest.mark.parametrize(
    ("kinds", "status", "started"),
    [
        ((ABLE, ABLE), 200, [True, True]),
        ((ABLE, MANUAL), 200, [True]),
        ((UNABLE, ABLE, MANUAL), 202, [False, True]),
        ((UNABLE, UNABLE), 400, [False, False]),
    ],
)
async def test_each_source_is_told_to_have_started_or_not(
    client: httpx.AsyncClient,
    session: AsyncSession,
    inventory: Inventory,
    mount: str,
    kinds: tuple[str, ...],
    status: int,
    started: list[bool],
) -> None:
    ids = [row_id for row_id, kind in zip(await add(session, inventory, *kinds), kinds, strict=True) if kind]
    told = await client.get(path(mount, inventory))
    expected = [{"inventory_source": row_id, "can_update": able} for row_id, able in zip(ids, started, strict=True)]
    assert (told.status_code, entries(mount, told)) == (200, expected)
    answer = await client.post(path(mount, inventory), json={})
    assert answer.status_code == status, answer.text
    found = entries(mount, answer)
    assert [row["inventory_source"] for row in found] == ids
    assert [row["status"] for row in found] == ["started" if able else REFUSED for able in started]
    for row, able in zip(found, started, strict=True):
        if able:
            assert (row["id"], row["type"]) == (row["inventory_update"], "inventory_update")
            run = (await client.get(f"{mount}/inventory_updates/{row['inventory_update']}/")).json()
            assert run["inventory_source"] == row["inventory_source"]
        else:
            assert "inventory_update" not in row


@pytest.mark.parametrize("kinds", [(), (MANUAL,)])
async def test_an_inventory_without_sources_has_nothing_to_update(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, mount: str, kinds: tuple[str, ...]
) -> None:
    await add(session, inventory, *kinds)
    told = await client.get(path(mount, inventory))
    assert (told.status_code, entries(mount, told)) == (200, [])
    answer = await client.post(path(mount, inventory), json={})
    assert (answer.status_code, answer.json()) == (400, {"detail": "No inventory sources to update."})


async def test_what_was_started_is_the_source_s_current_job(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, mount: str
) -> None:
    [row_id] = await add(session, inventory, ABLE)
    [row] = entries(mount, await client.post(path(mount, inventory), json={}))
    source = (await client.get(f"{mount}/inventory_sources/{row_id}/")).json()
    assert source["related"]["current_job"] == f"{mount}/inventory_updates/{row['inventory_update']}/"


async def test_a_second_ask_joins_the_updates_that_wait(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, mount: str
) -> None:
    await add(session, inventory, ABLE)
    first, second = [entries(mount, await client.post(path(mount, inventory), json={})) for _ in range(2)]
    assert first[0]["inventory_update"] == second[0]["inventory_update"]
    assert await session.scalar(select(func.count()).select_from(InventoryUpdate)) == 1


async def test_on_launch_starts_those_that_are_due_alone(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, mount: str
) -> None:
    await add(session, inventory, ABLE)
    due = await make_source(session, "due", inventory=inventory, source=ABLE, update_on_launch=True)
    for status in ("started", "Not due"):
        answer = await client.post(path(mount, inventory), json={"on_launch": True})
        found = entries(mount, answer)
        assert (answer.status_code, found[0]["inventory_source"]) == (200, due.id)
        assert [row["status"].partition(":")[0] for row in found] == [status, "Not due"]
    assert await session.scalar(select(func.count()).select_from(InventoryUpdate)) == 1


async def test_on_launch_tells_of_a_due_source_that_cannot_be_updated(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, mount: str
) -> None:
    await make_source(session, "a", inventory=inventory, source=UNABLE, update_on_launch=True)
    answer = await client.post(path(mount, inventory), json={"on_launch": True})
    assert (answer.status_code, entries(mount, answer)[0]["status"]) == (400, REFUSED)


async def test_a_smart_inventory_has_no_sources(client: httpx.AsyncClient, session: AsyncSession, mount: str) -> None:
    smart = await make_inventory(session, kind="smart", host_filter="name=x")
    for method in ("GET", "POST"):
        assert (await client.request(method, path(mount, smart))).status_code == 405


async def test_a_reader_starts_nothing_whatever_can_be_started(
    session: AsyncSession, inventory: Inventory, client_of: ClientOf, mount: str
) -> None:
    await add(session, inventory, UNABLE)
    tenant = await session.get_one(Tenant, inventory.tenant_id)
    reader = await client_of(tenant, "reader")
    assert (await reader.get(path(mount, inventory))).status_code == 200
    assert (await reader.post(path(mount, inventory), json={})).status_code == 403
