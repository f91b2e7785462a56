"""Terms that share a sub-query find the hosts that they find each for itself, however they are joined."""

import random
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.filters import compile_where, fusion, parse
from craton_inv.filters.declared import DeclaredPath, declare
from craton_inv.filters.nodes import And, Node, Not, Or, to_text
from craton_inv.models import Host
from tests.factories import add_child, make_group, make_host, make_inventory

LONG = "x" * 127
TERMS = [
    "name=h1",
    "name__startswith=h",
    "enabled=true",
    "inventory__name=one",
    "region=null",
    "groups__name=a",
    "groups__name=b",
    "groups__name__startswith=b",
    "groups__isnull=true",
    "groups__isnull=false",
    "groups__parents__name=top",
    "groups__parents__name=none",
    "groups__hosts__name=h2",
    "groups__hosts__ansible_facts__os=Debian",
    "groups__hosts__ansible_facts__cpus > 4",
    "all_groups__name=top",
    "ansible_facts__os=Debian",
    "ansible_facts__os=CentOS",
    "ansible_facts__os in (CentOS, Fedora, 8)",
    "ansible_facts__os__isnull=true",
    "ansible_facts__os__isnull=false",
    "ansible_facts__os__startswith=De",
    "ansible_facts__os__icontains=EB",
    "ansible_facts__os__iexact=debian",
    "ansible_facts__os__endswith=n",
    'ansible_facts__os > "D"',
    "ansible_facts__os ~ ^C",
    "ansible_facts__cpus=8",
    'ansible_facts__cpus="8"',
    "ansible_facts__cpus=true",
    "ansible_facts__cpus=null",
    "ansible_facts__cpus > 4",
    "ansible_facts__cpus >= 8.0",
    "ansible_facts__cpus < 4",
    "ansible_facts__cpus__gt=-1",
    'ansible_facts__cpus <= "8"',
    "ansible_facts__tags[]=x",
    "ansible_facts__disks[]__size > 10",
    "ansible_facts__lo__mtu < 2000",
    f"ansible_facts__long={LONG}y",
    f"ansible_facts__long__startswith={LONG}y",
    f"ansible_facts__long > {LONG}",
    "variables__role=web",
    "variables__port > 80",
    'variables__port="80"',
    "variables__role in (web, db)",
]
FACTS = [
    {"os": "Debian", "cpus": 8, "tags": ["x"], "disks": [{"size": 5}, {"size": 20}], "lo": {"mtu": 1500}},
    {"os": "CentOS", "cpus": "8", "tags": "x", "disks": {"size": 20}, "lo": {"mtu": "1500"}, "long": LONG + "yz"},
    {"os": None, "cpus": True, "tags": [], "lo": [{"mtu": 9}], "long": LONG + "y"},
    {"os": ["Debian"], "cpus": 4.5, "long": LONG + "\U0001f600"},
    {"os": 8, "cpus": None, "long": LONG},
    {"os": "debian", "cpus": -3, "long": [LONG + "y"]},
    {},
    None,
]
VARIABLES = [{"role": "web", "port": 80}, {"role": "db", "port": "80"}, {"port": 8080.5}, {}]


@pytest.fixture(scope="module")
async def world(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """Two inventories, nested groups, facts of every shape; rolled back at the end."""
    async with engine.connect() as connection:
        transaction = await connection.begin()
        session = AsyncSession(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        inventories = [await make_inventory(session, name) for name in ("one", "two")]
        groups = {
            (inventory.id, name): await make_group(session, name, inventory=inventory)
            for inventory in inventories
            for name in ("a", "b", "top")
        }
        for inventory in inventories:
            await add_child(session, groups[inventory.id, "top"], groups[inventory.id, "b"])
        for number, facts in enumerate(FACTS * 2):
            inventory = inventories[number % 3 == 0]
            mine = [groups[inventory.id, name] for bit, name in enumerate(("a", "b")) if number >> bit & 1]
            await make_host(
                session,
                f"h{number}",
                inventory=inventory,
                facts=facts,
                groups=mine,
                variables=VARIABLES[number % 4],
                enabled=number % 5 != 0,
            )
        yield session
        await transaction.rollback()


@pytest.fixture
def declared() -> AsyncIterator[None]:
    """Paths of these facts and variables count as declared; nothing is afterwards."""
    paths = [("host_facts", "facts", (name,)) for name in ("os", "cpus", "long")]
    declare(
        DeclaredPath(*path)
        for path in [*paths, ("host_facts", "facts", ("lo", "mtu")), ("hosts", "variables", ("port",))]
    )
    yield
    declare([])


def some_filter(chance: random.Random, depth: int) -> Node:
    """A random tree of the terms; the same term may come several times."""
    if depth == 0 or chance.random() < 0.2:
        return parse(chance.choice(TERMS))
    if chance.random() < 0.25:
        return Not(some_filter(chance, depth - 1))
    joined = And if chance.random() < 0.5 else Or
    return joined(tuple(some_filter(chance, depth - 1) for _ in range(chance.randint(2, 4))))


def each_for_itself(node: Node) -> ColumnElement[bool]:
    """The condition with every term in a sub-query of its own, and NOT where the filter says not."""
    match node:
        case And(children):
            return and_(*map(each_for_itself, children))
        case Or(children):
            return or_(*map(each_for_itself, children))
        case Not(child):
            return each_for_itself(child).is_not(true())
        case _:
            return compile_where(node, Host)


async def names(session: AsyncSession, condition: ColumnElement[bool]) -> list[str]:
    return list(await session.scalars(select(Host.name).where(condition).order_by(Host.id)))


async def different(session: AsyncSession, seed: int, filters: int) -> list[str]:
    """The random filters that find other hosts than their terms do each for itself."""
    chance = random.Random(seed)
    found = []
    for _ in range(filters):
        node = some_filter(chance, 4)
        if await names(session, compile_where(node, Host)) != await names(session, each_for_itself(node)):
            found.append(to_text(node))
    return found


async def test_random_filters_find_what_their_terms_find(world: AsyncSession) -> None:
    assert await different(world, seed=1, filters=40) == []


async def test_that_holds_too_when_anything_is_many(world: AsyncSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusion, "MANY", 1)
    monkeypatch.setattr(fusion, "BRANCHES", 100)
    assert await different(world, seed=2, filters=40) == []


@pytest.mark.full
async def test_that_holds_for_thousands(world: AsyncSession) -> None:
    assert await different(world, seed=3, filters=2000) == []


@pytest.mark.parametrize("term", TERMS)
async def test_a_declared_path_means_what_it_means_undeclared(world: AsyncSession, term: str, declared: None) -> None:
    as_declared = compile_where(parse(term), Host)
    opposite = compile_where(Not(parse(term)), Host)
    declare([])
    assert await names(world, as_declared) == await names(world, compile_where(parse(term), Host))
    assert await names(world, opposite) == await names(world, compile_where(Not(parse(term)), Host))


async def test_random_filters_over_declared_paths_find_what_their_terms_find(
    world: AsyncSession, declared: None
) -> None:
    assert await different(world, seed=4, filters=30) == []


async def test_a_document_of_related_rows_is_another_than_that_of_the_rows(world: AsyncSession) -> None:
    both = "groups__hosts__ansible_facts__cpus=8 and ansible_facts__cpus=8"
    mixed = parse(f"(ansible_facts__cpus=8 or enabled=true) and not ({both})")
    assert await names(world, compile_where(mixed, Host)) == await names(world, each_for_itself(mixed))


def sub_queries(text: str, table: str) -> int:
    """How often the SQL of a filter reads a table."""
    return str(compile_where(parse(text), Host)).count(f"FROM {table}")


@pytest.mark.parametrize(
    ("text", "table", "times"),
    [
        ("ansible_facts__a > 1 and ansible_facts__b > 2 and not ansible_facts__c > 3", "host_facts", 1),
        ("ansible_facts__a=1 and name=x and ansible_facts__b=2", "host_facts", 1),
        ("ansible_facts__a=1 or ansible_facts__b in (1, 2) or ansible_facts__c=3", "host_facts", 1),
        ("not (ansible_facts__a=1 or not ansible_facts__b < 2)", "host_facts", 1),
        ("groups__name=a or groups__name=b or groups__description=c", "memberships", 1),
        ("not groups__name=a and not groups__name=b", "memberships", 1),
        ("groups__name=a and groups__name=a", "memberships", 1),
        ("groups__name=a and groups__name=b", "memberships", 2),
        ("ansible_facts__a=1 and groups__hosts__ansible_facts__a=1", "host_facts", 2),
    ],
)
def test_what_shares_a_sub_query(text: str, table: str, times: int) -> None:
    assert sub_queries(text, table) == times


def test_documents_are_unpacked_once_where_several_terms_read_them() -> None:
    text = str(compile_where(parse("ansible_facts__a > 1 or ansible_facts__b > 2 or ansible_facts__c=3"), Host))
    assert text.count("host_facts.facts") == 1
    assert text.count("jsonb_path_exists(") == 2


def test_many_terms_over_a_relation_are_intersected() -> None:
    few = " and ".join(f"groups__name=g{number}" for number in range(fusion.MANY))
    assert "INTERSECT" not in str(compile_where(parse(few), Host))
    many = f"{few} and groups__name=h and groups=5"
    assert str(compile_where(parse(many), Host)).count("INTERSECT") == fusion.MANY + 1


def test_ids_are_an_array_only_where_nothing_else_narrows() -> None:
    assert "ANY (array((SELECT" in str(compile_where(parse("name=x or groups__name=a"), Host))
    beside = str(compile_where(parse("enabled=true and (name=x or groups__name=a)"), Host))
    assert "ANY" not in beside
    assert "UNION ALL" in beside


@pytest.mark.parametrize(
    ("text", "united"),
    [
        ("name=x or groups__name=a", True),
        ("ansible_facts__a=1 or groups__name=a", True),
        ("name=x or name=y", False),
        ("name=x or not groups__name=a", False),
        ("name=x or ansible_facts__a__isnull=true", False),
    ],
)
def test_alternatives_that_an_index_finds_are_united(text: str, united: bool) -> None:
    assert ("UNION ALL" in str(compile_where(parse(text), Host))) == united
