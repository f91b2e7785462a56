"""Generations move in the transaction of the change, whoever writes and however many rows."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import (
    Disk,
    Flavor,
    Group,
    GroupEdge,
    Host,
    Hypervisor,
    Image,
    Inventory,
    Membership,
    Network,
    NetworkPort,
    Resource,
)
from tests.factories import add_child, add_member, make_group, make_host, make_inventory, make_object, make_source


async def generation(session: AsyncSession, inventory: Inventory) -> int:
    return await session.scalar(select(Inventory.generation).where(Inventory.id == inventory.id)) or 0


async def test_a_new_host_moves_its_inventory(session: AsyncSession) -> None:
    inventory = await make_inventory(session)
    before = await generation(session, inventory)
    await make_host(session, inventory=inventory)
    assert await generation(session, inventory) == before + 1


async def test_a_bulk_insert_moves_it_once(session: AsyncSession) -> None:
    inventory = await make_inventory(session)
    before = await generation(session, inventory)
    rows = [{"inventory_id": inventory.id, "tenant_id": inventory.tenant_id, "name": f"h{n}"} for n in range(50)]
    await session.execute(insert(Host).values(rows))
    assert await generation(session, inventory) == before + 1


async def test_members_edges_changes_and_deletions_move_it(session: AsyncSession) -> None:
    inventory = await make_inventory(session)
    parent, child = await make_group(session, inventory=inventory), await make_group(session, inventory=inventory)
    host = await make_host(session, inventory=inventory)
    seen = [await generation(session, inventory)]
    await add_member(session, parent, host)
    seen.append(await generation(session, inventory))
    await add_child(session, parent, child)
    seen.append(await generation(session, inventory))
    await session.execute(update(Group).where(Group.id == child.id).values(description="x"))
    seen.append(await generation(session, inventory))
    await session.execute(delete(Membership).where(Membership.host_id == host.id))
    seen.append(await generation(session, inventory))
    await session.execute(delete(GroupEdge).where(GroupEdge.parent_id == parent.id))
    seen.append(await generation(session, inventory))
    await session.execute(delete(Host).where(Host.id == host.id))
    seen.append(await generation(session, inventory))
    assert seen == sorted(set(seen))


async def test_another_inventory_stays(session: AsyncSession) -> None:
    quiet, busy = await make_inventory(session), await make_inventory(session)
    before = await generation(session, quiet)
    await make_host(session, inventory=busy)
    assert await generation(session, quiet) == before


async def test_a_change_of_content_is_no_modification_of_the_inventory(session: AsyncSession) -> None:
    inventory = await make_inventory(session)
    await session.commit()
    modified = inventory.modified
    await make_host(session, inventory=inventory)
    await session.refresh(inventory)
    assert inventory.modified == modified


async def test_an_update_moves_the_row_itself(session: AsyncSession) -> None:
    host = await make_host(session)
    host.description = "new"
    await session.flush()
    assert host.generation == 2


async def test_new_facts_move_their_host_and_neither_its_inventory_nor_its_time_of_change(
    session: AsyncSession,
) -> None:
    inventory = await make_inventory(session)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    host = await make_host(session, inventory=inventory, modified=long_ago)
    before = await generation(session, inventory)
    await session.execute(update(Host).where(Host.id == host.id).values(ansible_facts_modified=func.now()))
    await session.refresh(host)
    assert (host.generation, host.modified) == (2, long_ago)
    assert await generation(session, inventory) == before


async def test_a_host_that_changes_beside_its_facts_moves_its_inventory(session: AsyncSession) -> None:
    inventory = await make_inventory(session)
    host = await make_host(session, inventory=inventory)
    before = await generation(session, inventory)
    values = {"ansible_facts_modified": func.now(), "enabled": False}
    await session.execute(update(Host).where(Host.id == host.id).values(values))
    assert await generation(session, inventory) == before + 1


@pytest.mark.parametrize("model", [Hypervisor, Flavor, Image, Network, Disk, NetworkPort, Resource])
async def test_what_a_source_delivers_moves_its_inventory(session: AsyncSession, model: Any) -> None:
    inventory = await make_inventory(session)
    source = await make_source(session, inventory=inventory)
    host = await make_host(session, inventory=inventory)
    seen = [await generation(session, inventory)]
    of_host = {"host_id": host.id} if model in (Disk, NetworkPort) else {}
    row = await make_object(session, model, source=source, **of_host)
    seen.append(await generation(session, inventory))
    row.name = "other"
    await session.flush()
    assert row.generation == 2
    seen.append(await generation(session, inventory))
    await session.delete(row)
    await session.flush()
    seen.append(await generation(session, inventory))
    assert seen == [seen[0] + step for step in range(4)]
