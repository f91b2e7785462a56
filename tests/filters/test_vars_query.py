"""Craton's query form: what it reads, what it compiles to, and where a bad one is refused."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.errors import InvalidFilter
from craton_inv.filters import compile_where, parse, parse_vars
from craton_inv.filters.nodes import to_text
from craton_inv.models import Host
from tests.factories import make_host, make_inventory

VARIABLES = {
    "one": {
        "hardware": {"disks": [{"vendor": "Seagate", "size": 4}, {"vendor": "WD"}], "slots": [[1, 2], [3]]},
        "os": {"release": 12, "name": "Debian"},
        "asset.serial": "A-7",
        "in": "use",
        "none": None,
    },
    "two": {
        "hardware": {"disks": [{"vendor": "WD"}, {"vendor": "Seagate"}], "nvme": {"vendor": "Seagate"}},
        "os": {"release": "12", "name": 'say "hi"'},
        "url": "http://x.example/a",
        "up": True,
    },
    "three": {"os": "none", "hardware": ["disks"], "n": -3.50},
}


@pytest.fixture(scope="module")
async def session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """Three hosts, rolled back at the end of this file."""
    async with engine.connect() as connection:
        transaction = await connection.begin()
        world = AsyncSession(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        inventory = await make_inventory(world, "craton")
        for name, variables in VARIABLES.items():
            await make_host(world, name, inventory=inventory, variables=variables)
        yield world
        await world.close()
        await transaction.rollback()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('hardware.disks[*].vendor:"Seagate",os.release:12', "one"),
        ('hardware.disks[*].vendor:"Seagate"', "one two"),
        ("hardware.disks[0].vendor:Seagate", "one"),
        ("hardware.disks[ 1 ].vendor : 'Seagate'", "two"),
        ("hardware.disks[7].vendor:Seagate", ""),
        ("hardware.disks[999999999].vendor:Seagate", ""),
        ("hardware.*.vendor:Seagate", "two"),
        ("hardware.*[*].vendor:Seagate", "one two"),
        ("hardware.disks.vendor:Seagate", ""),
        ("hardware.slots[0][1]:2", "one"),
        ("hardware.slots[*][*]:3", "one"),
        ("hardware.slots[*][1]:3", ""),
        ("os.release:12", "one"),
        ("os.release:12.0", "one"),
        ('os.release:"12"', "two"),
        ("os.*:12", "one"),
        ('os.*:"12"', "two"),
        ('os.name:"say ""hi"""', "two"),
        ("os:none", "three"),
        ("os.name:null", ""),
        ("none:null", "one"),
        ('"asset.serial":A-7', "one"),
        ("asset.serial:A-7", ""),
        ("in:use", "one"),
        ("url:http://x.example/a", "two"),
        ("up:true", "two"),
        ('up:"true"', ""),
        ("n:-3.5 , os : none", "three"),
        ("variables__up=true or name=three", "two three"),
        ("name=one", "one"),
    ],
)
async def test_a_query_gives_the_hosts_it_says(session: AsyncSession, text: str, names: str) -> None:
    where = compile_where(parse_vars(text), Host)
    assert list(await session.scalars(select(Host.name).where(where).order_by(Host.id))) == names.split()


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ('hardware.disks[*].vendor:"Seagate"', 'variables__hardware__disks[]__vendor="Seagate"'),
        ("os.release:12,n:1", "variables__os__release=12 and variables__n=1"),
        ('"a__b".in:x', 'variables__"a__b"__"in"=x'),
    ],
)
def test_a_query_is_what_a_host_filter_of_the_same_meaning_is(text: str, same: str) -> None:
    assert parse_vars(text) == parse(same)


def test_a_query_is_told_in_words_that_show_its_elements() -> None:
    assert to_text(parse_vars("a.*[*][3].b[*]:1")) == "variables__a__*[*][3]__b[] = 1"


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("", "a name is missing or not closed at column 1, expected the name of a variable", 1),
        ("*.a:1", "a name is missing or not closed at column 1", 1),
        ("a.:1", 'a name is missing or not closed at column 3, expected the name of a member, or "*"', 3),
        ("a.**:1", 'unexpected "*" at column 4, expected a ":" and a value', 4),
        ("a", 'the query ends too early at column 2, expected a ":" and a value', 2),
        ("a:", 'a value is missing or not closed; an empty text is written "" at column 3', 3),
        ('a:"b', "a value is missing or not closed", 3),
        ("a:[1]", "a value is missing or not closed", 3),
        ("a:{}", "a value is missing or not closed", 3),
        ("a:1 b:2", 'unexpected "b" at column 5, expected the end or a comma', 5),
        ("a:1,", "a name is missing or not closed at column 5", 5),
        ("a[x]:1", "an element of an array is a number or * at column 2, expected [n] or [*]", 2),
        ("a[-1]:1", "an element of an array is a number or *", 2),
        ("a[1234567890]:1", "an element of an array is a number or *", 2),
        ("a[:1", "an element of an array is a number or *", 2),
        ('"":1', "a name is missing or not closed", 3),
        ("$.a:1, (", "a name is missing or not closed", 8),
        ("a:1," * 200 + "a:1", "more than 200 terms", 804),
        ("a" + ".a" * 63 + ":1", "a path of more than 64 steps is too long", 128),
        ("a" + "[0]" * 64 + ":1", "a path of more than 64 steps is too long", 194),
        ("a:" + "é" * 2048, "4098 bytes; at most 4096 are read", 4097),
    ],
)
def test_a_bad_query_is_refused_with_its_place(text: str, message: str, column: int) -> None:
    with pytest.raises(InvalidFilter) as caught:
        parse_vars(text)
    assert message in caught.value.message
    assert caught.value.column == column


@pytest.mark.parametrize("text", ["a:\0", "a\0:1", "a:\ud800"])
def test_what_postgresql_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(InvalidFilter, match="is invalid"):
        compile_where(parse_vars(text), Host)
