"""hosts/:id/smart_inventories/ and the relation of filters behind it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.app import create_app
from craton_inv.db.session import unit_of_work
from craton_inv.models import Inventory, SmartInventoryMembership, Tenant
from craton_inv.services.users import ensure_admin
from craton_inv.settings import Settings
from tests.api.conftest import ClientOf, RingingBell, client_for
from tests.factories import make_host, make_inventory, make_tenant


async def make_smart(session: AsyncSession, tenant: Tenant, host_filter: str, name: str = "") -> Inventory:
    """A smart inventory, called by its filter unless told otherwise."""
    return await make_inventory(session, name or host_filter, tenant=tenant, kind="smart", host_filter=host_filter)


async def names(client: httpx.AsyncClient, path: str) -> list[str]:
    """The names on a list."""
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return [row["name"] for row in answer.json()["results"]]


async def test_a_host_lists_the_smart_inventories_that_find_it(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    tenant = await make_tenant(session)
    host = await make_host(session, "web1", inventory=await make_inventory(session, tenant=tenant))
    for text in ("name=web1", "not name=web1", "inventory__hosts__name=web1", "created > now-1h", 'name ~ "^w"'):
        await make_smart(session, tenant, text)
    found = await names(client, f"/v2/hosts/{host.id}/smart_inventories/")
    assert found == sorted(["name=web1", "inventory__hosts__name=web1", "created > now-1h", 'name ~ "^w"'])


async def test_the_list_is_rebuilt_each_time_it_is_read(client: httpx.AsyncClient, session: AsyncSession) -> None:
    tenant = await make_tenant(session)
    host = await make_host(session, "web1", inventory=await make_inventory(session, tenant=tenant))
    smart = await make_smart(session, tenant, "enabled=true")
    path = f"/v2/hosts/{host.id}/smart_inventories/"
    assert await names(client, path) == ["enabled=true"]
    await client.patch(f"/v2/hosts/{host.id}/", json={"enabled": False})
    assert await names(client, path) == []
    await client.patch(f"/v2/inventories/{smart.id}/", json={"host_filter": "enabled=false"})
    assert await names(client, path) == ["enabled=true"]
    assert (await client.delete(f"/v2/inventories/{smart.id}/")).status_code == 202
    assert await names(client, path) == []


async def test_of_hosts_with_one_name_the_first_is_the_member(client: httpx.AsyncClient, session: AsyncSession) -> None:
    tenant = await make_tenant(session)
    inventories = [await make_inventory(session, tenant=tenant) for _ in range(2)]
    first, second = [await make_host(session, "twin", inventory=inventory) for inventory in inventories]
    await make_smart(session, tenant, "name=twin")
    assert await names(client, f"/v2/hosts/{second.id}/smart_inventories/") == []
    assert await names(client, f"/v2/hosts/{first.id}/smart_inventories/") == ["name=twin"]
    await client.patch(f"/v2/hosts/{first.id}/", json={"name": "other"})
    assert await names(client, f"/v2/hosts/{second.id}/smart_inventories/") == ["name=twin"]


async def test_the_list_takes_filters_order_and_pages(client: httpx.AsyncClient, session: AsyncSession) -> None:
    tenant = await make_tenant(session)
    host = await make_host(session, inventory=await make_inventory(session, tenant=tenant))
    for name in ("alpha", "beta", "gamma"):
        await make_smart(session, tenant, "enabled=true", name)
    path = f"/v2/hosts/{host.id}/smart_inventories/"
    assert await names(client, f"{path}?name__icontains=A&order_by=-name&page_size=2") == ["gamma", "beta"]
    page = (await client.get(f"{path}?page_size=2")).json()
    assert (page["count"], page["next"]) == (3, f"{path}?page_size=2&page=2")
    assert page["results"][0]["kind"] == "smart"
    assert (await client.get(f"{path}?nmae=x")).status_code == 400


async def test_the_list_is_among_the_links_of_a_host(client: httpx.AsyncClient, session: AsyncSession) -> None:
    host = await make_host(session)
    related = (await client.get(f"/v2/hosts/{host.id}/")).json()["related"]
    assert related["smart_inventories"] == f"/v2/hosts/{host.id}/smart_inventories/"
    assert await names(client, related["smart_inventories"]) == []


async def test_a_reader_may_look(session: AsyncSession, client_of: ClientOf) -> None:
    tenant = await make_tenant(session)
    host = await make_host(session, inventory=await make_inventory(session, tenant=tenant))
    await make_smart(session, tenant, "enabled=true")
    reader = await client_of(tenant, "reader", scope="read")
    assert await names(reader, f"/v2/hosts/{host.id}/smart_inventories/") == ["enabled=true"]


async def test_a_search_that_is_refused_leaves_the_others_listed(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    tenant = await make_tenant(session)
    host = await make_host(session, inventory=await make_inventory(session, tenant=tenant))
    for text in ("enabled=true", 'name ~ "((("', "gone_field=1"):
        await make_smart(session, tenant, text)
    assert await names(client, f"/v2/hosts/{host.id}/smart_inventories/") == ["enabled=true"]


async def test_hosts_are_found_by_their_smart_inventories(client: httpx.AsyncClient, session: AsyncSession) -> None:
    tenant = await make_tenant(session)
    inventory = await make_inventory(session, tenant=tenant)
    hosts = [await make_host(session, name, inventory=inventory) for name in ("one", "two")]
    await make_smart(session, tenant, "name=one", "ones")
    for host in hosts:
        await names(client, f"/v2/hosts/{host.id}/smart_inventories/")
    within = f"inventory__organization={tenant.id}"
    assert await names(client, f"/v2/hosts/?{within}&smart_inventories__name=ones") == ["one"]
    assert await names(client, f"/v2/hosts/?{within}&host_filter=smart_inventory__name=ones") == ["one"]
    assert await names(client, f"/v2/hosts/?{within}&host_filter=not smart_inventories__search=ones") == ["two"]


@pytest.mark.parametrize("moved", ["inventory", "smart"])
async def test_s24_what_is_left_from_before_a_move_is_told_to_nobody(
    moved: str, session: AsyncSession, client_of: ClientOf
) -> None:
    ours, theirs = await make_tenant(session), await make_tenant(session)
    inventory = await make_inventory(session, tenant=ours)
    host = await make_host(session, inventory=inventory)
    smart = await make_smart(session, ours, "enabled=true", "secret")
    await session.execute(insert(SmartInventoryMembership), [{"inventory_id": smart.id, "host_id": host.id}])
    row = inventory if moved == "inventory" else smart
    row.tenant_id = theirs.id
    await session.flush()
    reader = await client_of(theirs if moved == "inventory" else ours, "reader")
    assert await names(reader, "/v2/hosts/?smart_inventories__name=secret") == []
    assert await names(reader, f"/v2/hosts/{host.id}/smart_inventories/") == []


@pytest.fixture
async def keeping(fresh_database_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The service with the switch on, on a database of its own; statements are counted in `app.state.statements`."""
    settings = Settings(
        data_dir=tmp_path,
        database_url=fresh_database_url,
        secret_key="k",  # type: ignore[arg-type]
        awx_rebuild_smart_membership=True,
    )
    app = create_app(settings, bell=RingingBell())
    context = app.state.context
    async with unit_of_work(context.session_factory) as session:
        token = await ensure_admin(session, settings)
    app.state.statements = []
    event.listen(
        context.engine.sync_engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: app.state.statements.append(statement),
    )
    async with client_for(app, {"Authorization": f"Bearer {token}"}) as client:
        client.app = app  # type: ignore[attr-defined]
        yield client
    await context.engine.dispose()


async def made(client: httpx.AsyncClient, path: str, **body: object) -> int:
    """The id of a new row."""
    answer = await client.post(f"/v2/{path}/", json=body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def test_switched_on_a_write_keeps_the_table_and_a_read_asks_for_nothing(keeping: httpx.AsyncClient) -> None:
    tenant = await made(keeping, "organizations", name="t")
    inventory = await made(keeping, "inventories", name="i", organization=tenant)
    smart = await made(keeping, "inventories", name="s", organization=tenant, kind="smart", host_filter="name=web1")
    host = await made(keeping, "hosts", name="web1", inventory=inventory)
    app = keeping.app  # type: ignore[attr-defined]
    async with app.state.context.session_factory() as session:
        rows = await session.execute(select(SmartInventoryMembership.inventory_id, SmartInventoryMembership.host_id))
        assert [tuple(row) for row in rows] == [(smart, host)]
    app.state.statements.clear()
    assert await names(keeping, f"/v2/hosts/{host}/smart_inventories/") == ["s"]
    assert not [text for text in app.state.statements if "INSERT" in text or "smart_membership_changes" in text]
    await keeping.patch(f"/v2/hosts/{host}/", json={"name": "web2"})
    assert await names(keeping, f"/v2/hosts/{host}/smart_inventories/") == []


async def test_switched_on_a_write_costs_three_statements_and_a_savepoint(keeping: httpx.AsyncClient) -> None:
    tenant = await made(keeping, "organizations", name="t")
    inventory = await made(keeping, "inventories", name="i", organization=tenant)
    for number in range(3):
        search = f"not name=web{number}"
        await made(keeping, "inventories", name=search, organization=tenant, kind="smart", host_filter=search)
    host = await made(keeping, "hosts", name="web1", inventory=inventory)
    app = keeping.app  # type: ignore[attr-defined]
    app.state.statements.clear()
    await keeping.patch(f"/v2/hosts/{host}/", json={"name": "web2"})
    noted = next(number for number, text in enumerate(app.state.statements) if "smart_membership_changes" in text)
    assert [text.split()[0] for text in app.state.statements[noted:]] == ["SELECT", "SELECT", "WITH"]
    app.state.statements.clear()
    await keeping.get(f"/v2/hosts/{host}/")
    assert not [text for text in app.state.statements if "smart_" in text]


async def test_switched_on_facts_of_many_hosts_are_followed_at_once(keeping: httpx.AsyncClient) -> None:
    tenant = await made(keeping, "organizations", name="t")
    inventory = await made(keeping, "inventories", name="i", organization=tenant)
    search = "ansible_facts__os=Debian"
    await made(keeping, "inventories", name=search, organization=tenant, kind="smart", host_filter=search)
    hosts = [await made(keeping, "hosts", name=f"web{number}", inventory=inventory) for number in range(3)]
    lines = "".join(f'{{"name": "web{number}", "ansible_facts": {{"os": "Debian"}}}}\n' for number in range(2))
    headers = {"Content-Type": "application/x-ndjson"}
    answer = await keeping.patch(f"/v2/inventories/{inventory}/ansible_facts/", content=lines, headers=headers)
    assert answer.status_code == 200, answer.text
    app = keeping.app  # type: ignore[attr-defined]
    async with app.state.context.session_factory() as session:
        assert {*await session.scalars(select(SmartInventoryMembership.host_id))} == {*hosts[:2]}
