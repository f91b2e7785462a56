"""GET /v1/ansible-inventory over HTTP."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory, Region, Tenant
from tests.api.conftest import ClientOf
from tests.api.v2.conftest import Statements
from tests.factories import add_child, make_group, make_host, make_inventory, make_region, make_tenant

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


@pytest.fixture
async def second(session: AsyncSession, region: Region) -> Inventory:
    """Another inventory of the same tenant: a twin of `h` among its hosts, a group of the same name, one below it."""
    inventory = await make_inventory(
        session, tenant=await session.get_one(Tenant, region.tenant_id), variables={"who": "second", "s": 1}
    )
    web = await make_group(session, "web", inventory=inventory, variables={"port": 80, "s": "web"})
    low = await make_group(session, "low", inventory=inventory)
    await make_group(session, "empty", inventory=inventory)
    await add_child(session, web, low)
    await make_host(session, "h", inventory=inventory, variables={"x": 2})
    await make_host(session, "g", inventory=inventory, variables={"x": 2}, groups=[low])
    await make_host(session, "off", inventory=inventory, variables={"x": 1}, enabled=False)
    await make_host(session, "alone", inventory=inventory, facts={"cpus": 8})
    return inventory


async def test_a_search_finds_hosts_of_all_inventories_with_their_groups_and_variables(
    client: httpx.AsyncClient, region: Region, second: Inventory
) -> None:
    answer = await client.get(PATH, params={"host_filter": "variables__x >= 1 or ansible_facts__cpus=8"})
    assert answer.json() == {
        "all": {"vars": {"t": 1}, "hosts": ["alone"], "children": ["low", "web"]},
        "web": {"hosts": ["h"], "children": ["low"], "vars": {"port": 80, "s": "web"}},
        "low": {"hosts": ["g"]},
        "_meta": {
            "hostvars": {
                "alone": {"who": "second", "s": 1},
                "g": {"who": "second", "x": 2},
                "h": {"who": "inventory", "r": 1, "i": 1, "x": 1, "ansible_host": "192.0.2.7"},
            }
        },
    }


async def test_of_hosts_of_one_name_a_search_takes_the_lowest_id_that_it_finds(
    client: httpx.AsyncClient, region: Region, second: Inventory
) -> None:
    answer = await client.get(PATH, params={"host_filter": "name=h and variables__x=2"})
    assert answer.json()["all"] == {"vars": {"who": "second", "t": 1, "s": 1}, "hosts": ["h"]}


async def test_a_search_within_an_inventory_is_a_part_of_it(
    client: httpx.AsyncClient, region: Region, second: Inventory
) -> None:
    params = {"host_filter": "not groups__name=low", "inventory_id": second.id}
    answer = await client.get(PATH, params=params)
    assert answer.json() == {
        "all": {"vars": {"who": "second", "t": 1, "s": 1}, "hosts": ["alone", "h"]},
        "_meta": {"hostvars": {"alone": {}, "h": {"x": 2}}},
    }


async def test_a_search_that_holds_for_all_of_a_region_gives_the_region(
    client: httpx.AsyncClient, region: Region
) -> None:
    whole = await client.get(PATH, params={"region_id": region.id})
    searched = await client.get(PATH, params={"region_id": region.id, "host_filter": "name=h"})
    assert searched.json() == whole.json()


@pytest.mark.parametrize(("include_groups", "groups"), [(False, []), (True, ["low", "web"])])
async def test_a_search_within_a_smart_inventory_shows_groups_as_that_does(
    client: httpx.AsyncClient, session: AsyncSession, second: Inventory, include_groups: bool, groups: list[str]
) -> None:
    smart = Inventory(
        tenant_id=second.tenant_id, name="s", kind="smart", host_filter="variables__x=2", include_groups=include_groups
    )
    session.add(smart)
    await session.flush()
    answer = await client.get(PATH, params={"inventory_id": smart.id, "host_filter": "name=g"})
    assert list(answer.json()["_meta"]["hostvars"]) == ["g"]
    assert answer.json()["all"].get("children", []) == groups


async def test_a_search_that_finds_nothing_is_an_inventory_without_hosts(
    client: httpx.AsyncClient, region: Region
) -> None:
    answer = await client.get(PATH, params={"host_filter": "name=nobody"})
    assert answer.json() == {"all": {"hosts": []}, "_meta": {"hostvars": {}}}


async def test_a_search_is_304_until_what_it_finds_changes(
    client: httpx.AsyncClient, session: AsyncSession, region: Region, second: Inventory
) -> None:
    params = {"host_filter": "variables__x=2"}
    tag = {"If-None-Match": (await client.get(PATH, params=params)).headers["etag"]}
    assert (await client.get(PATH, params=params, headers=tag)).status_code == 304
    second.variables = {"who": "changed"}
    await session.commit()
    assert (await client.get(PATH, params=params, headers=tag)).status_code == 200


async def test_a_search_finds_nothing_of_strangers_and_none_of_theirs_hides_ones_own(
    client_of: ClientOf, session: AsyncSession, region: Region
) -> None:
    tenant = await make_tenant(session)
    await make_host(session, "h", inventory=await make_inventory(session, tenant=tenant), variables={"mine": 1})
    answer = await (await client_of(tenant)).get(PATH, params={"host_filter": "name=h or variables__x=1"})
    assert answer.json()["_meta"]["hostvars"] == {"h": {"mine": 1}}
    assert "web" not in answer.json()


async def test_the_statements_of_a_search_do_not_grow(
    client: httpx.AsyncClient, session: AsyncSession, statements: Statements, second: Inventory
) -> None:
    counts = []
    for _ in range(2):
        await client.get(PATH, params={"host_filter": "name=g"})
        with statements.recorded() as seen:
            assert (await client.get(PATH, params={"host_filter": "variables__x=2"})).status_code == 200
        counts.append(len(seen))
        for number in range(5):
            inventory = await make_inventory(session)
            group = await make_group(session, "web", inventory=inventory)
            await make_host(session, f"more-{number}", inventory=inventory, groups=[group], variables={"x": 2})
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"host_filter": "name="}, "a value is missing"),
        ({"host_filter": ""}, "the filter is empty"),
        ({"host_filter": "nmae=a"}, 'did you mean "name"?'),
        ({"host_filter": "name~'[a'"}, "unterminated character set"),
        ({"host_filter": "name=a", "host": "a"}, "Give host or host_filter, not both."),
        ({"host_filter": "created_by__password=a"}, "Filtering on password is not allowed."),
    ],
)
async def test_a_search_that_makes_no_sense_is_told(
    client: httpx.AsyncClient, region: Region, query: dict[str, str], text: str
) -> None:
    answer = await client.get(PATH, params=query)
    assert answer.status_code == 400
    assert text in answer.json()["message"]
