"""Declared paths: their indexes are made, kept, mended and dropped, and answer what is asked of them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from craton_inv.filters import compile_where, parse
from craton_inv.filters.declared import declare
from craton_inv.models import Host
from craton_inv.repositories.path_indexes import LOCK, keep_indexes, use_declared

MEMORY = ("ansible_facts", "ansible_memtotal_mb")
KERNEL = ("ansible_facts", "ansible_kernel")
ROLE = ("variables", "role-\u00e9")
NAMES = text("SELECT relname FROM pg_class WHERE starts_with(relname, 'declared_') ORDER BY relname")


@pytest.fixture
def searches() -> Iterator[None]:
    """Nothing counts as declared after the test."""
    yield
    declare([])


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def fill(connection: AsyncConnection, hosts: int) -> None:
    """Hosts with facts and variables of which each value is another."""
    for statement in (
        "INSERT INTO tenants (name) VALUES ('t')",
        "INSERT INTO inventories (tenant_id, name) SELECT id, 'i' FROM tenants",
        "INSERT INTO hosts (tenant_id, inventory_id, name, variables) SELECT tenant_id, id, 'h' || n,"
        " jsonb_build_object('role-\u00e9', 'role ' || n) FROM inventories, generate_series(1, :hosts) n",
        "INSERT INTO host_facts (host_id, facts) SELECT h.id, jsonb_build_object('ansible_memtotal_mb', h.id,"
        " 'ansible_kernel', 'kernel ' || h.id) FROM hosts h",
    ):
        await connection.execute(text(statement), {"hosts": hosts} if ":hosts" in statement else {})


async def indexes(url: str) -> list[str]:
    async with connect(url) as connection:
        return list(await connection.scalars(NAMES))


async def test_indexes_follow_the_declaration(fresh_database_url: str) -> None:
    made = await keep_indexes(fresh_database_url, [MEMORY, ROLE])
    assert [line.split()[0] for line in made] == ["made"] * 6
    assert await keep_indexes(fresh_database_url, [ROLE, MEMORY]) == []
    done = await keep_indexes(fresh_database_url, [MEMORY])
    assert [line.split()[0] for line in done] == ["dropped"] * 3
    kept = await indexes(fresh_database_url)
    assert len(kept) == 3
    assert await keep_indexes(fresh_database_url, []) == [f"dropped {name}" for name in kept]
    assert await indexes(fresh_database_url) == []


async def test_an_index_whose_making_was_interrupted_is_made_again(fresh_database_url: str) -> None:
    await keep_indexes(fresh_database_url, [MEMORY])
    name = (await indexes(fresh_database_url))[0]
    async with connect(fresh_database_url) as connection:
        await fill(connection, 2)
        await connection.execute(text(f"DROP INDEX {name}"))
        with pytest.raises(Exception, match="could not create unique index"):
            await connection.execute(text(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON host_facts ((1))"))
    assert await keep_indexes(fresh_database_url, [MEMORY]) == [f"dropped {name}", f"made {name} on host_facts"]


async def test_of_two_callers_one_does_it(fresh_database_url: str) -> None:
    async with connect(fresh_database_url) as other:
        await other.execute(text(f"SELECT pg_advisory_lock({LOCK})"))
        assert await keep_indexes(fresh_database_url, [MEMORY]) == []
    assert len(await keep_indexes(fresh_database_url, [MEMORY])) == 3


@pytest.mark.usefixtures("searches")
async def test_what_is_asked_of_a_declared_path_is_found_by_its_index(fresh_database_url: str) -> None:
    use_declared([MEMORY, KERNEL, ROLE])
    async with connect(fresh_database_url) as connection:
        await fill(connection, 2000)
    await keep_indexes(fresh_database_url, [MEMORY, KERNEL, ROLE])
    asked = {
        "ansible_facts__ansible_memtotal_mb > 16000": "declared_number",
        "ansible_facts__ansible_memtotal_mb <= -1.5 and ansible_facts__other > 3": "declared_number",
        "ansible_facts__ansible_memtotal_mb=8": "declared_number",
        "ansible_facts__ansible_kernel=6.1.0-7-amd64": "declared_text",
        'ansible_facts__ansible_kernel >= "6.1"': "declared_text",
        "ansible_facts__ansible_kernel__startswith=6.1.0-1": "declared_text",
        "ansible_facts__ansible_kernel__icontains=amd64": "declared_pattern",
        "ansible_facts__ansible_kernel ~ 5-amd64$": "declared_pattern",
        "variables__role-\u00e9=web": "declared_text",
    }
    async with connect(fresh_database_url) as connection:
        await connection.execute(text("SET enable_seqscan = off"))
        await connection.execute(text("SET plan_cache_mode = force_custom_plan"))
        for search, index in asked.items():
            query = select(Host.id).where(compile_where(parse(search), Host)).compile(dialect=connection.dialect)
            values = tuple(query.params[name] for name in query.positiontup or ())
            explained = await connection.exec_driver_sql(f"EXPLAIN {query}", values)
            plan = "\n".join(explained.scalars())
            assert f"on {index}_" in plan or f"using {index}_" in plan, (search, plan)


async def test_a_long_text_and_a_long_number_are_no_trouble_for_an_index(fresh_database_url: str) -> None:
    await keep_indexes(fresh_database_url, [MEMORY, KERNEL])
    async with connect(fresh_database_url) as connection:
        await fill(connection, 1)
        # Python reads no whole number of more digits, so none comes in.
        long = "ab\u00e9" * 9000
        digits = "123456789" * 477
        facts = f'{{"ansible_memtotal_mb": {digits}, "ansible_kernel": "{long}"}}'
        await connection.execute(text("UPDATE host_facts SET facts = cast(:facts AS jsonb)"), {"facts": facts})
