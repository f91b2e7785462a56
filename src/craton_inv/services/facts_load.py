"""Facts of many hosts at once: lines are spooled while they arrive, then written in one transaction, in order of id.

No connection is held while a slow caller sends, memory does not grow with the facts, and since all hosts are locked in
one order before the first is written, writers wait for each other and never lock each other out.
"""

import json
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.engine import dump_json
from craton_inv.errors import InvalidField
from craton_inv.filters.shapes import Shapes
from craton_inv.models import Inventory
from craton_inv.repositories.activity import record
from craton_inv.repositories.fact_paths import FactPathRepository
from craton_inv.repositories.host_facts import HostFactsRepository
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.scope import Scope
from craton_inv.services.constructed_hosts import keepers_of_facts
from craton_inv.services.host_facts import ROOT, refuse_size

SPOOL_MEMORY = 4 * 1024 * 1024  # bytes of facts held in memory; beyond, they go to a file
CHUNK_HOSTS = 250
CHUNK_BYTES = 2 * 1024 * 1024
FIELDS = frozenset({"id", "name", "ansible_facts", "ansible_facts_modified"})
Missing = Literal["refuse", "skip"]


class _Line(NamedTuple):
    """Where a line's facts lie in the spool, and the host it names."""

    number: int
    host: str | int
    offset: int
    size: int


@dataclass
class LockedHosts:
    """The lines by the ids of their hosts, and the names (or ids) of hosts that the inventory does not have."""

    lines: dict[int, _Line] = field(default_factory=dict)
    missing: list[str | int] = field(default_factory=list)


@dataclass
class Loaded:
    """What a load did: hosts whose facts are others now, hosts whose facts were these already, hosts not found."""

    missing: list[str | int]
    updated: int = 0
    unchanged: int = 0


@dataclass(frozen=True)
class Cleared:
    """What clearing did: how many hosts had facts, hosts not found."""

    cleared: int
    missing: list[str | int]


class FactLines:
    """The lines of one load, each a host and its facts. A context manager: the spool goes at the end."""

    def __init__(self) -> None:
        self.shapes = Shapes(ROOT)
        self._lines: list[_Line] = []
        self._hosts: dict[str | int, int] = {}
        self._spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_MEMORY)  # noqa: SIM115 - lives as long as the load

    def __enter__(self) -> "FactLines":
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    def add(self, number: int, row: Any) -> None:
        """Take line `number` (from 1) in, parsed. Raises InvalidField."""
        host, facts = _checked(number, row)
        first = self._hosts.setdefault(host, number)
        if first != number:
            raise _twice(host, first, number)
        self.shapes.add(facts)
        text = dump_json(facts).encode()
        self._lines.append(_Line(number, host, self._spool.tell(), len(text)))
        self._spool.write(text)

    @property
    def hosts(self) -> Collection[str | int]:
        """The names, or ids, of the hosts that the lines are about."""
        return self._hosts.keys()

    async def lock(
        self, session: AsyncSession, scope: Scope, found: Mapping[str | int, int], *, missing: Missing
    ) -> LockedHosts:
        """Lock the hosts of the lines. `found`: their ids, by what a line calls them.

        Raises InvalidField for one that is not there (unless `missing` is "skip") or comes twice.
        """
        ids = await _lock(session, scope, found)
        locked = LockedHosts()
        for line in self._lines:
            host_id = ids.get(line.host)
            if host_id is None:
                if missing == "refuse":
                    raise _absent(line.host, f"Line {line.number}: the")
                locked.missing.append(line.host)
            elif host_id in locked.lines:
                raise _twice(line.host, locked.lines[host_id].number, line.number)
            else:
                locked.lines[host_id] = line
        return locked

    async def save(
        self, session: AsyncSession, scope: Scope, inventory: Inventory, hosts: LockedHosts, *, merge: bool, limit: int
    ) -> Loaded:
        """Write the lines of locked hosts. `limit`: bytes of JSON that one host's facts may take. Raises TooLarge.

        The activity stream has one entry for all of them, with their numbers.
        """
        loaded = Loaded(missing=hosts.missing)
        repository = HostFactsRepository(session)
        for chunk in _chunks(sorted(hosts.lines.items())):
            sizes = await repository.write([(host_id, self._text(line)) for host_id, line in chunk], merge=merge)
            for host_id, size in sizes.items():
                line = hosts.lines[host_id]
                refuse_size(size, limit, f"{line.host} (line {line.number})")
            loaded.updated += len(sizes)
            loaded.unchanged += len(chunk) - len(sizes)
        if hosts.lines:
            shapes = self._shapes_of(hosts.lines.values()) if hosts.missing else self.shapes
            await FactPathRepository(session, scope).note(inventory.tenant_id, shapes.found)
        if loaded.updated:
            told = {"updated": loaded.updated, "unchanged": loaded.unchanged, "missing": len(loaded.missing)}
            await record(session, "update", inventory, changes={ROOT: {**told, "merged": merge}})
        return loaded

    def _shapes_of(self, lines: Iterable[_Line]) -> Shapes:
        """Of some of the lines: what was skipped is not stored, so the catalogue must not have it."""
        shapes = Shapes(ROOT)
        for line in lines:
            shapes.add(json.loads(self._text(line)))
        return shapes

    def _text(self, line: _Line) -> str:
        self._spool.seek(line.offset)
        return self._spool.read(line.size).decode()


async def find_hosts(
    session: AsyncSession, scope: Scope, inventory: Inventory, wanted: Collection[str | int]
) -> dict[str | int, int]:
    """The ids of hosts of an inventory of any kind, by the names or ids asked for. Absent ones lack.

    Of a constructed one they are the originals, which keep the facts.
    """
    return await HostRepository(session, scope).ids_of(keepers_of_facts(inventory), wanted)


async def clear(
    session: AsyncSession,
    scope: Scope,
    inventory: Inventory,
    found: Mapping[str | int, int],
    names: Sequence[str],
    *,
    missing: Missing,
) -> Cleared:
    """Forget the facts of hosts of an inventory, by name; `found`: their ids.

    Raises InvalidField for an absent one, unless `missing` is "skip".
    """
    ids = await _lock(session, scope, found)
    absent: list[str | int] = [name for name in dict.fromkeys(names) if name not in ids]
    if absent and missing == "refuse":
        raise _absent(absent[0], "The", field="host")
    cleared = await HostFactsRepository(session).clear(list(ids.values()))
    if cleared:
        await record(session, "update", inventory, changes={ROOT: {"cleared": cleared}})
    return Cleared(cleared, absent)


async def _lock(session: AsyncSession, scope: Scope, found: Mapping[str | int, int]) -> dict[str | int, int]:
    locked = await HostRepository(session, scope).lock_all(found.values())
    return {host: host_id for host, host_id in found.items() if host_id in locked}


def _absent(host: str | int, beginning: str, field: str = "") -> InvalidField:
    return InvalidField(field or _field_of(host), f"{beginning} inventory has no host {host!r}.")


def _checked(number: int, row: Any) -> tuple[str | int, dict[str, Any]]:
    """The host that a line names, and its facts."""
    if not isinstance(row, dict):
        raise InvalidField("ansible_facts", f"Line {number} is no object with a name (or id) and ansible_facts.")
    unknown = sorted(row.keys() - FIELDS)
    if unknown:
        raise InvalidField(unknown[0][:100], f"Line {number}: no such field; a line has {', '.join(sorted(FIELDS))}.")
    facts = row.get("ansible_facts")
    if not isinstance(facts, dict):
        raise InvalidField("ansible_facts", f"Line {number}: ansible_facts must be an object.")
    name, host_id = row.get("name"), row.get("id")
    if name is not None:
        if not isinstance(name, str) or not name:
            raise InvalidField("name", f"Line {number}: a name is text.")
        return name, facts
    if not isinstance(host_id, int) or isinstance(host_id, bool):
        raise InvalidField("name", f"Line {number}: the host's name is missing, or its id as an integer.")
    return host_id, facts


def _twice(host: str | int, first: int, second: int) -> InvalidField:
    return InvalidField(_field_of(host), f"Lines {first} and {second} are about the same host, {host!r}.")


def _field_of(host: str | int) -> str:
    return "id" if isinstance(host, int) else "name"


def _chunks(lines: list[tuple[int, _Line]]) -> Iterator[list[tuple[int, _Line]]]:
    """Lines for one statement: few enough, and not too many bytes."""
    chunk: list[tuple[int, _Line]] = []
    size = 0
    for host_id, line in lines:
        if chunk and (len(chunk) == CHUNK_HOSTS or size + line.size > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append((host_id, line))
        size += line.size
    if chunk:
        yield chunk
