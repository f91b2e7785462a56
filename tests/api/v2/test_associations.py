"""AWX's association rule: attach, detach, create; cycles and foreign inventories refused; deletion of groups."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory, Membership
from tests.factories import add_child, add_member, make_group, make_host, make_inventory

NamesAt = Callable[[str], Awaitable[list[str]]]


@pytest.fixture
def names_at(client: httpx.AsyncClient) -> NamesAt:
    """The names in a list."""

    async def names(path: str) -> list[str]:
        return [row["name"] for row in (await client.get(f"/api/v2/{path}")).json()["results"]]

    return names


async def test_a_host_is_attached_and_detached(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, names_at: NamesAt
) -> None:
    group = await make_group(session, inventory=inventory)
    host = await make_host(session, "h", inventory=inventory)
    path = f"/api/v2/groups/{group.id}/hosts/"
    for _ in range(2):
        answer = await client.post(path, json={"id": host.id, "associate": True})
        assert (answer.status_code, answer.content) == (204, b"")
    assert await names_at(f"groups/{group.id}/hosts/") == ["h"]
    assert (await client.post(path, json={"id": host.id, "disassociate": False})).status_code == 204
    assert await names_at(f"groups/{group.id}/hosts/") == []


async def test_a_host_is_attached_to_a_group_from_its_own_side(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, names_at: NamesAt
) -> None:
    group = await make_group(session, "g", inventory=inventory)
    host = await make_host(session, inventory=inventory)
    path = f"/api/v2/hosts/{host.id}/groups/"
    assert (await client.post(path, json={"id": group.id})).status_code == 204
    created = await client.post(path, json={"name": "new"})
    assert (created.status_code, created.json()["inventory"]) == (201, inventory.id)
    assert await names_at(f"hosts/{host.id}/groups/") == ["g", "new"]


async def test_a_known_name_without_variables_attaches_that_host(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, names_at: NamesAt
) -> None:
    group = await make_group(session, inventory=inventory)
    await make_host(session, "known", inventory=inventory)
    path = f"/api/v2/groups/{group.id}/hosts/"
    assert (await client.post(path, json={"name": "known"})).status_code == 204
    created = await client.post(path, json={"name": "fresh", "variables": "a: 1"})
    assert created.status_code == 201
    assert created.headers["Location"] == created.json()["url"]
    assert await names_at(f"groups/{group.id}/hosts/") == ["fresh", "known"]


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"id": "x"}, {"msg": '"id" field must be an integer.'}),
        ({"id": True}, {"msg": '"id" field must be an integer.'}),
        ({"disassociate": True}, {"msg": '"id" is required to disassociate'}),
        ({"id": 2**70}, {"detail": "Host matching query does not exist."}),
        ({"id": 999_999_999}, {"detail": "Host matching query does not exist."}),
        ({}, {"name": ["This field is required."]}),
    ],
)
async def test_associations_are_refused_in_awxs_words(
    client: httpx.AsyncClient, session: AsyncSession, body: dict[str, Any], answer: dict[str, Any]
) -> None:
    group = await make_group(session)
    found = await client.post(f"/api/v2/groups/{group.id}/hosts/", json=body)
    assert (found.status_code, found.json()) == (400, answer)


@pytest.mark.parametrize("parent", ["groups", "inventories"])
async def test_a_host_of_another_inventory_is_refused(
    client: httpx.AsyncClient, session: AsyncSession, parent: str
) -> None:
    group, host = await make_group(session), await make_host(session)
    row_id = group.id if parent == "groups" else group.inventory_id
    answer = await client.post(f"/api/v2/{parent}/{row_id}/hosts/", json={"id": host.id})
    assert (answer.status_code, answer.json()) == (
        400,
        {"detail": "Cannot associate two items from different inventories."},
    )
    await session.refresh(host)
    assert host.inventory_id != group.inventory_id


async def test_disassociating_from_the_inventory_deletes(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory
) -> None:
    host = await make_host(session, inventory=inventory)
    path = f"/api/v2/inventories/{inventory.id}/hosts/"
    assert (await client.post(path, json={"id": host.id, "disassociate": True})).status_code == 204
    assert (await client.get(f"/api/v2/hosts/{host.id}/")).status_code == 404


async def test_cycles_are_refused(client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory) -> None:
    top, middle, low = [await make_group(session, inventory=inventory) for _ in range(3)]
    await add_child(session, top, middle)
    await add_child(session, middle, low)
    for parent, child in ((low, top), (top, top)):
        answer = await client.post(f"/api/v2/groups/{parent.id}/children/", json={"id": child.id})
        assert (answer.status_code, answer.json()) == (400, {"error": "Cyclical Group association."})


async def test_a_child_is_created_attached_and_detached(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, names_at: NamesAt
) -> None:
    parent = await make_group(session, "p", inventory=inventory)
    other = await make_group(session, "other", inventory=inventory)
    path = f"/api/v2/groups/{parent.id}/children/"
    assert (await client.post(path, json={"name": "made"})).status_code == 201
    assert (await client.post(path, json={"id": other.id})).status_code == 204
    assert await names_at(f"groups/{parent.id}/children/") == ["made", "other"]
    assert (await client.post(path, json={"id": other.id, "disassociate": 1})).status_code == 204
    assert await names_at(f"groups/{parent.id}/children/") == ["made"]


async def test_potential_children_are_neither_above_nor_below(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, names_at: NamesAt
) -> None:
    top, middle, low = [await make_group(session, name, inventory=inventory) for name in ("top", "middle", "low")]
    await make_group(session, "free", inventory=inventory)
    await make_group(session, "foreign")
    await add_child(session, top, middle)
    await add_child(session, middle, low)
    assert await names_at(f"groups/{middle.id}/potential_children/") == ["free"]


async def test_all_hosts_and_all_groups_walk_the_nesting(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, names_at: NamesAt
) -> None:
    top, low = [await make_group(session, name, inventory=inventory) for name in ("top", "low")]
    await add_child(session, top, low)
    host = await make_host(session, "h", inventory=inventory, groups=[low])
    assert await names_at(f"groups/{top.id}/all_hosts/") == ["h"]
    assert await names_at(f"groups/{top.id}/hosts/") == []
    assert await names_at(f"hosts/{host.id}/all_groups/") == ["low", "top"]


async def test_deleting_a_group_takes_what_is_only_in_it(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, names_at: NamesAt
) -> None:
    top, only, shared, other = [
        await make_group(session, name, inventory=inventory) for name in ("top", "only", "shared", "other")
    ]
    for parent, child in ((top, only), (top, shared), (other, shared)):
        await add_child(session, parent, child)
    for name, groups in (("gone", [only]), ("kept", [only, other]), ("safe", [shared]), ("alone", [])):
        await make_host(session, name, inventory=inventory, groups=groups)
    assert (await client.delete(f"/api/v2/groups/{top.id}/")).status_code == 204
    assert await names_at(f"inventories/{inventory.id}/groups/") == ["other", "shared"]
    assert await names_at(f"inventories/{inventory.id}/hosts/") == ["alone", "kept", "safe"]


async def test_detaching_without_an_id_dissolves_the_parent(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, names_at: NamesAt
) -> None:
    top, middle, low = [await make_group(session, name, inventory=inventory) for name in ("top", "middle", "low")]
    await add_child(session, top, middle)
    await add_child(session, middle, low)
    await make_host(session, "h", inventory=inventory, groups=[middle])
    answer = await client.post(f"/api/v2/groups/{middle.id}/children/", json={"disassociate": True})
    assert answer.status_code == 204
    assert await names_at(f"groups/{top.id}/children/") == ["low"]
    assert await names_at(f"groups/{top.id}/hosts/") == ["h"]


async def test_attaching_by_hand_makes_a_sources_link_a_persons(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory
) -> None:
    group = await make_group(session, inventory=inventory)
    host = await make_host(session, inventory=inventory)
    await add_member(session, group, host)
    link = await session.get_one(Membership, (group.id, host.id))
    link.manual = False
    await session.flush()
    await client.post(f"/api/v2/groups/{group.id}/hosts/", json={"id": host.id})
    await session.refresh(link)
    assert link.manual is True


@pytest.mark.parametrize("name", ["all", "_meta", "ungrouped", "../x", "a/b", "a\\b", "x\u202ey", "x" * 300, " "])
async def test_unsafe_group_names_are_refused(client: httpx.AsyncClient, inventory: Inventory, name: str) -> None:
    answer = await client.post("/api/v2/groups/", json={"name": name, "inventory": inventory.id})
    assert answer.status_code == 400
    assert list(answer.json()) == ["name"]


async def test_a_group_cannot_have_the_name_of_a_host(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory
) -> None:
    await make_host(session, "web", inventory=inventory)
    answer = await client.post("/api/v2/groups/", json={"name": "web", "inventory": inventory.id})
    assert (answer.status_code, answer.json()) == (400, {"__all__": ["A Host with that name already exists."]})


async def test_the_inventory_of_a_group_stays(client: httpx.AsyncClient, session: AsyncSession) -> None:
    group, other = await make_group(session), await make_inventory(session)
    answer = await client.patch(f"/api/v2/groups/{group.id}/", json={"inventory": other.id})
    assert (answer.status_code, answer.json()) == (403, {"detail": "Unable to change inventory on a group."})
