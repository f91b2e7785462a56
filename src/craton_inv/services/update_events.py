"""Events of a running update: lines in order, written in short transactions of their own at most every half second."""

import asyncio
import contextlib
import re
from collections.abc import Iterable
from typing import Any, Self

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.logs import get_logger
from craton_inv.models import InventoryUpdateEvent
from craton_inv.providers.credentials import ProviderCredential
from craton_inv.providers.credentials.hiding import Hide, hide_nothing, hiding

log = get_logger(__name__)
INTERVAL = 0.5  # seconds between two writes
LONGEST = 60_000  # characters of one event
MOST_PENDING = 50_000  # events kept while the database is away
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """`text` as the database takes it: no NUL, no half of a surrogate pair (names of files may hold both)."""
    return _UNSTORABLE.sub("\ufffd", text)


class EventWriter:
    """Collects lines and progress, and writes them while the update works; use as `async with`.

    Events show while the update runs and survive its rollback. Several progress reports of one stage within an interval
    become one. Counters and line numbers go on where an earlier attempt at the update stopped.
    """

    def __init__(self, factory: SessionFactory, update_id: int, verbosity: int = 0) -> None:
        self.factory = factory
        self.update_id = update_id
        self.verbosity = verbosity
        self.hide: Hide = hide_nothing  # what the run logs in with is blackened in all that it says
        self._pending: list[tuple[str, dict[str, Any]]] = []
        self._stages: dict[str, int] = {}  # where the report of a stage is among the pending ones
        self._writing = asyncio.Lock()
        self._ended = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

    def conceal(self, credentials: Iterable[ProviderCredential]) -> None:
        """Blacken these too from here on, beside what is blackened already."""
        known, more = self.hide, hiding([secret for credential in credentials for secret in credential.secrets()])
        self.hide = lambda text: more(known(text))

    def say(self, line: str) -> None:
        """One line of output."""
        self._pending.append((storable(self.hide(line)[:LONGEST]), {}))

    async def progress(self, stage: str, counts: dict[str, int]) -> None:
        """How far a stage is; replaces a report of the same stage that is not written yet."""
        shown = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
        entry = (self.hide(f"{stage}: {shown}" if shown else stage), {"stage": stage, "counts": counts})
        at = self._stages.setdefault(stage, len(self._pending))
        self._pending[at : at + 1] = [entry]

    async def flush(self) -> None:
        """Write what is pending; one INSERT. A failure is logged and tried again with the next lines."""
        async with self._writing:
            batch, self._pending = self._pending, []
            self._stages.clear()
            if not batch:
                return
            try:
                await self._write(batch)
            except Exception as error:
                # Events are told for people; a database that is away stops the update itself soon enough.
                self._pending = [*batch, *self._pending][:MOST_PENDING]
                self._stages.clear()
                log.warning("events_not_written", update_id=self.update_id, error=repr(error))

    async def last(self, session: AsyncSession, line: str) -> None:
        """Write one line in the caller's transaction: it shows together with what that commits. Flush before."""
        await self._insert(session, [(storable(self.hide(line)[:LONGEST]), {})])

    async def _write(self, batch: list[tuple[str, dict[str, Any]]]) -> None:
        try:
            async with unit_of_work(self.factory) as session:
                await self._insert(session, batch)
        except IntegrityError:
            # A worker that lost its lease wrote the same counters: number anew behind them.
            async with unit_of_work(self.factory) as session:
                await self._insert(session, batch)

    async def _insert(self, session: AsyncSession, batch: list[tuple[str, dict[str, Any]]]) -> None:
        own = InventoryUpdateEvent.inventory_update_id == self.update_id
        counter, line = (
            await session.execute(
                select(
                    func.coalesce(func.max(InventoryUpdateEvent.counter), 0),
                    func.coalesce(func.max(InventoryUpdateEvent.end_line), 0),
                ).where(own)
            )
        ).one()
        rows = []
        for text, data in batch:
            counter += 1
            lines = text.count("\n") + 1
            rows.append(
                {
                    "inventory_update_id": self.update_id,
                    "counter": counter,
                    "stdout": text,
                    "start_line": line,
                    "end_line": line + lines,
                    "verbosity": self.verbosity,
                    "event_data": data,
                }
            )
            line += lines
        await session.execute(insert(InventoryUpdateEvent), rows)

    async def _write_on(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), INTERVAL)
            await self.flush()

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write_on())
        return self

    async def __aexit__(self, *_: object) -> None:
        # Told, not cancelled: lines on their way into the database would be lost.
        self._ended.set()
        if self._writer is not None:
            await self._writer
        await self.flush()
