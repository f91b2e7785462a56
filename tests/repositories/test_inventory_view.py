"""The view in the database: which rows, at which generation, in how many statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, true
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.ansible.view import InventoryView
from craton_inv.db.engine import make_engine
from craton_inv.db.session import make_session_factory
from craton_inv.errors import NotFound
from craton_inv.models import Host, Inventory
from craton_inv.repositories.inventory_view import InventoryViewRepository
from craton_inv.repositories.scope import SYSTEM, Scope
from craton_inv.settings import Settings
from tests.factories import add_child, add_member, make_group, make_host, make_inventory, make_tenant


@contextmanager
def counting(engine: AsyncEngine) -> Iterator[list[str]]:
    """The statements sent meanwhile."""
    sent: list[str] = []

    def note(*arguments: Any) -> None:
        sent.append(arguments[2])

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", note)


async def load(session: AsyncSession, inventory: Inventory, scope: Scope = SYSTEM, **options: Any) -> InventoryView:
    """The view of an inventory, its row read afresh."""
    await session.refresh(inventory)
    return await InventoryViewRepository(session, scope).load(inventory, variables=inventory.variables, **options)


async def test_hosts_groups_members_and_children_come_as_rows(session: AsyncSession) -> None:
    inventory = await make_inventory(session, variables={"a": 1})
    web, parent = await make_group(session, "web", inventory=inventory), await make_group(session, inventory=inventory)
    one = await make_host(session, "h1", inventory=inventory, variables={"x": [1]}, ip_address="192.0.2.1")
    two = await make_host(session, "h2", inventory=inventory)
    for host in (one, two):
        await add_member(session, web, host)
    await add_child(session, parent, web)
    view = await load(session, inventory)
    assert {row.name: (row.id, row.variables, row.plain, row.ip_address) for row in view.hosts} == {
        "h1": (one.id, '{"x": [1]}', True, "192.0.2.1"),
        "h2": (two.id, "{}", True, None),
    }
    assert {row.id for row in view.groups} == {web.id, parent.id}
    assert {group: sorted(hosts) for group, hosts in view.members.items()} == {web.id: [one.id, two.id]}
    assert view.children == {parent.id: [web.id]}
    assert view.variables == {"a": 1}


@pytest.mark.parametrize("key", ["asset.serial", "1st", "", "a b", "größe", "true", "not", "a\n", 'a"b'])
async def test_a_key_that_ansible_cannot_take_makes_the_row_not_plain(session: AsyncSession, key: str) -> None:
    host = await make_host(session, variables={"fine": 1, key: 2})
    [row] = await InventoryViewRepository(session, SYSTEM).hosts_named(host.name, true())
    assert not row.plain


async def test_odd_keys_below_the_first_level_leave_the_row_plain(session: AsyncSession) -> None:
    host = await make_host(session, variables={"labels": {"a.b": 1}})
    [row] = await InventoryViewRepository(session, SYSTEM).hosts_named(host.name, true())
    assert row.plain


@pytest.mark.parametrize(("disabled", "names"), [(False, ["on"]), (True, ["off", "on"])])
async def test_disabled_hosts_come_only_when_asked_for(session: AsyncSession, disabled: bool, names: list[str]) -> None:
    inventory = await make_inventory(session)
    await make_host(session, "on", inventory=inventory)
    await make_host(session, "off", inventory=inventory, enabled=False)
    view = await load(session, inventory, disabled=disabled)
    assert sorted(row.name for row in view.hosts) == names


async def test_host_variables_are_left_out_when_nobody_wants_them(session: AsyncSession) -> None:
    inventory = await make_inventory(session)
    await make_host(session, inventory=inventory, variables={"x": 1})
    view = await load(session, inventory, host_variables=False)
    assert [row.variables for row in view.hosts] == ["{}"]


async def test_another_inventorys_rows_stay_out(session: AsyncSession) -> None:
    tenant = await make_tenant(session)
    inventory, other = [await make_inventory(session, tenant=tenant) for _ in range(2)]
    group = await make_group(session, inventory=other)
    await make_host(session, inventory=other, groups=[group])
    view = await load(session, inventory)
    assert (view.hosts, view.groups, view.members, view.children) == ([], [], {}, {})


async def test_a_foreign_tenants_rows_are_not_there(session: AsyncSession) -> None:
    inventory = await make_inventory(session)
    await make_host(session, inventory=inventory, groups=[await make_group(session, inventory=inventory)])
    stranger = Scope(user_id=1, roles={inventory.tenant_id + 1: frozenset({"admin"})})
    view = await load(session, inventory, stranger)
    assert (view.hosts, view.groups) == ([], [])


async def test_a_search_brings_the_hosts_it_finds_without_groups(session: AsyncSession) -> None:
    inventory = await make_inventory(session)
    group = await make_group(session, inventory=inventory)
    for name in ("web1", "web2", "db1"):
        await make_host(session, name, inventory=inventory, groups=[group])
    view = await InventoryViewRepository(session, SYSTEM).search(Host.name.startswith("web"), variables={})
    assert sorted(row.name for row in view.hosts) == ["web1", "web2"]
    assert (view.groups, view.members, view.generation) == ((), {}, None)


async def found(session: AsyncSession, *names: str, scope: Scope = SYSTEM, **options: Any) -> InventoryView:
    """The hosts of these names, with their groups."""
    views = InventoryViewRepository(session, scope)
    return await views.with_groups(await views.search(Host.name.in_(names), variables={}, **options))


async def test_found_hosts_come_with_the_groups_they_are_in_and_those_above(session: AsyncSession) -> None:
    inventory = await make_inventory(session)
    top, web, db, empty = [
        await make_group(session, name, inventory=inventory) for name in ("top", "web", "db", "empty")
    ]
    for child in (web, db, empty):
        await add_child(session, top, child)
    one = await make_host(session, "web1", inventory=inventory, groups=[web])
    await make_host(session, "web2", inventory=inventory, groups=[web])
    await make_host(session, "db1", inventory=inventory, groups=[db])
    view = await found(session, "web1")
    assert sorted(group.name for group in view.groups) == ["top", "web"]
    assert (view.members, view.children) == ({web.id: [one.id]}, {top.id: [web.id]})


async def test_groups_of_one_name_in_several_inventories_are_one(session: AsyncSession) -> None:
    groups = []
    for number in (1, 2):
        inventory = await make_inventory(session)
        groups.append(await make_group(session, "web", inventory=inventory, variables={"n": number, str(number): 0}))
        await make_host(session, f"h{number}", inventory=inventory, groups=groups[-1:])
    view = await found(session, "h1", "h2")
    assert [(group.id, group.name, group.variables) for group in view.groups] == [
        (groups[0].id, "web", '{"1": 0, "n": 2, "2": 0}')
    ]
    assert len(view.members[groups[0].id]) == 2


async def test_groups_of_disabled_hosts_alone_are_not_shown(session: AsyncSession) -> None:
    inventory = await make_inventory(session)
    group = await make_group(session, inventory=inventory)
    await make_host(session, "off", inventory=inventory, enabled=False, groups=[group])
    assert (await found(session, "off")).groups == ()
    assert len((await found(session, "off", disabled=True)).groups) == 1


async def test_groups_of_a_foreign_tenant_do_not_come_along(session: AsyncSession) -> None:
    inventory = await make_inventory(session)
    await make_host(session, "h", inventory=inventory, groups=[await make_group(session, inventory=inventory)])
    stranger = Scope(user_id=1, roles={inventory.tenant_id + 1: frozenset({"admin"})})
    view = await found(session, "h", scope=stranger)
    assert (view.hosts, view.groups) == ([], ())


@pytest.mark.parametrize("count", [1, 40])
async def test_found_hosts_and_their_groups_are_four_statements_whatever_the_size(
    engine: AsyncEngine, session: AsyncSession, count: int
) -> None:
    for number in range(count):
        inventory = await make_inventory(session)
        parent, child = [await make_group(session, inventory=inventory) for _ in range(2)]
        await add_child(session, parent, child)
        await make_host(session, f"h{number}", inventory=inventory, groups=[child])
    with counting(engine) as sent:
        view = await found(session, *(f"h{number}" for number in range(count)))
    assert (len(sent), len(view.groups)) == (4, 2 * count)


@pytest.mark.parametrize("count", [1, 40])
async def test_the_statements_are_five_whatever_the_size(
    engine: AsyncEngine, session: AsyncSession, count: int
) -> None:
    inventory = await make_inventory(session)
    for _ in range(count):
        await make_host(session, inventory=inventory, groups=[await make_group(session, inventory=inventory)])
    await session.refresh(inventory)
    with counting(engine) as sent:
        await InventoryViewRepository(session, SYSTEM).load(inventory, variables={})
    assert len(sent) == 5


async def test_rows_are_read_again_when_a_commit_comes_between(fresh_database_url: str, settings: Settings) -> None:
    engine = make_engine(fresh_database_url, settings)
    try:
        sessions = make_session_factory(engine)
        async with sessions() as reader, sessions() as writer:
            inventory = await make_inventory(writer)
            await writer.commit()
            seen = await reader.get_one(Inventory, inventory.id)
            await make_host(writer, "late", inventory=inventory, groups=[await make_group(writer, inventory=inventory)])
            await writer.commit()
            with counting(engine) as sent:
                view = await InventoryViewRepository(reader, SYSTEM).load(seen, variables={})
            assert len(sent) == 10
            # The name of what was first seen: a reader that holds it asks again, it never misses something.
            assert view.generation == seen.generation
            assert [row.name for row in view.hosts] == ["late"]
    finally:
        await engine.dispose()


async def test_an_inventory_deleted_meanwhile_is_not_found(fresh_database_url: str, settings: Settings) -> None:
    engine = make_engine(fresh_database_url, settings)
    try:
        sessions = make_session_factory(engine)
        async with sessions() as reader, sessions() as writer:
            inventory = await make_inventory(writer)
            await writer.commit()
            seen = await reader.get_one(Inventory, inventory.id)
            await writer.delete(inventory)
            await writer.commit()
            with pytest.raises(NotFound):
                await InventoryViewRepository(reader, SYSTEM).load(seen, variables={})
    finally:
        await engine.dispose()
