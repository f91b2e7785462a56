"""Two changes of one label's links at once, on connections of their own: no error, no label lost from a new link."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.engine import make_engine
from craton_inv.db.session import SessionFactory, make_session_factory, unit_of_work
from craton_inv.errors import BadRequest
from craton_inv.models import Host, HostLabel, Inventory, Label
from craton_inv.repositories.labels import LabelLinks, LabelRepository
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.groups import delete_group, group_to_delete
from craton_inv.services.labels import attach_label, attach_named_label, detach_label
from craton_inv.settings import Settings
from tests.factories import add_member, make_group, make_host, make_inventory, make_label, make_tenant

Write = Callable[[AsyncSession], Awaitable[Any]]


@pytest.fixture
async def factory(fresh_database_url: str) -> AsyncIterator[SessionFactory]:
    """Sessions of several connections, whose commits are real."""
    engine = make_engine(fresh_database_url, Settings(database_url=fresh_database_url))
    yield make_session_factory(engine)
    await engine.dispose()


class Scene:
    """An inventory with two hosts, and a label that the first one bears."""

    def __init__(self, inventory: Inventory, one: Host, two: Host, label: Label) -> None:
        self.inventory = inventory
        self.one = one
        self.two = two
        self.label = label


@pytest.fixture
async def scene(factory: SessionFactory) -> Scene:
    """The scene, committed."""
    async with unit_of_work(factory) as session:
        tenant = await make_tenant(session)
        inventory = await make_inventory(session, tenant=tenant)
        one, two = [await make_host(session, inventory=inventory) for _ in range(2)]
        return Scene(inventory, one, two, await make_label(session, "prod", tenant=tenant, on=[one]))


async def in_turn(factory: SessionFactory, first: Write, second: Write) -> list[Exception | None]:
    """Run `second` while the transaction of `first` has written and waits to commit; what each of them raised."""
    written = asyncio.Event()
    raised: list[Exception | None] = [None, None]

    async def run(place: int, write: Write) -> None:
        try:
            async with unit_of_work(factory) as session:
                await session.connection()
                if place == 1:
                    await written.wait()
                await write(session)
                if place == 0:
                    written.set()
                    await asyncio.sleep(0.3)  # the other one waits for a lock by now, or is through
        except Exception as error:
            written.set()
            raised[place] = error

    await asyncio.gather(run(0, first), run(1, second))
    return raised


async def links(factory: SessionFactory) -> list[tuple[int, str]]:
    """Every link of a host: the host, and the name of the label."""
    async with unit_of_work(factory) as session:
        query = select(HostLabel.host_id, Label.name).join(Label, Label.id == HostLabel.label_id)
        return [
            (host_id, name) for host_id, name in await session.execute(query.order_by(HostLabel.host_id, Label.name))
        ]


async def count_labels(factory: SessionFactory) -> int:
    """All labels."""
    async with unit_of_work(factory) as session:
        return await session.scalar(select(func.count()).select_from(Label)) or 0


def attach(bearer: Host | Inventory, label: Label) -> Write:
    """Attach by id."""
    return lambda session: attach_label(session, SYSTEM, bearer, label)


def attach_name(bearer: Host | Inventory, name: str) -> Write:
    """Attach by name."""
    return lambda session: attach_named_label(session, SYSTEM, bearer, name)


def detach(bearer: Host | Inventory, label: Label) -> Write:
    """Detach."""
    return lambda session: detach_label(session, SYSTEM, bearer, label)


async def test_a_label_that_is_being_attached_survives_its_last_detach(factory: SessionFactory, scene: Scene) -> None:
    raised = await in_turn(factory, attach(scene.two, scene.label), detach(scene.one, scene.label))
    assert raised == [None, None]
    assert await links(factory) == [(scene.two.id, "prod")]


async def test_a_label_that_is_being_deleted_cannot_be_attached_by_id(factory: SessionFactory, scene: Scene) -> None:
    first, second = await in_turn(factory, detach(scene.one, scene.label), attach(scene.two, scene.label))
    assert first is None
    assert isinstance(second, BadRequest)
    assert second.message == "Label matching query does not exist."
    assert await count_labels(factory) == 0


async def test_a_label_that_is_being_deleted_is_made_anew_by_name(factory: SessionFactory, scene: Scene) -> None:
    raised = await in_turn(factory, detach(scene.one, scene.label), attach_name(scene.two, "prod"))
    assert raised == [None, None]
    assert await links(factory) == [(scene.two.id, "prod")]
    assert await count_labels(factory) == 1


async def test_two_that_make_one_name_get_one_label(factory: SessionFactory, scene: Scene) -> None:
    raised = await in_turn(factory, attach_name(scene.one, "new"), attach_name(scene.two, "new"))
    assert raised == [None, None]
    assert await links(factory) == [(scene.one.id, "new"), (scene.one.id, "prod"), (scene.two.id, "new")]
    assert await count_labels(factory) == 2


async def test_two_detaches_of_the_last_two_links_delete_the_label(factory: SessionFactory, scene: Scene) -> None:
    async with unit_of_work(factory) as session:
        await attach_label(session, SYSTEM, scene.two, scene.label)
    raised = await in_turn(factory, detach(scene.one, scene.label), detach(scene.two, scene.label))
    assert raised == [None, None]
    assert await count_labels(factory) == 0


async def test_two_detaches_of_one_link_are_both_content(factory: SessionFactory, scene: Scene) -> None:
    raised = await in_turn(factory, detach(scene.one, scene.label), detach(scene.one, scene.label))
    assert raised == [None, None]
    assert await count_labels(factory) == 0


async def test_the_last_place_is_taken_once(
    factory: SessionFactory, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("craton_inv.services.labels.MAX_LABELS", 2)
    first, second = await in_turn(factory, attach_name(scene.one, "a"), attach_name(scene.one, "b"))
    assert first is None
    assert isinstance(second, BadRequest)
    assert second.message == "Maximum number of labels for host reached."


@pytest.mark.parametrize("host_first", [True, False])
async def test_a_deleted_host_and_a_new_link_of_its_label_do_not_wait_in_a_ring(
    factory: SessionFactory, scene: Scene, host_first: bool
) -> None:
    async def delete_host(session: AsyncSession) -> None:
        await session.execute(delete(Host).where(Host.id == scene.one.id))

    writes = (delete_host, attach_name(scene.two, "prod"))
    raised = await in_turn(factory, *(writes if host_first else reversed(writes)))
    assert raised == [None, None]
    assert await links(factory) == [(scene.two.id, "prod")]


async def test_a_group_that_takes_the_last_bearer_along_does_not_wait_for_who_attaches(
    factory: SessionFactory, scene: Scene
) -> None:
    # It holds the inventory, which the new link refers to: if it waited for the label too, both would wait for ever.
    async with unit_of_work(factory) as session:
        group = await make_group(session, inventory=scene.inventory)
        await add_member(session, group, scene.one)
    async with unit_of_work(factory) as attaching:
        links_of_two = LabelLinks(attaching, scene.two)
        await links_of_two.lock_bearer()
        held = await LabelRepository(attaching, SYSTEM).hold(scene.label.id)
        async with asyncio.timeout(5), unit_of_work(factory) as deleting:
            await delete_group(deleting, SYSTEM, await group_to_delete(deleting, SYSTEM, group.id))
        assert held is not None
        await links_of_two.add(held)
    assert await links(factory) == [(scene.two.id, "prod")]


@pytest.mark.parametrize("rounds", [12, pytest.param(150, marks=pytest.mark.full)])
async def test_many_writers_never_fail_and_leave_no_link_without_a_label(
    factory: SessionFactory, scene: Scene, rounds: int
) -> None:
    bearers: tuple[Host | Inventory, ...] = (scene.inventory, scene.one, scene.two)

    async def writer(start: int) -> None:
        for number in range(rounds):
            bearer = bearers[(start + number) % 3]
            name = f"l{number % 2}"
            async with unit_of_work(factory) as session:
                label, _ = await attach_named_label(session, SYSTEM, bearer, name)
            async with unit_of_work(factory) as session:
                await detach_label(session, SYSTEM, bearer, label)

    async with unit_of_work(factory) as session:
        await detach_label(session, SYSTEM, scene.one, scene.label)
    await asyncio.gather(*(writer(start) for start in range(4)))
    assert await links(factory) == []
    assert await count_labels(factory) == 0
