"""What all lists of /v2 share: pages, order, filters, links, and a number of statements that does not grow."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Inventory
from tests.api.v2.conftest import Statements
from tests.factories import make_group, make_host, make_inventory, make_source, make_tenant

LISTS = ["organizations", "inventories", "hosts", "groups", "inventory_sources", "users", "me"]


async def fill(session: AsyncSession, count: int) -> None:
    """`count` organizations, inventories (a third of them smart), hosts, groups and sources."""
    for number in range(count):
        tenant = await make_tenant(session)
        await make_inventory(session, tenant=tenant, kind="smart", host_filter=f"name=x{number}")
        inventory = await make_inventory(session, tenant=tenant)
        group = await make_group(session, inventory=inventory)
        await make_host(session, inventory=inventory, groups=[group], facts={"big": "x" * 100})
        await make_source(session, inventory=inventory)


@pytest.mark.parametrize("name", LISTS)
async def test_the_number_of_statements_does_not_grow(
    client: httpx.AsyncClient, session: AsyncSession, statements: Statements, name: str
) -> None:
    path = f"/v2/{name}/?page_size=200"
    await fill(session, 2)
    await client.get(path)  # the first use of a token in a while is noted in its row
    with statements.recorded() as few:
        assert (await client.get(path)).status_code == 200
    await fill(session, 10)
    with statements.recorded() as many:
        assert (await client.get(path)).status_code == 200
    assert len(many) == len(few), many
    assert not [statement for statement in many if "host_facts" in statement]


async def test_pages_link_by_path_into_their_own_mount(
    client: httpx.AsyncClient, inventory: Inventory, session: AsyncSession
) -> None:
    for number in range(5):
        await make_host(session, f"h{number}", inventory=inventory)
    for mount in ("/v2", "/api/v2"):
        first = (await client.get(f"{mount}/inventories/{inventory.id}/hosts/?page_size=2")).json()
        assert (first["count"], first["previous"], len(first["results"])) == (5, None, 2)
        assert first["next"].startswith(f"{mount}/inventories/{inventory.id}/hosts/?")
        second = (await client.get(first["next"])).json()
        assert [host["name"] for host in second["results"]] == ["h2", "h3"]
        assert second["previous"].startswith(f"{mount}/")


async def test_a_page_beyond_the_end_is_absent(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v2/hosts/?page=2")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid page."})


async def test_count_disabled_leaves_the_results_alone(client: httpx.AsyncClient, session: AsyncSession) -> None:
    await make_host(session)
    assert list((await client.get("/v2/hosts/?count_disabled=1")).json()) == ["results"]


async def test_lists_filter_search_and_order(
    client: httpx.AsyncClient, inventory: Inventory, session: AsyncSession
) -> None:
    for name in ("alpha", "beta", "alphabet"):
        await make_host(session, name, inventory=inventory, description=f"about {name}")

    async def names(query: str) -> list[str]:
        return [host["name"] for host in (await client.get(f"/v2/hosts/?{query}")).json()["results"]]

    assert await names("name=alpha") == ["alpha"]
    assert await names("name__icontains=ALPHA&order_by=-name") == ["alphabet", "alpha"]
    assert await names("search=bet") == ["alphabet", "beta"]
    assert await names(f"inventory={inventory.id}&or__name=beta&or__name=alpha") == ["alpha", "beta"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("hosts/?page=0", 400),
        ("hosts/?page=x", 400),
        (f"hosts/?page_size={10**30}", 200),
        (f"hosts/?page={10**30}", 404),
        ("hosts/?page_size=0", 400),
        ("hosts/?nonsense=1", 400),
        ("hosts/?order_by=nonsense", 400),
        ("hosts/?inventory=abc", 400),
        ("hosts/?created_by__password_hash__startswith=a", 400),
        ("groups/?created_by__password_hash__startswith=a", 403),
        ("hosts/?name=%00", 400),
        ("hosts/99999999999999999999999/", 404),
        ("hosts/0/", 404),
        ("hosts/-1/", 404),
        ("hosts/x/", 404),
        ("inventories/99999999999999999999999/hosts/", 404),
        ("groups/99999999999999999999999/children/", 404),
        ("inventory_sources/99999999999999999999999/hosts/", 404),
        ("nonsense/", 404),
    ],
)
async def test_bad_queries_and_ids_are_refused(client: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await client.get(f"/api/v2/{path}")
    assert answer.status_code == status, answer.text
    assert isinstance(answer.json(), dict)


async def test_refused_filters_are_told_under_awxs_keys(client: httpx.AsyncClient) -> None:
    assert "error" in (await client.get("/v2/hosts/?nonsense=1")).json()
    assert "detail" in (await client.get("/v2/groups/?nonsense=1")).json()


@pytest.mark.parametrize("path", ["hosts/?host_filter=name~a", "hosts/?name__regex=a", "inventories/{smart}/hosts/"])
async def test_searches_run_under_a_timeout_of_their_own(
    client: httpx.AsyncClient, session: AsyncSession, statements: Statements, path: str
) -> None:
    smart = await make_inventory(session, kind="smart", host_filter="name~a")
    with statements.recorded() as seen:
        assert (await client.get(f"/v2/{path.format(smart=smart.id)}")).status_code == 200
    limited = next(place for place, statement in enumerate(seen) if "set_config" in statement)
    assert all("FROM hosts" not in statement for statement in seen[:limited])


async def test_a_bad_search_is_told_with_its_column(client: httpx.AsyncClient) -> None:
    for text in ("nmae=a", "name=", "((", "name~(", "ansible_facts=1"):
        answer = await client.get("/v2/hosts/", params={"host_filter": text})
        assert (answer.status_code, list(answer.json())) == (400, ["error"]), text
