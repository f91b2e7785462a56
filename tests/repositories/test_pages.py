"""Pages of a search: the same rows and count however they are asked for, in at most two statements."""

import pytest
from benchmarks.common import statement_counter
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.filters import Search, compile_where, each_alone, kind_of_search, order_by_clauses, parse, probe
from craton_inv.models import Host
from craton_inv.repositories import base
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.scope import Scope
from tests.factories import make_group, make_host, make_inventory

SEARCHES = {
    "name__startswith=h": Search.PLAIN,
    "not enabled=false and name__startswith=h": Search.PLAIN,
    "inventory__name=one and name__startswith=h": Search.LINKED,
    "ansible_facts__os=Debian": Search.NARROW,
    "groups__name=all": Search.NARROW,
    "name=nobody or groups__name=all": Search.NARROW,
    "name__startswith=h and not ansible_facts__os=CentOS": Search.NARROW,
    "variables__role=web": Search.NARROW,
    'ansible_facts__os >= "D"': Search.BROAD,
    "not ansible_facts__os=CentOS": Search.BROAD,
    "variables__port > 80": Search.BROAD,
    "not groups__name=rest": Search.BROAD,
}


@pytest.mark.parametrize("text", SEARCHES)
def test_the_kind_of_a_search_is_seen_from_its_conditions(text: str) -> None:
    assert kind_of_search([compile_where(parse(text), Host)]) is SEARCHES[text]


@pytest.mark.parametrize("bounds", [(2, 2, 1), (2, 2, 3), (1000, 4, 1), (1000, 200, 4)])
@pytest.mark.parametrize("order", ["id", "-name"])
@pytest.mark.parametrize("text", SEARCHES)
async def test_a_page_is_the_same_however_it_is_asked_for(
    session: AsyncSession, monkeypatch: pytest.MonkeyPatch, text: str, order: str, bounds: tuple[int, int, int]
) -> None:
    for name, bound in zip(("FEW", "PROBED", "RARE"), bounds, strict=True):
        monkeypatch.setattr(base, name, bound)
    inventory = await make_inventory(session, "one")
    group = await make_group(session, "all", inventory=inventory)
    found = {"facts": {"os": "Debian"}, "groups": [group], "variables": {"role": "web", "port": 8080}}
    for number in range(5):
        await make_host(session, f"h{number}", inventory=inventory, **found)
    rest = await make_group(session, "rest", inventory=inventory)
    await make_host(session, "other", inventory=inventory, facts={"os": "CentOS"}, groups=[rest], enabled=False)
    repository = HostRepository(session, Scope(is_superuser=True))
    where = (compile_where(parse(text), Host),)
    clauses = order_by_clauses(order, Host)
    names = ["h1", "h2", "h3"] if order == "id" else ["h3", "h2", "h1"]
    for count in (True, False):
        page = await repository.page(where=where, order=clauses, offset=1, limit=3, count=count, searched=True)
        assert [row.name for row in page.items] == names
        assert page.count == (5 if count else None)
    beyond = await repository.page(where=where, order=clauses, offset=9, limit=3)
    assert (beyond.items, beyond.count) == ([], 5)


@pytest.mark.parametrize("hosts", [1, 30])
@pytest.mark.parametrize("text", SEARCHES)
async def test_a_page_takes_two_statements_at_most(
    engine: AsyncEngine, session: AsyncSession, text: str, hosts: int
) -> None:
    inventory = await make_inventory(session, "one")
    for number in range(hosts):
        await make_host(session, f"h{number}", inventory=inventory, facts={"os": "Debian"})
    repository = HostRepository(session, Scope(is_superuser=True))
    where = (compile_where(parse(text), Host),)
    for count in (True, False):
        with statement_counter(engine) as statements:
            await repository.page(where=where, limit=3, count=count, searched=True)
        assert statements.count <= 2


@pytest.mark.parametrize("order", ["id", "name"])
@pytest.mark.parametrize("text", ["ansible_facts__os=Debian", "not groups__name=all"])
async def test_a_page_without_a_count_keeps_to_the_scope(session: AsyncSession, text: str, order: str) -> None:
    mine = await make_host(session, "twin", facts={"os": "Debian"})
    await make_host(session, "twin", facts={"os": "Debian"})
    repository = HostRepository(session, Scope(roles={mine.tenant_id: frozenset({"reader"})}))
    where = (compile_where(parse(text), Host),)
    found = await repository.page(where=where, order=order_by_clauses(order, Host), count=False, searched=True)
    assert [row.id for row in found.items] == [mine.id]


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("groups__name=all", True),
        ("not groups__name=all and name=nobody", True),
        ("name=nobody or groups__name=all", True),
        ("all_groups__name=all", False),
        ("ansible_facts__os=Debian", False),
        ("name=nobody or groups__variables__role=web", False),
    ],
)
def test_rows_are_asked_one_by_one_neither_for_documents_nor_for_ancestors(text: str, alone: bool) -> None:
    assert each_alone([compile_where(parse(text), Host)]) is alone


async def test_only_the_first_rows_are_asked_one_by_one(session: AsyncSession) -> None:
    inventory = await make_inventory(session, "one")
    group = await make_group(session, "all", inventory=inventory)
    hosts = [await make_host(session, f"h{n}", inventory=inventory, groups=[group] * (n % 2)) for n in range(6)]
    for text, matching in (("groups__name=all", 1), ("not groups__name=all", 0), ("name=no or groups__name=all", 1)):
        asked = await session.execute(probe(Host, [compile_where(parse(text), Host)], (), rows=4))
        assert sorted(tuple(row) for row in asked) == [(host.id, n % 2 == matching) for n, host in enumerate(hosts[:4])]
