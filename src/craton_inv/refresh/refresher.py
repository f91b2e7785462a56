"""The refresher: collect, parse, persist, with progress; each step can be overridden, hooks run before and after."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from craton_inv.refresh.collector import Collector
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.parser import Parser
from craton_inv.refresh.persister import Persister
from craton_inv.refresh.reading import UNREADABLE, unreadable
from craton_inv.refresh.saving import SaveOptions
from craton_inv.refresh.target import Targets

BREATH = 500  # objects parsed between two chances for the event loop: heartbeats and cancelling go on
Progress = Callable[[str, dict[str, int]], Awaitable[None]]


async def no_progress(stage: str, counts: dict[str, int]) -> None:
    """Nobody listens."""


class Refresher:
    """One refresh of one source: `gather` without a database, then `save` in the caller's transaction."""

    def __init__(self, collector: Collector, parser: Parser, persister: Persister, progress: Progress = no_progress):
        self.collector = collector
        self.parser = parser
        self.persister = persister
        self.progress = progress

    @property
    def incomplete(self) -> dict[str, str]:
        """Associations that were read only partly, with the reasons; known once `gather` has ended."""
        return self.collector.incomplete

    async def before(self) -> None:
        """Hook before anything is collected."""

    async def after(self, counts: dict[str, Counts]) -> None:
        """Hook after everything is saved, in the same transaction."""

    async def before_targets(self, targets: Targets) -> Targets:
        """Hook of a targeted refresh before its targets are collected; gives the targets to refresh.

        It may add targets that depend on others, or give none to make the refresh a full one.
        """
        return targets

    async def after_targets(self, targets: Targets, counts: dict[str, Counts]) -> None:
        """Hook of a targeted refresh once its targets are saved, in the same transaction, before `after`."""

    async def gather(self) -> None:
        """Collect and parse into the persister's spools. Raises UpdateFailed and whatever the provider raises."""
        await self.before()
        if not self.collector.targets.full:
            self.collector.targets = await self.before_targets(self.collector.targets)
        await self.collect()
        await self.parse()

    async def collect(self) -> None:
        """Let the collector fetch what it fetches at once."""
        await self.progress("collect", {})
        await self.collector.collect()

    async def parse(self) -> None:
        """Spool what the parser yields. Raises UpdateFailed for an answer in another form than the parser expects."""
        parsed = 0
        item = None
        try:
            async for item in self.parser.parse():
                self.persister.add(item)
                parsed += 1
                if parsed % BREATH == 0:
                    await asyncio.sleep(0)
                    await self.progress("parse", self.persister.delivered)
        except UNREADABLE as error:
            raise unreadable(error, item) from error
        await self.progress("parse", self.persister.delivered)

    async def save(self, connection: AsyncConnection, options: SaveOptions) -> dict[str, Counts]:
        """Write the spools in the caller's transaction. Raises UpdateFailed when the deletion guard stops it.

        What was asked for and what was read only partly come from the collector.
        """

        async def tell(name: str, counts: Counts) -> None:
            await self.progress(f"save {name}", counts.as_dict())

        targets = self.collector.targets
        kept = {**self.collector.kept, **self.incomplete}
        options = replace(options, targets=None if targets.full else targets, incomplete=kept)
        counts = await self.persister.save(connection, options, tell)
        if not targets.full:
            await self.after_targets(targets, counts)
        await self.after(counts)
        return counts

    async def close(self) -> None:
        """Let go of everything, whatever happened."""
        self.persister.close()
        await self.collector.close()
