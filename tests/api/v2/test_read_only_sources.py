"""Sources with read_only: what they deliver stays as they say, and people may still add beside it."""

import json
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Group, GroupEdge, GroupSource, Host, HostSource, InventorySource, Membership
from tests.factories import make_group, make_host, make_inventory, make_source, save

SAID = {"rack": "r1", "ports": [22]}


class Delivered:
    """A host in a group below another, all of one source."""

    def __init__(self, source: InventorySource, host: Host, group: Group, parent: Group) -> None:
        self.source, self.host, self.group, self.parent = source, host, group, parent
        self.url = f"/v2/hosts/{host.id}/"
        self.group_url = f"/v2/groups/{group.id}/"


async def deliver(session: AsyncSession, **source_values: Any) -> Delivered:
    """What a source that is read-only unless told otherwise delivers."""
    inventory = await make_inventory(session)
    given = {"source": "example", "read_only": True, **source_values}
    source = await make_source(session, "cloud", inventory=inventory, **given)
    content = {"inventory": inventory, "variables": dict(SAID), "variables_text": json.dumps(SAID)}
    host = await make_host(session, "web-1", manual=False, instance_id="i-1", **content)
    group = await make_group(session, "web", manual=False, **content)
    parent = await make_group(session, "all-web", inventory=inventory, manual=False)
    layer = {"inventory_source_id": source.id, "ref": "x", "digest": b"x"}
    await save(session, HostSource(host_id=host.id, variables=SAID, **layer))
    await save(session, GroupSource(group_id=group.id, variables=SAID, **layer))
    link = {"inventory_id": inventory.id, "manual": False, "source_ids": [source.id]}
    await save(session, Membership(group_id=group.id, host_id=host.id, **link))
    await save(session, GroupEdge(parent_id=parent.id, child_id=group.id, **link))
    return Delivered(source, host, group, parent)


@pytest.fixture
async def delivered(session: AsyncSession) -> Delivered:
    return await deliver(session)


def assert_kept(answer: httpx.Response, words: str) -> None:
    assert answer.status_code == 409, answer.text
    assert words in answer.json()["error"]
    assert "read-only" in answer.json()["error"]


async def test_a_host_is_not_renamed_changed_or_deleted(client: httpx.AsyncClient, delivered: Delivered) -> None:
    assert_kept(await client.patch(delivered.url, json={"name": "other"}), 'Host "web-1" cannot be renamed')
    assert_kept(await client.patch(delivered.url, json={"instance_id": "i-2"}), "gets instance_id from its source")
    assert_kept(await client.delete(delivered.url), 'Host "web-1" cannot be deleted')
    shown = (await client.get(delivered.url)).json()
    assert (shown["name"], shown["instance_id"]) == ("web-1", "i-1")


@pytest.mark.parametrize("variables", [{"rack": "r2", "ports": [22]}, {"ports": [22]}, {"rack": "r1", "ports": ["22"]}])
@pytest.mark.parametrize("kind", ["hosts", "groups"])
async def test_what_the_source_says_is_not_changed_by_any_door(
    client: httpx.AsyncClient, delivered: Delivered, variables: dict[str, Any], kind: str
) -> None:
    row = delivered.host if kind == "hosts" else delivered.group
    answers = [
        await client.patch(f"/v2/{kind}/{row.id}/", json={"variables": json.dumps(variables)}),
        await client.put(f"/v2/{kind}/{row.id}/variable_data/", json=variables),
        await client.patch(f"/v2/{kind}/{row.id}/variable_data/", json=variables),
        await client.delete(f"/v1/{kind}/{row.id}/variables/rack"),
    ]
    for answer in answers[:3]:
        assert_kept(answer, "gets its variable")
    assert answers[3].status_code in (404, 405, 409)
    assert (await client.get(f"/v2/{kind}/{row.id}/variable_data/")).json() == SAID


async def test_variables_made_by_hand_may_come_and_go_beside(client: httpx.AsyncClient, delivered: Delivered) -> None:
    for mine in ({"note": "mine"}, {"note": "changed"}, {}):
        answer = await client.put(f"{delivered.url}variable_data/", json={**SAID, **mine})
        assert answer.status_code == 200, answer.text
        assert (await client.get(f"{delivered.url}variable_data/")).json() == {**SAID, **mine}
    assert (await client.patch(delivered.url, json={"description": "kept by hand"})).status_code == 200


async def test_enabled_is_the_sources_where_the_source_tells_it(
    client: httpx.AsyncClient, session: AsyncSession, delivered: Delivered
) -> None:
    assert (await client.patch(delivered.url, json={"enabled": False})).status_code == 200
    delivered.source.enabled_var = "state"
    await session.flush()
    assert_kept(await client.patch(delivered.url, json={"enabled": True}), "gets enabled from its source")


async def test_a_group_is_not_renamed_or_deleted_nor_what_is_above_it(
    client: httpx.AsyncClient, delivered: Delivered
) -> None:
    assert_kept(await client.patch(delivered.group_url, json={"name": "other"}), 'Group "web" cannot be renamed')
    assert_kept(await client.delete(delivered.group_url), "cannot be deleted")
    assert_kept(await client.delete(f"/v2/groups/{delivered.parent.id}/"), "cannot be deleted")
    assert (await client.get(delivered.url)).status_code == 200


async def test_its_links_are_not_taken_away(client: httpx.AsyncClient, delivered: Delivered) -> None:
    body = {"id": delivered.host.id, "disassociate": True}
    assert_kept(await client.post(f"{delivered.group_url}hosts/", json=body), "delivered by the source")
    body = {"id": delivered.group.id, "disassociate": True}
    answer = await client.post(f"/v2/groups/{delivered.parent.id}/children/", json=body)
    assert_kept(answer, "delivered by the source")


async def test_a_source_that_is_not_read_only_locks_nothing(client: httpx.AsyncClient, session: AsyncSession) -> None:
    free = await deliver(session, read_only=False)
    answer = await client.patch(free.url, json={"name": "other", "variables": "{}"})
    assert answer.status_code == 200, answer.text
    assert (await client.delete(free.url)).status_code == 204


async def test_the_switch_is_shown_and_set(client: httpx.AsyncClient, delivered: Delivered) -> None:
    url = f"/v2/inventory_sources/{delivered.source.id}/"
    assert (await client.get(url)).json()["read_only"] is True
    assert (await client.patch(url, json={"read_only": False})).json()["read_only"] is False
    assert (await client.patch(delivered.url, json={"name": "other"})).status_code == 200


async def test_deprecated_group_is_accepted_and_marked(client: httpx.AsyncClient, delivered: Delivered) -> None:
    url = f"/v2/inventory_sources/{delivered.source.id}/"
    answer = await client.patch(url, json={"deprecated_group": delivered.group.id})
    assert (answer.status_code, answer.json()["deprecated_group"]) == (200, None)
    document = (await client.get("/v2/openapi.json")).json()
    for schema in ("InventorySourceCreate", "InventorySourcePatch"):
        assert document["components"]["schemas"][schema]["properties"]["deprecated_group"]["deprecated"] is True
