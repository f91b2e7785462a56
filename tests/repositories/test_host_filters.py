"""How hosts are counted and plans are read when time is short or PostgreSQL plans in its larger ways."""

import time
from typing import Any

import pytest
from sqlalchemy import Text, cast, func, true
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import InvalidFilter, ServiceUnavailable
from craton_inv.filters import compile_where, parse
from craton_inv.models import Host
from craton_inv.repositories.host_filters import Budget, HostFilterRepository, Plan, read_plans
from craton_inv.repositories.scope import SYSTEM
from tests.factories import make_host

NODE = parse("name=a")


def asleep(seconds: float) -> Any:
    """A condition that takes so long for each host, and holds."""
    return cast(func.pg_sleep(seconds), Text).is_not(None)


@pytest.fixture
async def repository(session: AsyncSession) -> HostFilterRepository:
    """Over one host."""
    await make_host(session, "a")
    return HostFilterRepository(session, SYSTEM, NODE)


async def test_a_slow_search_costs_the_others_nothing(repository: HostFilterRepository) -> None:
    searches = {"quick": Host.name == "a", "slow": asleep(20), "none": Host.name == "b"}
    counts = await repository.counts(searches, Budget(0.4, 0.8))
    assert counts == {"quick": 1, "slow": None, "none": 0}


async def test_many_slow_searches_take_no_longer_than_the_budget(repository: HostFilterRepository) -> None:
    begun = time.monotonic()
    counts = await repository.counts({number: asleep(20) for number in range(100)}, Budget(0.2, 0.6))
    assert set(counts.values()) == {None}
    assert len(counts) == 100
    assert time.monotonic() - begun < 5


async def test_a_spent_budget_asks_nothing(repository: HostFilterRepository) -> None:
    assert await repository.counts({"any": true()}, Budget(1.0, 0.0)) == {"any": None}
    assert await repository.rows([], 0.0) == []


async def test_after_a_slow_search_the_transaction_goes_on_with_its_own_limit(
    repository: HostFilterRepository, session: AsyncSession
) -> None:
    before = await session.scalar(func.current_setting("statement_timeout").select())
    await make_host(session, "kept")
    await repository.counts({"slow": asleep(20)}, Budget(0.1, 0.1))
    assert await session.scalar(func.current_setting("statement_timeout").select()) == before
    assert await repository.counts({"kept": Host.name == "kept"}, Budget(5.0, 5.0)) == {"kept": 1}


async def test_plans_that_take_too_long_are_a_503(session: AsyncSession) -> None:
    text = " and ".join(f"all_groups__parents__name=a{number}" for number in range(100))
    searches = {"many": compile_where(parse(text), Host)}
    with pytest.raises(ServiceUnavailable, match="all_groups__parents__name"):
        await HostFilterRepository(session, SYSTEM, parse(text)).plans(searches, 0.001)


async def test_a_broken_pattern_is_refused_with_its_place(session: AsyncSession) -> None:
    node = parse("name=a or name ~ '[a'")
    with pytest.raises(InvalidFilter, match="at column 18"):
        await HostFilterRepository(session, SYSTEM, node).plans({"it": compile_where(node, Host)}, 5.0)


@pytest.mark.parametrize(
    "text", ["name=a", "name=a or groups__name=b or ansible_facts__c=1", "all_groups__name=a and all_groups__name=b"]
)
async def test_every_search_has_its_plan_whatever_its_shape(repository: HostFilterRepository, text: str) -> None:
    searches = {"one": compile_where(parse(text), Host)}
    assert set(await repository.plans(searches, 5.0)) == {"one"}
    searches |= {"two": Host.name == "b", "three": compile_where(parse("all_groups__name=c"), Host)}
    plans = await repository.plans(searches, 5.0)
    assert set(plans) == {"one", "two", "three"}
    two = plans["two"]  # whichever way a table of few rows is read
    assert two.scans == ("hosts",) or any(index.startswith(("ix_hosts_", "uq_hosts_")) for index in two.indexes)
    assert all(plan.indexes or plan.scans for plan in plans.values())


async def test_the_indexes_of_a_with_query_are_told_where_it_is_read(repository: HostFilterRepository) -> None:
    searches = {"all": compile_where(parse("all_groups__name=c"), Host), "plain": Host.name == "b"}
    plans = await repository.plans(searches, 5.0)
    read = {*plans["all"].indexes, *plans["all"].scans}
    assert any("group" in name for name in read), read
    assert not any("group" in name for name in (*plans["plain"].indexes, *plans["plain"].scans))


def member(number: int, *below: dict[str, Any]) -> dict[str, Any]:
    """A member of a UNION ALL as EXPLAIN gives it."""
    return {
        "Node Type": "Aggregate",
        "Parent Relationship": "Member",
        "Output": [f"'{number}'::bigint", "count(*)"],
        "Total Cost": float(number),
        "Plans": [{"Parent Relationship": "Outer", **each} for each in below],
    }


def test_plans_below_parallel_workers_are_told_by_their_numbers_in_any_order() -> None:
    scan = {"Node Type": "Seq Scan", "Relation Name": "hosts"}
    index = {"Node Type": "Bitmap Heap Scan", "Plans": [{"Node Type": "Bitmap Index Scan", "Index Name": "ix"}]}
    append = {"Node Type": "Append", "Parent Relationship": "Outer", "Plans": [member(2, scan), member(0, index)]}
    gather = {"Node Type": "Gather", "Output": ["('2'::bigint)", "(count(*))"], "Plans": [append]}
    assert read_plans([{"Plan": gather}]) == {2: Plan((), ("hosts",), 2.0), 0: Plan(("ix",), (), 0.0)}
