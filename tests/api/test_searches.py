"""What a caller reads when the database refuses or gives up a search: the words of the filter, and its terms."""

from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.api.searches import searching
from craton_inv.errors import InvalidFilter
from craton_inv.filters import parse
from craton_inv.models import Inventory
from craton_inv.settings import Settings
from tests.factories import make_group, make_host, make_inventory

HOSTS = 2000
BROKEN = "unterminated character set at position 0"
# PostgreSQL needs half a minute to make sense of it, before it looks at any text.
HEAVY = "(" + ".*" * 14 + "){100}"


@pytest.fixture
async def inventory(session: AsyncSession) -> Inventory:
    """An inventory with a host in a group."""
    inventory = await make_inventory(session, "acme")
    group = await make_group(session, "web", inventory=inventory)
    await make_host(session, "web1", inventory=inventory, groups=[group])
    return inventory


async def smart(session: AsyncSession, inventory: Inventory, host_filter: str) -> Inventory:
    """A smart inventory beside `inventory`."""
    row = Inventory(tenant_id=inventory.tenant_id, name="smart", kind="smart", host_filter=host_filter)
    session.add(row)
    await session.flush()
    return row


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v2/hosts/?host_filter=name ~ '[a'", {"error": f"{BROKEN} (at column 8)"}),
        ("/v2/hosts/?host_filter=ansible_facts__a ~ '[a'", {"error": f"{BROKEN} (at column 20)"}),
        ("/v2/hosts/?name__regex=[a", {"error": f"{BROKEN} (in name__regex=[a)"}),
        ("/v2/groups/?name__iregex=[a", {"detail": f"{BROKEN} (in name__iregex=[a)"}),
        ("/v2/inventories/{id}/hosts/?host_filter=name ~ '[a'", {"detail": f"{BROKEN} (at column 8)"}),
    ],
)
async def test_a_broken_pattern_is_refused_in_awxs_words(
    client: httpx.AsyncClient, inventory: Inventory, path: str, body: dict[str, str]
) -> None:
    answer = await client.get(path.format(id=inventory.id))
    assert (answer.status_code, answer.json()) == (400, body)


@pytest.mark.parametrize(
    "path",
    [
        "/v2/hosts/?host_filter=id=null and name ~ '[a'",
        "/v2/hosts/?host_filter=id=null and groups__name__regex='[a'",
        "/v2/hosts/?id=0&name__regex=[a",
        "/v2/groups/?id=0&hosts__name__iregex=[a",
        "/v1/hosts?host_filter=id=null and name ~ '[a'",
        "/v1/ansible-inventory?host_filter=id=null and name ~ '[a'",
    ],
)
async def test_a_broken_pattern_is_refused_also_when_no_row_comes_that_far(
    client: httpx.AsyncClient, inventory: Inventory, path: str
) -> None:
    answer = await client.get(path)
    assert answer.status_code == 400, answer.text
    assert BROKEN in answer.text


async def test_a_fact_called_regex_may_hold_any_text(client: httpx.AsyncClient, inventory: Inventory) -> None:
    host_filter = "ansible_facts__regex='[a'"
    answer = await client.get("/v2/hosts/", params={"host_filter": host_filter})
    assert (answer.status_code, answer.json()["count"]) == (200, 0)
    body = {"name": "smart", "organization": inventory.tenant_id, "kind": "smart", "host_filter": host_filter}
    assert (await client.post("/v2/inventories/", json=body)).status_code == 201


async def test_a_broken_pattern_under_v1_has_its_column(client: httpx.AsyncClient, inventory: Inventory) -> None:
    answer = await client.get("/v1/hosts", params={"host_filter": "name=a or name ~ '[a'"})
    assert answer.status_code == 400
    assert answer.json()["message"] == f"{BROKEN} (at column 18)"
    assert answer.json()["column"] == 18


@pytest.mark.parametrize(
    "path",
    [
        "/v2/inventories/{id}/hosts/",
        "/v2/inventories/{id}/script/",
        "/v2/inventories/{id}/script/?host=web1",
        "/v2/hosts/?inventory={id}",
        "/v1/hosts?inventory_id={id}",
        "/v1/ansible-inventory?inventory_id={id}",
    ],
)
async def test_a_stored_search_that_went_bad_says_what_is_wrong_with_it(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, path: str
) -> None:
    stored = await smart(session, inventory, "name ~ '[a'")
    answer = await client.get(path.format(id=stored.id))
    assert answer.status_code == 400
    assert BROKEN in answer.text


async def test_one_stored_search_that_went_bad_spoils_no_list_of_inventories(
    client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory
) -> None:
    stored = await smart(session, inventory, "name ~ '[a'")
    for path in ("/v2/inventories/", f"/v2/inventories/{stored.id}/"):
        answer = await client.get(path)
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("host_filter", ["name ~ '[a'", "groups__name__iregex='[a'", "not ansible_facts__a ~ '[a'"])
async def test_a_broken_pattern_is_not_saved_even_while_no_host_is_there(
    client: httpx.AsyncClient, session: AsyncSession, host_filter: str
) -> None:
    empty = await make_inventory(session)
    body = {"name": "smart", "organization": empty.tenant_id, "kind": "smart", "host_filter": host_filter}
    answer = await client.post("/v2/inventories/", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["host_filter"][0].startswith(BROKEN)


async def test_a_pattern_that_takes_too_long_to_read_is_not_saved(
    client: httpx.AsyncClient, inventory: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("craton_inv.repositories.patterns.SECONDS", 0.1)
    body = {"name": "smart", "organization": inventory.tenant_id, "kind": "smart", "host_filter": f'name ~ "{HEAVY}"'}
    answer = await client.post("/v2/inventories/", json=body)
    assert answer.status_code == 400, answer.text
    assert "takes too long to read" in answer.json()["host_filter"][0]


@pytest.fixture
def hurried_settings(settings: Settings) -> Settings:
    """Settings under which no search of many rows ends in time."""
    return settings.model_copy(update={"filter_statement_timeout": 0.001})


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/v2/hosts/?host_filter=variables__a > 1 or name ~ b", "variables__a, name"),
        ("/v2/hosts/?host_filter=variables__a > 1&count_disabled=1", "variables__a"),
        ("/v2/hosts/?description__regex=z.*q", "description__regex"),
        ("/v2/hosts/?description__regex=z.*q&host_filter=variables__a > 1", "description__regex, variables__a"),
        ("/v2/groups/?hosts__description__regex=z.*q", "hosts__description__regex"),
        ("/v2/inventories/{smart}/hosts/", "variables__z"),
        ("/v2/inventories/{smart}/hosts/?host_filter=name ~ b", "variables__z, name"),
        ("/v2/inventories/{smart}/script/", "variables__z"),
        ("/v2/hosts/?inventory={smart}", "variables__z"),
        ("/v1/hosts?host_filter=variables__a > 1", "variables__a"),
        ("/v1/hosts?inventory_id={smart}", "variables__z"),
        ("/v1/ansible-inventory?inventory_id={smart}", "variables__z"),
    ],
)
async def test_a_search_that_takes_too_long_names_its_terms(
    app: FastAPI,
    client: httpx.AsyncClient,
    session: AsyncSession,
    inventory: Inventory,
    hurried_settings: Settings,
    path: str,
    names: str,
) -> None:
    stored = await smart(session, inventory, "variables__z > 1")
    await many_hosts(session, inventory)
    for part in (app, *app.state.dialects.values()):
        part.state.context = replace(part.state.context, settings=hurried_settings)
    answer = await client.get(path.format(smart=stored.id))
    assert answer.status_code == 503, answer.text
    assert answer.headers["retry-after"]
    assert f"The search took too long; it looks at {names}." in answer.text


async def test_an_order_over_relations_is_held_to_the_same_time(
    app: FastAPI, client: httpx.AsyncClient, session: AsyncSession, inventory: Inventory, hurried_settings: Settings
) -> None:
    await many_hosts(session, inventory)
    for part in (app, *app.state.dialects.values()):
        part.state.context = replace(part.state.context, settings=hurried_settings)
    answer = await client.get("/v2/hosts/", params={"order_by": "groups__name"})
    assert answer.status_code == 503, answer.text


async def test_a_pattern_that_takes_too_long_to_read_is_held_to_the_same_time(
    app: FastAPI, client: httpx.AsyncClient, settings: Settings
) -> None:
    hurried = settings.model_copy(update={"filter_statement_timeout": 0.1})
    for part in (app, *app.state.dialects.values()):
        part.state.context = replace(part.state.context, settings=hurried)
    answer = await client.get("/v2/hosts/", params={"host_filter": f'id=null and name ~ "{HEAVY}"'})
    assert answer.status_code == 503, answer.text
    assert "The search took too long; it looks at id, name." in answer.text


async def many_hosts(session: AsyncSession, inventory: Inventory) -> None:
    """Enough hosts, and enough text in each, for any scan to take many milliseconds."""
    await session.execute(
        text(
            "INSERT INTO hosts (tenant_id, inventory_id, name, description, variables)"
            " SELECT :tenant, :inventory, 'many-' || n, repeat(md5(n::text) || 'z', 50),"
            " jsonb_build_object('z', n, 'filler', repeat(md5(n::text), 100)) FROM generate_series(1, :count) n"
        ),
        {"tenant": inventory.tenant_id, "inventory": inventory.id, "count": HOSTS},
    )
    await session.execute(
        text(
            "INSERT INTO memberships (group_id, host_id, inventory_id)"
            " SELECT g.id, h.id, h.inventory_id FROM groups g JOIN hosts h USING (inventory_id) WHERE h.name ~ 'many'"
        )
    )


async def allowed(session: AsyncSession) -> str:
    """How long a statement of this session may take now."""
    return str(await session.scalar(text("SHOW statement_timeout")))


async def test_only_the_search_is_held_to_its_time(session: AsyncSession, settings: Settings) -> None:
    async with searching(session, settings, parse("name=a")):
        assert await allowed(session) == "2s"
    assert await allowed(session) == "30s"


async def test_no_search_is_held_to_no_time(session: AsyncSession, settings: Settings) -> None:
    async with searching(session, settings, None):
        assert await allowed(session) == "30s"


async def test_a_search_that_failed_leaves_nothing_to_the_next_transaction(
    engine: AsyncEngine, settings: Settings
) -> None:
    async with AsyncSession(engine) as session:
        with pytest.raises(InvalidFilter):
            async with searching(session, settings, parse("name ~ '[a'")):
                await session.execute(text("SELECT 'a' ~ '[a'"))
        await session.rollback()
        assert await allowed(session) == "30s"
