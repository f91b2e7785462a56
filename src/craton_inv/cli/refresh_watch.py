"""Watching updates from the command line: a bar fed by their events, lines where nobody looks at a terminal."""

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from sqlalchemy import select, text

from craton_inv.db.session import SessionFactory
from craton_inv.models import InventoryUpdate, InventoryUpdateEvent
from craton_inv.models.inventory_update import ENDED

POLL = 0.5  # seconds between two looks: events are written no more often
WORKER = "craton-inv-worker"  # how the connections of a worker call themselves
SAVING = "save "
# The names of connections of other roles are hidden: one of them may be a worker.
_WORKERS = text("""
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
AND (application_name = :worker OR (usename <> current_user AND application_name IS NULL))
""")


def nothing() -> None:
    """The work is done elsewhere."""


async def workers(factory: SessionFactory) -> int:
    """How many connections of workers the database has."""
    async with factory() as session:
        return await session.scalar(_WORKERS, {"worker": WORKER}) or 0


class Watch:
    """Shows how updates go. `names`: theirs, by id."""

    def __init__(self, factory: SessionFactory, names: Mapping[int, str], console: Console | None = None) -> None:
        self.factory = factory
        self.names = names
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._seen = dict.fromkeys(names, 0)
        self._bars: dict[int, Bar] = {}

    def tell_queued(self, updates: Sequence[InventoryUpdate]) -> None:
        """One line an update."""
        for update in updates:
            what = "the whole source" if update.kind == "full" else "single objects"
            self.console.print(escape(f"Update {update.id} of {update.name}: {what}, {update.status}."))

    async def follow(self, work: Callable[[], object] = nothing) -> bool:
        """Show the updates until all have ended; whether all went well. `work` is called at each look."""
        with Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        ) as progress:
            self._bars = {row_id: Bar(progress, name) for row_id, name in self.names.items()}
            while True:
                work()
                await asyncio.sleep(POLL)
                rows = await self._look()
                if all(row.status in ENDED for row in rows):
                    break
        return self._tell_ended(rows)

    async def _look(self) -> Sequence[InventoryUpdate]:
        async with self.factory() as session:
            ids = [*self.names]
            rows = (await session.scalars(select(InventoryUpdate).where(InventoryUpdate.id.in_(ids)))).all()
            for row in rows:
                events = await session.scalars(
                    select(InventoryUpdateEvent)
                    .where(
                        InventoryUpdateEvent.inventory_update_id == row.id,
                        InventoryUpdateEvent.counter > self._seen[row.id],
                    )
                    .order_by(InventoryUpdateEvent.counter)
                )
                for event in events:
                    self._seen[row.id] = event.counter
                    self._show(row, event)
        return rows

    def _show(self, row: InventoryUpdate, event: InventoryUpdateEvent) -> None:
        if "stage" in event.event_data and self.console.is_terminal:
            self._bars[row.id].move(event.event_data)
        else:
            self.console.print(escape(f"{row.name}: {event.stdout}"))

    def _tell_ended(self, rows: Sequence[InventoryUpdate]) -> bool:
        for row in rows:
            if row.status == "successful":
                aside = (
                    "" if row.purpose == "update" else f" Nothing is written; update {row.id} keeps it to be applied."
                )
                self.console.print(escape(f"{row.name}: {row.status}. {_figures(row.result)}{aside}"))
                for verdict in row.result.get("guard") or ():
                    self.console.print(escape(f"The deletion guard would stop it: {verdict}"))
            else:
                print(f"{row.name}: {row.status}. {row.job_explanation}", file=sys.stderr)
        return len(rows) == len(self.names) and all(row.status == "successful" for row in rows)


class Bar:
    """One update's bar: it fills as the collections that were read are saved, and only moves until then."""

    def __init__(self, progress: Progress, name: str) -> None:
        self.progress = progress
        self.name = name
        self.task: TaskID = progress.add_task(escape(name), total=None, told="waiting")
        self._read = 0
        self._saved: dict[str, int] = {}

    def move(self, data: Mapping[str, Any]) -> None:
        """Show a report of a stage: {"stage", "counts"}."""
        stage, counts = str(data["stage"]), dict(data.get("counts") or {})
        told = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
        if stage == "parse":
            self._read = sum(counts.values())
        elif stage.startswith(SAVING):
            self._saved[stage] = int(counts.get("delivered", 0))
        self.progress.update(
            self.task,
            total=self._read if self._saved and self._read else None,
            completed=sum(self._saved.values()) if self._saved else self._read,
            told=escape(f"{stage}: {told}" if told else stage),
        )


def _figures(result: Mapping[str, Any]) -> str:
    """What was done, in a few words."""
    collections: Mapping[str, Mapping[str, int]] = result.get("collections") or {}
    parts = []
    for name, counts in collections.items():
        done = [f"{counts[verb]} {verb}" for verb in ("created", "updated", "deleted") if counts.get(verb)]
        if done:
            parts.append(f"{name}: {', '.join(done)}")
    return "; ".join(parts) + "." if parts else "Nothing changed."
