"""Updates of constructed inventories, from the database through the real ansible-inventory and back."""

from typing import Any

import pytest
from sqlalchemy import delete, update

from craton_inv.db.session import unit_of_work
from craton_inv.models import Host, InputInventory, Inventory, Tenant
from tests.factories import add_child, make_group, make_host, make_inventory
from tests.jobs.updates import Updates

SOURCE = {"source": "constructed", "overwrite": True, "overwrite_vars": True, "verbosity": 0}


@pytest.fixture
async def inputs(updates: Updates) -> dict[str, int]:
    """The world's inventory becomes a constructed one of two: ids of hosts by name. `off` is disabled."""
    world = updates.world
    ids = {}
    async with unit_of_work(world.factory) as session:
        tenant = await session.get_one(Tenant, world.tenant_id)
        await session.execute(update(Inventory).where(Inventory.id == world.inventory_id).values(kind="constructed"))
        for position, (name, hosts) in enumerate({"first": ("web", "both", "off"), "second": ("db", "both")}.items()):
            inventory = await make_inventory(
                session, f"{name}-of-{world.inventory_id}", tenant=tenant, variables={"from": name, name: True}
            )
            group = await make_group(session, name, inventory=inventory, variables={"of": name})
            await add_child(session, await make_group(session, f"over_{name}", inventory=inventory), group)
            for host in hosts:
                values: dict[str, Any] = {"variables": {"place": name}, "enabled": host != "off", "groups": [group]}
                facts = {"ansible_os_family": "Debian"} if host == "web" else None
                row = await make_host(session, host, inventory=inventory, facts=facts, **values)
                ids[host] = row.id
            link = InputInventory(
                inventory_id=world.inventory_id,
                input_inventory_id=inventory.id,
                tenant_id=tenant.id,
                position=position,
            )
            session.add(link)
    return ids


async def test_enabled_hosts_of_the_inputs_become_hosts_that_know_their_originals(
    updates: Updates, inputs: dict[str, int]
) -> None:
    row = await updates.run(**SOURCE)
    assert (row.status, row.job_explanation) == ("successful", "")
    assert await updates.world.hosts() == {
        "both": {"place": "second"},
        "db": {"place": "second"},
        "web": {"place": "first"},
    }
    stored = {name: (await updates.world.host(name)).instance_id for name in ("web", "db", "both")}
    assert stored == {name: str(inputs[name]) for name in stored}


async def test_groups_and_their_nesting_come_along(updates: Updates, inputs: dict[str, int]) -> None:
    await updates.run(**SOURCE)
    assert await updates.world.memberships() == {
        ("first", "web"), ("first", "both"), ("second", "db"), ("second", "both"),
    }  # fmt: skip
    assert await updates.world.edges() == {("over_first", "first"), ("over_second", "second")}
    assert (await updates.world.groups())["first"] == {"of": "first"}


async def test_variables_of_the_inventory_are_those_of_the_inputs_in_their_order(
    updates: Updates, inputs: dict[str, int]
) -> None:
    await updates.run(**SOURCE)
    assert (await updates.world.inventory()).variables == {"from": "second", "first": True, "second": True}


async def test_expressions_see_variables_and_facts(updates: Updates, inputs: dict[str, int]) -> None:
    options = {
        "compose": {"label": "place ~ '/' ~ inventory_hostname"},
        "groups": {"firsts": "place == 'first'"},
        "keyed_groups": [{"key": "ansible_os_family | default('none')", "prefix": "os"}],
    }
    await updates.run(**SOURCE, source_vars=str(options))
    memberships = await updates.world.memberships()
    assert {("firsts", "web"), ("os_Debian", "web"), ("os_none", "db")} <= memberships
    assert (await updates.world.host("web")).variables["label"] == "first/web"


@pytest.mark.full
async def test_a_limit_keeps_its_hosts_and_lets_the_others_go_unguarded(
    updates: Updates, inputs: dict[str, int]
) -> None:
    await updates.run(**SOURCE)
    await updates.change_source(limit="web")
    assert (await updates.run()).status == "successful"
    assert set(await updates.world.hosts()) == {"web"}


@pytest.mark.full
async def test_inputs_without_hosts_empty_the_inventory(updates: Updates, inputs: dict[str, int]) -> None:
    await updates.run(**SOURCE)
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(delete(InputInventory).where(InputInventory.inventory_id == updates.world.inventory_id))
    row = await updates.run()
    assert (row.status, await updates.world.hosts()) == ("successful", {})


@pytest.mark.full
async def test_a_strict_error_fails_the_update_with_its_reason_and_changes_nothing(
    updates: Updates, inputs: dict[str, int]
) -> None:
    await updates.run(**SOURCE)
    await updates.change_source(source_vars="strict: true\ngroups: {x: nowhere == 1}")
    row = await updates.run()
    assert row.status == "failed"
    assert "nowhere" in row.job_explanation
    assert set(await updates.world.hosts()) == {"web", "db", "both"}


@pytest.mark.full
async def test_a_host_renamed_in_its_input_is_renamed_in_place(updates: Updates, inputs: dict[str, int]) -> None:
    await updates.run(**SOURCE)
    before = await updates.world.host("web")
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(update(Host).where(Host.id == inputs["web"]).values(name="www"))
    await updates.run()
    assert (await updates.world.host("www")).id == before.id
    assert set(await updates.world.hosts()) == {"www", "db", "both"}


@pytest.mark.full
async def test_a_second_update_writes_nothing(updates: Updates, inputs: dict[str, int]) -> None:
    await updates.run(**SOURCE)
    before = await updates.world.row_versions()
    await updates.run()
    after = await updates.world.row_versions()
    assert {name: rows for name, rows in after.items() if name != "sources"} == {
        name: rows for name, rows in before.items() if name != "sources"
    }
