"""Counting many searches at once: in one statement while all are well, and each for itself when one is not."""

from time import monotonic

import pytest
from sqlalchemy import ColumnElement, func, text, true
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.models import Host
from craton_inv.repositories.smart_inventories import count_names
from tests.factories import make_host
from tests.repositories.test_inventory_view import counting


@pytest.fixture(autouse=True)
async def hosts(session: AsyncSession) -> None:
    """Two hosts."""
    for name in ("web", "db"):
        await make_host(session, name)


def sleeping(seconds: float) -> ColumnElement[bool]:
    """A search that takes so long, once, and finds every host."""
    slept: ColumnElement[bool] = func.length(func.pg_sleep(seconds).op("::")(text("text"))) == 0
    return slept


async def test_a_slow_search_costs_its_own_number_alone(session: AsyncSession) -> None:
    started = monotonic()
    found = await count_names(session, {1: Host.name == "web", 2: sleeping(60), 3: true()}, 1)
    assert found == {1: 1, 2: None, 3: 2}
    assert monotonic() - started < 3


async def test_quick_searches_behind_several_slow_ones_keep_their_numbers(session: AsyncSession) -> None:
    bad = {1: Host.name.regexp_match("[a"), 2: sleeping(60), 3: sleeping(60)}
    found = await count_names(session, bad | dict.fromkeys(range(4, 8), Host.name == "web"), 2)
    assert found == dict.fromkeys(bad) | dict.fromkeys(range(4, 8), 1)


async def test_a_time_below_a_millisecond_is_still_a_limit(session: AsyncSession) -> None:
    started = monotonic()
    assert await count_names(session, {1: sleeping(5), 2: sleeping(5)}, 0.0001) == {1: None, 2: None}
    assert monotonic() - started < 4


async def test_a_search_that_the_database_refuses_costs_its_own_number_alone(session: AsyncSession) -> None:
    found = await count_names(session, {1: Host.name.regexp_match("[a"), 2: true()}, 2)
    assert found == {1: None, 2: 2}


async def test_the_timeout_is_the_same_after_as_before(session: AsyncSession) -> None:
    await session.execute(text("SET LOCAL statement_timeout = '17s'"))
    for search in (true(), sleeping(60), Host.name.regexp_match("[a")):
        await count_names(session, {1: search, 2: true()}, 0.2)
        assert await session.scalar(text("SHOW statement_timeout")) == "17s"


@pytest.mark.parametrize("searches", [1, 25])
async def test_searches_that_are_well_are_one_count(engine: AsyncEngine, session: AsyncSession, searches: int) -> None:
    with counting(engine) as sent:
        found = await count_names(session, dict.fromkeys(range(searches), Host.name == "web"), 5)
    assert set(found.values()) == {1}
    assert len([statement for statement in sent if "FROM hosts" in statement]) == 1


async def test_twins_count_once(session: AsyncSession) -> None:
    await make_host(session, "web")
    assert await count_names(session, {1: true(), 2: Host.name == "web"}, 5) == {1: 2, 2: 1}


async def test_nothing_to_count_asks_nothing(engine: AsyncEngine, session: AsyncSession) -> None:
    with counting(engine) as sent:
        assert await count_names(session, {}, 5) == {}
    assert sent == []
