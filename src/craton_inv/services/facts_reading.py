"""Facts of many hosts, read in pieces: memory holds two numbers a host and one piece, no connection waits for a reader.

Which hosts are meant is settled at the beginning; each piece is then read in a transaction of its own. A host that is
deleted meanwhile is left out.
"""

from array import array
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, func
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.ansible.json_text import dumps
from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.models import Host, Inventory
from craton_inv.repositories.host_facts import FactsRow, HostFactsRepository
from craton_inv.repositories.scope import Scope
from craton_inv.repositories.sets import any_text
from craton_inv.schemas.v2.fields import show_time
from craton_inv.services.constructed_hosts import keepers_of_facts

PIECE_HOSTS = 500
PIECE_BYTES = 256 * 1024  # as stored, which is some times smaller than the text


@dataclass(frozen=True)
class FactsQuery:
    """What of an inventory's facts is wanted; None for no restriction.

    `names`: only hosts of these names; `keys`: only these keys of the top level; `newer_than`: seconds since the facts
    were written.
    """

    names: Sequence[str] | None = None
    keys: Sequence[str] | None = None
    newer_than: float | None = None


class FactsReading:
    """The hosts whose facts are read, in the order of their ids."""

    def __init__(self, scope: Scope, keys: Sequence[str] | None, hosts: Sequence[tuple[int, int]]) -> None:
        self._scope = scope
        self._keys = keys
        self._ids = array("q", (host_id for host_id, _ in hosts))
        self._sizes = array("q", (size for _, size in hosts))

    @classmethod
    async def of(
        cls,
        session: AsyncSession,
        scope: Scope,
        inventory: Inventory,
        query: FactsQuery,
        where: Sequence[ColumnElement[bool]] = (),
    ) -> "FactsReading":
        """Those of an inventory of any kind for which `query` and `where` hold. Raises InvalidFilter."""
        conditions = [scope.where(Host), keepers_of_facts(inventory), *where]
        if query.names is not None:
            conditions.append(any_text(Host.name, query.names))
        if query.newer_than is not None:
            conditions.append(Host.ansible_facts_modified >= func.now() - timedelta(seconds=query.newer_than))
        return cls(scope, query.keys, await HostFactsRepository(session).found(*conditions))

    async def lines(self, factory: SessionFactory) -> AsyncIterator[bytes]:
        """The facts as NDJSON, some hosts at a time."""
        for ids in self._pieces():
            async with unit_of_work(factory) as session:
                rows = await HostFactsRepository(session).lines(self._scope.where(Host), ids, self._keys)
            if rows:
                yield "".join(map(_line, rows)).encode()

    def _pieces(self) -> "Iterator[array[int]]":
        begin = size = 0
        for index, bytes_stored in enumerate(self._sizes):
            if index > begin and (index - begin == PIECE_HOSTS or size + bytes_stored > PIECE_BYTES):
                yield self._ids[begin:index]
                begin, size = index, 0
            size += bytes_stored
        if begin < len(self._ids):
            yield self._ids[begin:]


def _line(row: FactsRow) -> str:
    modified = "null" if row.modified is None else f'"{show_time(row.modified)}"'
    return (
        f'{{"id": {row.id}, "name": {dumps(row.name)}, "ansible_facts_modified": {modified}, '
        f'"ansible_facts": {row.facts or "{}"}}}\n'
    )
