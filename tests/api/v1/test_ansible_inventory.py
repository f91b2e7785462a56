"""GET /v1/ansible-inventory over HTTP."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory, Region
from tests.api.conftest import ClientOf
from tests.factories import make_group, make_host, make_inventory, make_region, make_tenant

PATH = "/v1/ansible-inventory"


@pytest.fixture
async def region(session: AsyncSession) -> Region:
    """A region with one grouped host; `who` is set at every level."""
    tenant = await make_tenant(session, variables={"who": "tenant", "t": 1})
    region = await make_region(session, tenant=tenant, variables={"who": "region", "r": 1})
    inventory = await session.get_one(Inventory, region.inventory_id)
    inventory.variables = {"who": "inventory", "i": 1}
    group = await make_group(session, "web", inventory=inventory)
    await make_host(session, "h", inventory=inventory, variables={"x": 1}, groups=[group], ip_address="192.0.2.7")
    return region


async def test_a_region_is_its_inventory_with_the_variables_of_all_it_stands_in(
    client: httpx.AsyncClient, region: Region
) -> None:
    answer = await client.get(PATH, params={"region_id": region.id})
    assert answer.json() == {
        "all": {"vars": {"who": "inventory", "t": 1, "r": 1, "i": 1}, "hosts": [], "children": ["web"]},
        "web": {"hosts": ["h"]},
        "_meta": {"hostvars": {"h": {"x": 1, "ansible_host": "192.0.2.7"}}},
    }


async def test_an_inventory_gives_the_same_as_the_region_that_owns_it(
    client: httpx.AsyncClient, region: Region
) -> None:
    by_region = await client.get(PATH, params={"region_id": region.id})
    by_inventory = await client.get(PATH, params={"inventory_id": region.inventory_id})
    assert by_region.content == by_inventory.content


async def test_an_inventory_of_no_region_has_its_tenants_variables(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    tenant = await make_tenant(session, variables={"t": 1})
    inventory = await make_inventory(session, tenant=tenant)
    answer = await client.get(PATH, params={"inventory_id": inventory.id})
    assert answer.json()["all"] == {"vars": {"t": 1}, "hosts": []}


async def test_a_changed_region_is_another_state(
    client: httpx.AsyncClient, session: AsyncSession, region: Region
) -> None:
    first = await client.get(PATH, params={"region_id": region.id})
    region.variables = {"r": 2}
    await session.commit()
    after = await client.get(PATH, params={"region_id": region.id}, headers={"If-None-Match": first.headers["etag"]})
    assert (after.status_code, after.json()["all"]["vars"]["r"]) == (200, 2)


async def test_an_unchanged_region_is_304(client: httpx.AsyncClient, region: Region) -> None:
    first = await client.get(PATH, params={"region_id": region.id})
    again = await client.get(PATH, params={"region_id": region.id}, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


async def test_a_host_of_a_region_is_its_variables(client: httpx.AsyncClient, region: Region) -> None:
    answer = await client.get(PATH, params={"region_id": region.id, "host": "h"})
    assert answer.json() == {"x": 1, "ansible_host": "192.0.2.7"}


async def test_a_host_alone_is_found_by_a_name_that_is_its_own(client: httpx.AsyncClient, region: Region) -> None:
    answer = await client.get(PATH, params={"host": "h"})
    assert answer.json() == {"x": 1, "ansible_host": "192.0.2.7"}


async def test_a_host_name_that_two_inventories_have_asks_for_more(
    client: httpx.AsyncClient, session: AsyncSession, region: Region
) -> None:
    await make_host(session, "h")
    answer = await client.get(PATH, params={"host": "h"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["host"])


async def test_a_strangers_host_of_the_same_name_does_not_count(
    client_of: ClientOf, session: AsyncSession, region: Region
) -> None:
    tenant = await make_tenant(session)
    await make_host(session, "h", inventory=await make_inventory(session, tenant=tenant), variables={"mine": 1})
    caller = await client_of(tenant)
    assert (await caller.get(PATH, params={"host": "h"})).json() == {"mine": 1}


@pytest.mark.parametrize(
    ("query", "field"),
    [({}, "region_id"), ({"region_id": "1", "inventory_id": "1"}, "inventory_id"), ({"region_id": "x"}, "region_id"),
     ({"regin_id": "1"}, "regin_id")],
)  # fmt: skip
async def test_a_question_that_makes_no_sense_names_the_parameter(
    client: httpx.AsyncClient, query: dict[str, str], field: str
) -> None:
    answer = await client.get(PATH, params=query)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


async def test_a_strangers_region_is_not_found(client_of: ClientOf, session: AsyncSession, region: Region) -> None:
    stranger = await client_of(await make_tenant(session))
    answer = await stranger.get(PATH, params={"region_id": region.id})
    assert answer.status_code == 404
