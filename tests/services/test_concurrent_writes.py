"""Two requests at once: what each of them may do alone, they may not do together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.engine import make_engine
from craton_inv.db.session import SessionFactory, make_session_factory, unit_of_work
from craton_inv.errors import CratonInvError
from craton_inv.models import Group, Inventory
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.associations import attach_child
from craton_inv.services.groups import create_group
from craton_inv.services.hosts import create_host
from craton_inv.settings import Settings
from tests.factories import make_group, make_inventory

Write = Callable[[AsyncSession], Awaitable[Any]]


@pytest.fixture
async def factory(fresh_database_url: str) -> AsyncIterator[SessionFactory]:
    """Sessions of several connections, whose commits are real."""
    engine = make_engine(fresh_database_url, Settings(database_url=fresh_database_url))
    yield make_session_factory(engine)
    await engine.dispose()


async def both_at_once(factory: SessionFactory, *writes: Write) -> list[str]:
    """Run the writes in transactions of their own that all begin before one ends; the refusals."""
    ready = asyncio.Barrier(len(writes))
    refused: list[str] = []

    async def run(write: Write) -> None:
        try:
            async with unit_of_work(factory) as session:
                await session.connection()
                await ready.wait()
                await write(session)
                await asyncio.sleep(0.2)  # the other one has begun its write by now
        except CratonInvError as error:
            refused.append(error.message)

    await asyncio.gather(*map(run, writes))
    return refused


async def inventory_in(factory: SessionFactory) -> Inventory:
    """An inventory that all connections see."""
    async with unit_of_work(factory) as session:
        return await make_inventory(session)


async def test_a_host_and_a_group_cannot_take_one_name_together(factory: SessionFactory) -> None:
    inventory = await inventory_in(factory)
    refused = await both_at_once(
        factory,
        lambda session: create_host(session, SYSTEM, inventory, {"name": "web"}),
        lambda session: create_group(session, SYSTEM, inventory, {"name": "web"}),
    )
    assert len(refused) == 1
    assert refused[0].endswith("with that name already exists.")


async def test_two_links_cannot_close_a_cycle_together(factory: SessionFactory) -> None:
    inventory = await inventory_in(factory)
    async with unit_of_work(factory) as session:
        one, two = await make_group(session, inventory=inventory), await make_group(session, inventory=inventory)

    def link(parent: Group, child: Group) -> Write:
        return lambda session: attach_child(session, SYSTEM, parent, child)

    assert await both_at_once(factory, link(one, two), link(two, one)) == ["Cyclical Group association."]
