"""`order_by`: each row once, also over relations to many rows, and a place for those that have none."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.errors import CratonInvError, Forbidden, InvalidFilter
from craton_inv.filters import counted_page, order_by_clauses
from craton_inv.models import Host
from tests.factories import add_child, make_group, make_host, make_inventory
from tests.filters import world


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("", ["host.id ASC"]),
        ("name", ["host.name ASC", "host.id ASC"]),
        ("-id", ["host.id DESC"]),
        ("name,,pk,", ["host.name ASC", "host.id ASC"]),
        ("inventory", ["host.inventory_id ASC", "host.id ASC"]),
    ],
)
def test_an_order_always_ends_in_id(spec: str, expected: list[str]) -> None:
    assert [str(clause) for clause in order_by_clauses(spec, world.Host)] == expected


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("foo", InvalidFilter, "Host has no field named 'foo'"),
        ("-", InvalidFilter, "Host has no field named ''"),
        ("--name", InvalidFilter, "Host has no field named '-name'"),
        ("nmae", InvalidFilter, "Host has no field named 'nmae'; did you mean \"name\"?"),
        ("inventory__nmae", InvalidFilter, "Inventory has no field named 'nmae'; did you mean \"name\"?"),
        ("groups__nmae", InvalidFilter, "Group has no field named 'nmae'; did you mean \"name\"?"),
        ("search", InvalidFilter, "Cannot order by search: search has no order"),
        ("variables", InvalidFilter, "Cannot order by variables: variables holds values of many types"),
        ("ansible_facts__a", InvalidFilter, "Cannot order by ansible_facts__a: ansible_facts holds values of many"),
        ("all_groups__name", InvalidFilter, "Cannot order by all_groups__name: all_groups is worked out anew"),
        ("name__lower", InvalidFilter, "Cannot order by name__lower: nothing is below name"),
        ("groups__parents__parents__name", InvalidFilter, "Loops not allowed in filters, detected on field parents."),
        ("inventory__hosts__" * 2000 + "name", InvalidFilter, "Loops not allowed in filters, detected on field inv"),
        ("created_by__password", Forbidden, "Filtering on password is not allowed."),
        ("groups__inventory__hosts__created_by__password_hash", Forbidden, "Filtering on password_hash is not allowed"),
        (",".join(["name"] * 21), InvalidFilter, "order_by="),
    ],
)
def test_an_order_outside_the_fields_is_refused(spec: str, error: type[CratonInvError], message: str) -> None:
    with pytest.raises(error) as caught:
        order_by_clauses(spec, world.Host)
    assert caught.value.message.startswith(message)


@pytest.fixture(scope="module")
async def session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """Hosts in no group, one and several, rolled back at the end of this file."""
    async with engine.connect() as connection:
        transaction = await connection.begin()
        made = AsyncSession(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        inventory = await make_inventory(made, "order")
        groups = {name: await make_group(made, name, inventory=inventory) for name in "abcdz"}
        await add_child(made, groups["z"], groups["a"])
        for name, members in {"one": "c", "two": "ad", "three": "bb", "none": "", "also": "c"}.items():
            await make_host(
                made,
                name,
                inventory=inventory,
                groups=[groups[group] for group in sorted(set(members))],
                enabled=name != "two",
            )
        yield made
        await made.close()
        await transaction.rollback()


ORDERS = [
    ("groups__name", "two three one also none"),
    ("-groups__name", "none two one also three"),
    ("group__name,-name", "two three one also none"),
    ("groups__name,name", "two three also one none"),
    ("groups", "two three one also none"),
    ("-groups__id,-id", "none two also one three"),
    ("groups__parents__name,-name", "two three one none also"),
    ("groups__manual,name", "also one three two none"),
    ("inventory__hosts__name,id", "one two three none also"),
    ("enabled,groups__created,id", "two one three also none"),
]


@pytest.mark.parametrize(("spec", "names"), ORDERS)
async def test_an_order_over_many_rows_takes_the_first_of_them(session: AsyncSession, spec: str, names: str) -> None:
    clauses = order_by_clauses(spec, Host)
    assert list(await session.scalars(select(Host.name).order_by(*clauses))) == names.split()


@pytest.mark.parametrize(("spec", "names"), ORDERS)
async def test_a_counted_page_keeps_that_order(session: AsyncSession, spec: str, names: str) -> None:
    query = counted_page(Host, [Host.name != "x"], order_by_clauses(spec, Host), offset=1, limit=3)
    rows = (await session.execute(query)).all()
    assert [row[0].name for row in rows] == names.split()[1:4]
    assert {row.total for row in rows} == {5}
