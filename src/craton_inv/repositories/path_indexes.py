"""The indexes of declared paths of facts and variables: made, kept and dropped while the service runs."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Column, Index, MetaData, Table, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateIndex, DropIndex

from craton_inv.db.locks import lock_key
from craton_inv.filters.declared import USES, DeclaredPath, Use, declare, expression
from craton_inv.models import Base

# Copies, so that the indexes of a deployment are no part of the models.
_TABLES = {name: Base.metadata.tables[name].to_metadata(MetaData()) for name in ("hosts", "host_facts")}
COLUMNS: Mapping[str, tuple[str, str]] = {"ansible_facts": ("host_facts", "facts"), "variables": ("hosts", "variables")}
LOCK = lock_key("indexes of declared paths")
EXISTING = text("""
SELECT c.relname, t.relname AS on_table, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE t.relname IN ('host_facts', 'hosts') AND n.nspname = current_schema() AND starts_with(c.relname, 'declared_')
ORDER BY c.relname
""")


def use_declared(paths: Iterable[tuple[str, ...]]) -> None:
    """Searches of this process count on the indexes of these paths: `("ansible_facts", "a", "b")` is one."""
    declare(DeclaredPath(*COLUMNS[root], tuple(keys)) for root, *keys in paths)


async def keep_indexes(url: str, paths: Iterable[tuple[str, ...]]) -> list[str]:
    """Make the indexes of these paths that are not there, and drop those of others; what was done, a line each.

    Nobody who reads or writes waits for it. An index whose making was interrupted is made again. Of two callers at once
    one does it, the other nothing.
    """
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            if not await connection.scalar(select(func.pg_try_advisory_lock(LOCK))):
                return []
            return await _keep(connection, {index.name: index for path in paths for index in _indexes(path)})
    finally:
        await engine.dispose()


async def _keep(connection: AsyncConnection, wanted: Mapping[Any, Index]) -> list[str]:
    done = []
    there = set()
    for name, table, valid in (await connection.execute(EXISTING)).all():
        if valid and name in wanted:
            there.add(name)
            continue
        leftover = Index(name, _column(table, "id" if table == "hosts" else "host_id"), postgresql_concurrently=True)
        await connection.execute(DropIndex(leftover, if_exists=True))
        done.append(f"dropped {name}")
    changed: set[str] = set()
    for name, index in wanted.items():
        if name not in there:
            await connection.execute(CreateIndex(index, if_not_exists=True))
            changed.add("host_facts" if index.table is _TABLES["host_facts"] else "hosts")
            done.append(f"made {name} on {index.table}")
    for table in sorted(changed):
        # The planner learns how the values are spread.
        await connection.execute(text(f"ANALYZE {table}"))
    return done


def _indexes(path: tuple[str, ...]) -> list[Index]:
    """The indexes of a path, one a use. The name tells path and use: the same declaration gives the same names."""
    root, *keys = path
    column = _column(*COLUMNS[root])
    return [_index(column, tuple(keys), use) for use in USES]


def _index(column: Column[Any], keys: tuple[str, ...], use: Use) -> Index:
    digest = hashlib.sha256("\0".join((column.name, *keys)).encode()).hexdigest()[:16]
    value = expression(column, keys, use)
    if use != "pattern":
        return Index(f"declared_{use}_{digest}", value, postgresql_concurrently=True)
    return Index(
        f"declared_{use}_{digest}",
        value.label("value"),
        postgresql_using="gin",
        postgresql_ops={"value": "gin_trgm_ops"},
        postgresql_concurrently=True,
    )


def _column(table: str, name: str) -> Column[Any]:
    found: Table = _TABLES[table]
    return found.c[name]
