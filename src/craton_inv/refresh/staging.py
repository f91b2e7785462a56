"""Staging: rows of a collection spooled as COPY text while the parser runs, then one COPY into one temporary table.

The spool is a file beyond a few megabytes, so Python's memory does not grow with the inventory, no database
transaction is open while a slow provider answers, and the number of statements does not depend on the number of rows.
"""

import tempfile
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.ownership import Layered
from craton_inv.refresh.row_text import Encoder, encoder_for
from craton_inv.refresh.sql import compose, quote, type_name

SPOOL_MEMORY = 4 * 1024 * 1024  # bytes a spool may hold before it becomes a file


@dataclass(frozen=True)
class StageColumn:
    """A column of a staging table. `source`: the sent column; `position`: the part of its link, -1 for a value."""

    name: str
    type: str
    source: str
    position: int
    encode: Encoder


def link_column(column: str, ref: str) -> str:
    """The staging column that carries part `ref` of the link `column`."""
    return f"{column}__{ref}"


def stage_columns(
    collection: InventoryCollection, collections: dict[str, InventoryCollection]
) -> tuple[StageColumn, ...]:
    """The columns of a collection's staging table; a link takes as many as the other collection's identity has."""
    columns: list[StageColumn] = []
    for name in (*collection.manager_ref, *collection.attributes, *collection.on_create):
        target = collections.get(collection.links.get(name, ""))
        if target is None:
            own = collection.column(name)
            identity = name in collection.manager_ref
            columns.append(StageColumn(name, type_name(own), name, -1, encoder_for(own, collection.name, identity)))
            continue
        for position, ref in enumerate(target.manager_ref):
            other = target.column(ref)
            encode = encoder_for(other, collection.name, identity=True)
            columns.append(StageColumn(link_column(name, ref), type_name(other), name, position, encode))
    return tuple(columns)


class Stage:
    """The delivered objects of one collection on their way: `add` while parsing, `load` inside the transaction.

    Besides the collection's columns the table has `sent`, a bit per attribute that the object carried, and, for layered
    collections, `digest`, by which an unchanged row is known.
    """

    def __init__(self, collection: InventoryCollection, collections: dict[str, InventoryCollection]) -> None:
        self.collection = collection
        self.columns = stage_columns(collection, collections)
        self.count = 0
        self.duplicates = 0
        self.optional = (*collection.attributes, *collection.on_create)
        self._bits = {name: 1 << index for index, name in enumerate(self.optional)}
        self._all_bits = (1 << len(self.optional)) - 1
        self._digests = isinstance(collection.ownership, Layered)
        self._spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_MEMORY)  # noqa: SIM115 - lives as long as the refresh

    @property
    def table(self) -> str:
        """The staging table, quoted."""
        return quote(f"stage_{self.collection.name}")

    def add(self, item: InventoryObject) -> None:
        """Spool one object. Raises UpdateFailed for a value that cannot be stored, naming the object and the column."""
        values = item.values
        fields: list[str] = []
        for column in self.columns:
            value = values.get(column.source)
            if value is None:
                fields.append("\\N")
            else:
                fields.append(column.encode(value if column.position < 0 else value.ref[column.position], values))
        sent = self._all_bits
        if len(values) < len(self.optional) + len(self.collection.manager_ref):
            sent = sum(bit for name, bit in self._bits.items() if name in values)
        fields.append(str(sent))
        line = "\t".join(fields).encode()
        if self._digests:
            line += b"\t\\\\x" + blake2b(line, digest_size=16).hexdigest().encode()
        self._spool.write(line + b"\n")
        self.count += 1

    def was_sent(self, name: str) -> str:
        """SQL: whether the staged row `s` carried the attribute."""
        return f"(s.sent & {self._bits[name]}) <> 0"

    async def load(self, connection: AsyncConnection) -> None:
        """Make the temporary table, COPY the spool into it, drop repeated identities (the last wins), ANALYZE."""
        parts = [f"{quote(column.name)} {column.type}" for column in self.columns]
        parts.append("sent bigint NOT NULL")
        if self._digests:
            parts.append("digest bytea NOT NULL")
        await connection.execute(
            compose(
                "CREATE TEMPORARY TABLE <table> (<columns>) ON COMMIT DROP", table=self.table, columns=", ".join(parts)
            )
        )
        raw: Any = (await connection.get_raw_connection()).driver_connection
        self._spool.seek(0)
        await raw.copy_to_table(f"stage_{self.collection.name}", source=self._spool, format="text")
        self.duplicates = await self._drop_repeated(connection)
        await connection.execute(compose("ANALYZE <table>", table=self.table))

    async def _drop_repeated(self, connection: AsyncConnection) -> int:
        """Delete all but the last row of each identity. ctid grows with the position in the spool."""
        refs = [column.name for column in self.columns if column.source in self.collection.manager_ref]
        result = await connection.execute(
            compose(
                "DELETE FROM <table> s USING (SELECT <refs>, max(ctid) AS last FROM <table> GROUP BY <refs> "
                "HAVING count(*) > 1) d WHERE <same> AND s.ctid <> d.last",
                table=self.table,
                refs=", ".join(quote(ref) for ref in refs),
                same=" AND ".join(f"s.{quote(ref)} IS NOT DISTINCT FROM d.{quote(ref)}" for ref in refs),
            )
        )
        return result.rowcount

    def close(self) -> None:
        """Drop the spool."""
        self._spool.close()
