"""Ring 3: a filter against real rows in PostgreSQL gives the names it should."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from craton_inv.filters import compile_where, counted_page, order_by_clauses, parse
from craton_inv.filters.refused import refused_by_database
from craton_inv.models import Host, HostSource
from tests.factories import (
    add_child,
    make_group,
    make_host,
    make_inventory,
    make_region,
    make_source,
    make_tenant,
    make_user,
)

DEBIAN = {
    "ansible_distribution": "Debian",
    "ansible_distribution_version": "12.5",
    "ansible_processor_vcpus": 8,
    "ansible_processor": ["0", "GenuineIntel", "Xeon 4310"],
    "ansible_date_time": {"weekday_number": "3"},
    "ansible_lo": {"ipv6": [{"address": "::1", "scope": "host"}, {"address": "fe80::1"}], "mtu": 65536},
    "ansible_env": {"PYTHONUNBUFFERED": "true"},
    "ansible_virtual": True,
    "swap": None,
    "dotted__key": {"gt": 1},
}
CENTOS = {
    "ansible_distribution": "CentOS",
    "ansible_distribution_version": "7.4",
    "ansible_processor_vcpus": "8",
    "ansible_processor": ["AuthenticAMD"],
    "ansible_lo": {"ipv6": [{"address": "::1", "scope": "link"}]},
    "ansible_virtual": "true",
    "swap": "null",
    "load": [0.5, 7],
}
JAPANESE = {
    "ansible_distribution": "レッドハット",
    "ansible_processor_vcpus": 4.0,
    "ansible_lo": "none",
    "odd": "a.b*c",
    "lines": "one\ntwo",
}


@pytest.fixture(scope="module")
async def session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """One world for all tests of this file, rolled back at its end."""
    async with engine.connect() as connection:
        transaction = await connection.begin()
        world = AsyncSession(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        acme = await make_tenant(world, "acme", description="the first")
        globex = await make_tenant(world, "globex")
        ann = await make_user(world, "ann", password_hash="pbkdf2")
        region = await make_region(world, "nyc-region", tenant=acme)
        us_east = await make_inventory(world, "US-East", tenant=acme)
        eu_west = await make_inventory(world, "EU-West", tenant=globex)
        east = await make_group(world, "east", inventory=us_east)
        west = await make_group(world, "west coast", inventory=us_east, description="bar of gold")
        ec2 = await make_group(world, "ec2", inventory=us_east, description="foo")
        gce = await make_group(world, "gce", inventory=us_east)
        coasts = await make_group(world, "coasts", inventory=us_east)
        local = await make_group(world, "local", inventory=eu_west)
        await add_child(world, coasts, east)
        await add_child(world, coasts, west)
        source = await make_source(world, "cloud", inventory=us_east, source="ec2")
        localhost = await make_host(
            world,
            "localhost",
            inventory=us_east,
            groups=(east, ec2, gce),
            facts=DEBIAN,
            description="foo and nyc",
            region_id=region.id,
            created_by_id=ann.id,
            ip_address="10.1.2.3",
            os_family="Debian",
            last_seen_at=datetime.now(UTC) - timedelta(days=1),
        )
        world.add(HostSource(inventory_source_id=source.id, host_id=localhost.id, ref="i-1", digest=b"1"))
        await make_host(
            world,
            "database",
            inventory=us_east,
            groups=(west, ec2),
            facts=DEBIAN | {"ansible_processor_vcpus": 16},
            enabled=False,
            ip_address="192.168.7.1",
            variables={"env": "prod", "port": 5432, "tags": ["db", "big"]},
            variables_text="env: prod\nport: 5432\ntags: [db, big]\n",
        )
        await make_host(
            world,
            "NYC-7%_x",
            inventory=us_east,
            facts=CENTOS,
            groups=(gce,),
            ip_address="2001:db8::1",
            state="new",
            variables={"env": "test"},
            variables_text="# env: prod soon\nenv: test\n",
        )
        await make_host(world, "remote", inventory=eu_west, groups=(local,), facts=JAPANESE, description='say "hi"')
        await make_host(world, "bare", inventory=eu_west, state="old")
        await world.flush()
        yield world
        await world.close()
        await transaction.rollback()


ALL = "localhost database NYC-7%_x remote bare"


async def found(session: AsyncSession, text: str) -> list[str]:
    """Names of the hosts that a filter gives, in the order made."""
    condition = compile_where(parse(text), Host)
    return list(await session.scalars(select(Host.name).where(condition).order_by(Host.id)))


SEEDS = [
    ("search=foo", "localhost"),
    ("group__search=bar", "database"),
    ("search=baz and group__search=bang", ""),
    ("name=localhost or group__name=local", "localhost remote"),
    ("group__search=ec2 and group__search=gce", "localhost"),
    ("inventory__name='US-East' and search='nyc'", "localhost NYC-7%_x"),
    ("ansible_facts__ansible_processor_vcpus=8", "localhost"),
    ("name=localhost", "localhost"),
    ('ansible_facts__ansible_date_time__weekday_number="3"', "localhost database"),
    ('ansible_facts__ansible_processor[]="GenuineIntel"', "localhost database"),
    ('ansible_facts__ansible_lo__ipv6[]__scope="host"', "localhost database"),
    ('ansible_facts__ansible_env__PYTHONUNBUFFERED="true"', "localhost database"),
    (
        '(name=localhost or name=database) and (groups__name=east or groups__name="west coast")'
        " and ansible_facts__ansible_processor_vcpus=8",
        "localhost",
    ),
]
AWX = [
    ('(name="localhost" and groups__name="east")', "localhost"),
    ('(name="localhost" and groups__name="east") or (name="remote" and groups__name="local")', "localhost remote"),
    ('search="NYC"', "localhost NYC-7%_x"),
    ("name=localhost or name__startswith=local", "localhost"),
    ("inventory_sources__source=ec2", "localhost"),
    ('ansible_facts__ansible_distribution_version="7.4"', "NYC-7%_x"),
    ("ansible_facts__ansible_distribution=レッドハット", "remote"),
    ('ansible_facts__ansible_distribution__exact="CentOS"', "NYC-7%_x"),
    ("ansible_facts__ansible_distribution__has_keys=cent", ""),
    ("ansible_facts__swap=null", "localhost database"),
    ('ansible_facts__swap="null"', "NYC-7%_x"),
    ("groups__name=east and groups__name=ec2", "localhost"),
    ("groups__name=ec2 and groups__description=foo", "localhost database"),
    ('ansible_facts__ansible_lo__ipv6[]__address="fe80::1"', "localhost database"),
]
TYPES = [
    ('ansible_facts__ansible_processor_vcpus="8"', "NYC-7%_x"),
    ("ansible_facts__ansible_processor_vcpus=8.0", "localhost"),
    ("ansible_facts__ansible_processor_vcpus=4", "remote"),
    ("ansible_facts__ansible_virtual=true", "localhost database"),
    ('ansible_facts__ansible_virtual="true"', "NYC-7%_x"),
    ('ansible_facts__"dotted__key"__"gt"=1', "localhost database"),
    ("name='remote' and description='say \"hi\"'", "remote"),
    ('description="say ""hi"""', "remote"),
    ("enabled=false", "database"),
    ('enabled="0"', "database"),
    ("ip_address=10.1.2.3", "localhost"),
    ("ip_address in (10.0.0.0/8, 192.168.0.0/16)", "localhost database"),
    ("ip_address=2001:db8::/32", "NYC-7%_x"),
    ("ip_address < 192.0.0.0", "localhost"),
    ("ip_address__startswith=10.1.", "localhost"),
    ("last_seen_at > now-7d", "localhost"),
    ("last_seen_at > now-1h", ""),
    ("created > 2020-01-01", ALL),
    ("state=null", "localhost database remote"),
    ("state in (new, null)", "localhost database NYC-7%_x remote"),
    ("name in (localhost, 'bare')", "localhost bare"),
    ("name__in=localhost,bare", "localhost bare"),
    ("name__in='localhost, bare'", "localhost"),
    ("description__in='x, foo and nyc'", ""),
    ("ansible_facts__ansible_distribution__in='Debian, CentOS'", "localhost database"),
    ("id__in='-1, -2'", ""),
    ("enabled < true", "database"),
    ("enabled__gte=f", ALL),
    ("id > 99999999999", ""),
]
MEANING = [
    ("not state=new", "localhost database remote bare"),
    ("state != new", "localhost database remote bare"),
    ("not (state=new or os_family=Debian)", "database remote bare"),
    ("not not state=new", "NYC-7%_x"),
    ("not ansible_facts__ansible_distribution=Debian", "NYC-7%_x remote bare"),
    ("ansible_facts__ansible_distribution != Debian", "NYC-7%_x remote bare"),
    ("not groups__name=ec2", "NYC-7%_x remote bare"),
    ("not region__name=nyc-region", "database NYC-7%_x remote bare"),
    ("region=null", "database NYC-7%_x remote bare"),
    ("groups__isnull=true", "bare"),
    ("groups__isnull=false", "localhost database NYC-7%_x remote"),
    ("groups=null", "bare"),
    ("all_groups__name=coasts", "localhost database"),
    ("groups__name=coasts", ""),
    ("groups__parents__name=coasts and not all_groups__name=gce", "database"),
    ("inventory__organization__name=globex", "remote bare"),
    ("organization__name=globex", "remote bare"),
    ("tenant__search=FIRST", "localhost database NYC-7%_x"),
    ("created_by__username=ann", "localhost"),
    ("region__search=nyc", "localhost"),
    ("inventory__hosts__name=bare", "remote bare"),
]
COMPARISONS = [
    ("ansible_facts__ansible_processor_vcpus > 4", "localhost database"),
    ("ansible_facts__ansible_processor_vcpus >= 4", "localhost database remote"),
    ("ansible_facts__ansible_processor_vcpus__gt=8", "database"),
    ("not ansible_facts__ansible_processor_vcpus > 4", "NYC-7%_x remote bare"),
    ("ansible_facts__ansible_lo__mtu < 70000", "localhost database"),
    ("ansible_facts__load[] > 5", "NYC-7%_x"),
    ("ansible_facts__load > 5", ""),
    ("ansible_facts__ansible_distribution > C", "localhost database NYC-7%_x remote"),
    ("ansible_facts__ansible_distribution__icontains=CENT", "NYC-7%_x"),
    ("ansible_facts__ansible_distribution__startswith=Deb", "localhost database"),
    ("ansible_facts__ansible_distribution__iexact=debian", "localhost database"),
    ("ansible_facts__ansible_distribution__endswith=ハット", "remote"),
    ("ansible_facts__odd__contains='.b*'", "remote"),
    ("ansible_facts__odd__contains='xb*'", ""),
    ("ansible_facts__lines ~ '^one.two$'", "remote"),
    ("ansible_facts__lines ~ '^two'", ""),
    ("ansible_facts__ansible_distribution ~ '^(Deb|Cent)'", "localhost database NYC-7%_x"),
    ("ansible_facts__ansible_distribution !~ '^Deb'", "NYC-7%_x remote bare"),
    ("ansible_facts__ansible_lo__ipv6[]__scope__icontains=HOS", "localhost database"),
    ("ansible_facts__ansible_lo__ipv6[]__scope__isnull=false", "localhost database NYC-7%_x"),
    ("ansible_facts__swap__isnull=true", "localhost database remote bare"),
    ("ansible_facts__swap__isnull=false", "NYC-7%_x"),
    ("ansible_facts__ansible_lo__isnull=false", "localhost database NYC-7%_x remote"),
    ("ansible_facts__ansible_processor_vcpus in (8, 16)", "localhost database"),
    ("ansible_facts__ansible_processor_vcpus__in=8,16", "NYC-7%_x"),
    ("variables__env=prod", "database"),
    ("variables__env in (prod, test, none)", "database NYC-7%_x"),
    ("variables__port > 5000", "database"),
    ("variables__tags[]=big", "database"),
    ('variables__icontains="env: prod"', "database NYC-7%_x"),
    ("name__contains='7%_'", "NYC-7%_x"),
    ("name__contains='7__'", ""),
    ("name ~ '^(local|bare)'", "localhost bare"),
    ("name__iregex='^nyc'", "NYC-7%_x"),
    ("name !~ '[a-z]$'", ""),
]
HOSTILE = [
    ("""name="x' or '1'='1" """, ""),
    ('name="; drop table hosts; --"', ""),
    ("""ansible_facts__"a'||'b"=1""", ""),
    ("ansible_facts__'a\" ? (1 == 1'__b > 1", ""),
    ('ansible_facts__"$[*]" > 1', ""),
    ("ansible_facts__a__contains='\" flag \"x'", ""),
    ('name__contains="\\"', ""),
    ("ansible_facts__a=99999999999999999999999999999999999999999", ""),
    ("not " * 32 + "name=bare", "bare"),
    ("__".join(["ansible_facts"] + ["a"] * 63) + " > 1", ""),
    ("(not " * 16 + "groups__name=ec2" + ")" * 16, "localhost database"),
]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param(text, names, id=f"{label}: {text[:60]}")
        for label, cases in {
            "seed": SEEDS,
            "awx": AWX,
            "typing": TYPES,
            "meaning": MEANING,
            "comparison": COMPARISONS,
            "hostile": HOSTILE,
        }.items()
        for text, names in cases
    ],
)
async def test_a_filter_gives_the_hosts_it_says(session: AsyncSession, text: str, names: str) -> None:
    assert await found(session, text) == names.split()


@pytest.mark.parametrize("text", [text for text, _ in SEEDS + AWX + TYPES + MEANING + COMPARISONS])
async def test_not_gives_exactly_the_other_hosts(session: AsyncSession, text: str) -> None:
    both = sorted([*await found(session, text), *await found(session, f"not ({text})")])
    assert both == sorted(ALL.split())


@pytest.mark.parametrize("order", ["", "-id", "name", "inventory__name,-name"])
@pytest.mark.parametrize(("offset", "limit"), [(0, 25), (1, 2), (3, 25)])
async def test_a_counted_page_is_the_page_and_the_count(
    session: AsyncSession, order: str, offset: int, limit: int
) -> None:
    where = compile_where(parse("groups__isnull=false and not all_groups__name=nowhere"), Host)
    clauses = order_by_clauses(order, Host)
    rows = (await session.execute(counted_page(Host, [where], clauses, offset=offset, limit=limit))).all()
    plain = list(await session.scalars(select(Host).where(where).order_by(*clauses)))
    assert [row[0] for row in rows] == plain[offset : offset + limit]
    assert {row.total for row in rows} == {4}


async def test_200_terms_on_facts_and_relations_run(session: AsyncSession) -> None:
    text = " or ".join(["groups__name=a", "ansible_facts__b>1"] * 100)
    assert await session.scalar(select(func.count()).select_from(Host).where(compile_where(parse(text), Host))) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name ~ '[a'", "unterminated character set at position 0"),
        ("ansible_facts__a ~ '(b'", "missing ), unterminated subpattern at position 0"),
        ("name ~ 'a{5,1}'", "min repeat greater than max repeat"),
        ("name ~ 'a{99999999999999}'", "the repetition number is too large"),
        (
            "name ~ '[[:foo:]]'",
            "The regular expression is not valid: invalid regular expression: invalid character class",
        ),
    ],
)
async def test_a_broken_pattern_is_refused_once_postgresql_refuses_it(
    session: AsyncSession, text: str, message: str
) -> None:
    node = parse(text)
    with pytest.raises(DBAPIError) as caught:
        async with session.begin_nested():
            await session.execute(select(Host.id).where(compile_where(node, Host)))
    refused = refused_by_database(caught.value, node)
    assert refused is not None
    assert refused.message.startswith(message)
    assert refused.status == 400


async def test_a_pattern_that_only_postgresql_refuses_gets_its_words(session: AsyncSession) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with session.begin_nested():
            await session.execute(select(Host.id).where(compile_where(parse("name ~ '[a'"), Host)))
    refused = refused_by_database(caught.value, None)
    assert refused is not None
    assert refused.message == (
        "The regular expression is not valid: invalid regular expression: brackets [] not balanced"
    )


async def test_a_search_that_runs_out_of_time_names_its_terms(session: AsyncSession) -> None:
    node = parse("ansible_facts__a > 1 or name=b")
    async with session.begin_nested() as limited:
        await session.execute(select(func.set_config("statement_timeout", "1ms", True)))
        with pytest.raises(DBAPIError) as caught:
            await session.execute(select(func.pg_sleep(1)))
        await limited.rollback()
    refused = refused_by_database(caught.value, node)
    assert refused is not None
    assert (refused.status, refused.message) == (
        503,
        "The search took too long; it looks at ansible_facts__a, name.",
    )


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ("name", "NYC-7%_x bare database localhost remote"),
        ("-name", "remote localhost database bare NYC-7%_x"),
        ("inventory__name,-id", "bare remote NYC-7%_x database localhost"),
        ("-inventory__organization__name,name", "bare remote NYC-7%_x database localhost"),
        ("enabled", "database localhost NYC-7%_x remote bare"),
    ],
)
async def test_an_order_is_followed_and_ends_in_id(session: AsyncSession, spec: str, names: str) -> None:
    rows = await session.scalars(select(Host.name).order_by(*order_by_clauses(spec, Host)))
    assert list(rows) == names.split()
