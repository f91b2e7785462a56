"""Writers that lock the same rows of an inventory on connections of their own: the later one waits, neither fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.engine import make_engine
from craton_inv.db.session import SessionFactory, make_session_factory, unit_of_work
from craton_inv.models import Group, GroupEdge, Host, HostLabel, Inventory, Label, Membership
from craton_inv.repositories.content_locks import hold
from craton_inv.repositories.groups import GroupRepository
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.labels import LabelLinks
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services import associations
from craton_inv.services.groups import change_group, create_group, delete_group, dissolve_group, group_to_delete
from craton_inv.services.hosts import change_host, create_host
from craton_inv.services.inventories import change_inventory
from craton_inv.services.labels import attach_named_label
from craton_inv.settings import Settings
from tests.factories import add_member, make_group, make_host, make_inventory, make_tenant, save

Write = Callable[[AsyncSession], Awaitable[Any]]
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
async def factory(fresh_database_url: str) -> AsyncIterator[SessionFactory]:
    """Sessions of several connections, whose commits are real."""
    engine = make_engine(fresh_database_url, Settings(database_url=fresh_database_url))
    yield make_session_factory(engine)
    await engine.dispose()


class Scene:
    """A group `top` over `group`, which has the host, over `below`."""

    inventory: Inventory
    host: Host
    top: Group
    group: Group
    below: Group


@pytest.fixture
async def scene(factory: SessionFactory) -> Scene:
    """The scene, committed."""
    scene = Scene()
    async with unit_of_work(factory) as session:
        scene.inventory = await make_inventory(session)
        scene.host = await make_host(session, "web", inventory=scene.inventory)
        for name in ("top", "group", "below"):
            setattr(scene, name, await make_group(session, name, inventory=scene.inventory))
        for parent, child in ((scene.top, scene.group), (scene.group, scene.below)):
            await save(session, GroupEdge(parent_id=parent.id, child_id=child.id, inventory_id=scene.inventory.id))
        await add_member(session, scene.group, scene.host)
    return scene


async def both(factory: SessionFactory, lock: Write, go_on: Write, other: Write) -> None:
    """`other` in a transaction of its own between the two parts of a first one, as soon as it waits for that."""

    async def write_other() -> None:
        async with unit_of_work(factory) as session:
            await other(session)

    async with asyncio.timeout(20):
        async with unit_of_work(factory) as session:
            await lock(session)
            task = asyncio.create_task(write_other())
            async with factory() as watching:
                while not task.done() and not await watching.scalar(text(WAITING)):
                    await watching.rollback()  # the statistics of a transaction stay as they were
                    await asyncio.sleep(0.02)
            assert not task.done()
            await go_on(session)
        await task


@pytest.mark.parametrize("drop", [delete_group, dissolve_group])
async def test_a_group_goes_while_a_host_of_it_changes(factory: SessionFactory, scene: Scene, drop: Any) -> None:
    async def drop_it(session: AsyncSession) -> None:
        await drop(session, SYSTEM, await group_to_delete(session, SYSTEM, scene.group.id))

    async def lock(session: AsyncSession) -> None:
        await HostRepository(session, SYSTEM).get(scene.host.id, lock=True)

    async def change(session: AsyncSession) -> None:
        host = await HostRepository(session, SYSTEM).get(scene.host.id)
        await change_host(session, SYSTEM, host, {"description": "changed"})

    await both(factory, lock, change, drop_it)
    async with factory() as session:
        groups = {*await session.scalars(select(Group.name))}
        members = [*await session.execute(select(Membership.group_id, Membership.host_id))]
        hosts = [*await session.scalars(select(Host.description))]
    if drop is delete_group:
        assert (groups, members, hosts) == ({"top"}, [], [])
    else:
        assert (groups, hosts) == ({"top", "below"}, ["changed"])
        assert members == [(scene.top.id, scene.host.id)]


async def test_a_host_that_joins_another_group_meanwhile_outlives_its_group(
    factory: SessionFactory, scene: Scene
) -> None:
    async def lock(session: AsyncSession) -> None:
        await hold(session, scene.host)

    async def join(session: AsyncSession) -> None:
        await associations.attach_host(session, SYSTEM, scene.top, scene.host)

    async def drop(session: AsyncSession) -> None:
        await delete_group(session, SYSTEM, await group_to_delete(session, SYSTEM, scene.group.id))

    await both(factory, lock, join, drop)
    async with factory() as session:
        assert [*await session.scalars(select(Membership.group_id))] == [scene.top.id]


async def test_a_group_is_nested_while_it_changes(factory: SessionFactory, scene: Scene) -> None:
    async def lock(session: AsyncSession) -> None:
        await GroupRepository(session, SYSTEM).get(scene.below.id, lock=True)

    async def change(session: AsyncSession) -> None:
        group = await GroupRepository(session, SYSTEM).get(scene.below.id)
        await change_group(session, SYSTEM, group, {"description": "changed"})

    async def nest(session: AsyncSession) -> None:
        await associations.attach_child(session, SYSTEM, scene.top, scene.below)

    await both(factory, lock, change, nest)
    async with factory() as session:
        assert len([*await session.scalars(select(GroupEdge.parent_id))]) == 3
        assert await session.scalar(select(Group.description).where(Group.name == "below")) == "changed"


@pytest.mark.parametrize("kind", ["host", "child"])
async def test_a_group_changes_while_something_is_made_in_it(factory: SessionFactory, scene: Scene, kind: str) -> None:
    async def lock(session: AsyncSession) -> None:
        await GroupRepository(session, SYSTEM).get(scene.top.id, lock=True)

    async def change(session: AsyncSession) -> None:
        group = await GroupRepository(session, SYSTEM).get(scene.top.id)
        await change_group(session, SYSTEM, group, {"description": "changed"})

    async def make(session: AsyncSession) -> None:
        if kind == "host":
            await associations.begin_hosts(session, scene.top)
            host = await create_host(session, SYSTEM, scene.inventory, {"name": "new"})
            await associations.attach_host(session, SYSTEM, scene.top, host)
        else:
            await associations.begin_children(session, scene.top)
            child = await create_group(session, SYSTEM, scene.inventory, {"name": "new"})
            await associations.attach_child(session, SYSTEM, scene.top, child)

    await both(factory, lock, change, make)
    async with factory() as session:
        model = Host if kind == "host" else Group
        assert await session.scalar(select(model.id).where(model.name == "new")) is not None


async def test_an_inventory_moves_while_a_host_of_it_gets_a_label(factory: SessionFactory, scene: Scene) -> None:
    async with unit_of_work(factory) as session:
        other = await make_tenant(session)

    async def lock(session: AsyncSession) -> None:
        await LabelLinks(session, scene.host).lock_bearer()

    async def attach(session: AsyncSession) -> None:
        await attach_named_label(session, SYSTEM, scene.host, "prod")

    async def move(session: AsyncSession) -> None:
        inventory = await InventoryRepository(session, SYSTEM).get(scene.inventory.id, lock=True)
        await change_inventory(session, SYSTEM, inventory, {"tenant_id": other.id})

    await both(factory, lock, attach, move)
    async with factory() as session:
        borne = select(Label.tenant_id, Label.name).join(HostLabel, HostLabel.label_id == Label.id)
        assert [*await session.execute(borne)] == [(other.id, "prod")]
