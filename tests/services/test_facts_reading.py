"""Reading the facts of many hosts: in pieces of bounded size, each in a transaction of its own."""

import json
import random

import pytest
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.session import SessionFactory
from craton_inv.models import Host, Inventory
from craton_inv.repositories.scope import SYSTEM, Scope
from craton_inv.services.facts_reading import FactsQuery, FactsReading
from tests.factories import make_host, make_inventory

HOSTS, SIZE = 40, 60_000


@pytest.fixture
async def inventory(session: AsyncSession) -> Inventory:
    """Hosts with facts that do not compress."""
    inventory = await make_inventory(session)
    for _ in range(HOSTS):
        await make_host(session, inventory=inventory, facts={"noise": random.randbytes(SIZE // 2).hex()})
    await session.commit()
    return inventory


async def test_a_piece_holds_some_of_the_facts_and_all_pieces_all(
    session: AsyncSession, session_factory: SessionFactory, inventory: Inventory
) -> None:
    reading = await FactsReading.of(session, SYSTEM, inventory, FactsQuery())
    pieces = [piece async for piece in reading.lines(session_factory)]
    assert sum(map(len, pieces)) > HOSTS * SIZE
    assert max(map(len, pieces)) < 16 * SIZE
    assert len({json.loads(line)["id"] for piece in pieces for line in piece.splitlines()}) == HOSTS


async def test_a_host_deleted_between_two_pieces_is_left_out(
    session: AsyncSession, session_factory: SessionFactory, inventory: Inventory
) -> None:
    reading = await FactsReading.of(session, SYSTEM, inventory, FactsQuery())
    names = []
    async for piece in reading.lines(session_factory):
        names += [json.loads(line)["name"] for line in piece.splitlines()]
        if len(names) < HOSTS:
            await session.execute(delete(Host).where(Host.inventory_id == inventory.id))
            await session.commit()
    assert 0 < len(names) < HOSTS


async def test_the_scope_counts_again_for_every_piece(
    session: AsyncSession, session_factory: SessionFactory, inventory: Inventory
) -> None:
    reading = await FactsReading.of(session, SYSTEM, inventory, FactsQuery())
    stranger = FactsReading(Scope(), None, [(host_id, 0) for host_id in reading._ids])
    assert [piece async for piece in stranger.lines(session_factory)] == []
