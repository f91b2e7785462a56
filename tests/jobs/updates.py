"""Helpers to launch updates and to play the worker."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.context import JobContext
from craton_inv.jobs.refresh import refresh
from craton_inv.logs import get_logger
from craton_inv.models import InventorySource, InventoryUpdate, InventoryUpdateEvent, Job
from craton_inv.queue import jobs
from craton_inv.queue.jobs import Claim
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services import inventory_updates
from craton_inv.settings import Settings
from tests.refresh.world import World

# The database of these tests outlives the data directory of each.
ROOT_KEYS = SecretStr("tests:" + "00" * 32)
EXAMPLE = '{"hosts": 3, "prefix": "web"}'


class Updates:
    """Updates of one world's sources."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.world = world
        self.settings = settings

    async def launch(self, name: str = "source", options: dict[str, Any] | None = None, **values: Any) -> int:
        """Launch an update of a source of kind `example` unless told otherwise; its id."""
        values.setdefault("source", "example")
        if values["source"] == "example":
            values.setdefault("source_vars", EXAMPLE)
        source_id = await self.world.source(name, **values)
        async with unit_of_work(self.world.factory) as session:
            return (await inventory_updates.launch(session, SYSTEM, source_id, options)).id

    async def claim(self, update_id: int, worker: str = "w1") -> Claim:
        """Claim the update's job as a worker."""
        row = await self.update(update_id)
        assert row.job_id is not None
        async with unit_of_work(self.world.factory) as session:
            claim = await jobs.claim(session, row.job_id, worker, 30)
        assert claim is not None
        return claim

    def context(self, claim: Claim) -> JobContext:
        """What the worker hands to the job."""
        return JobContext(self.settings, self.world.engine, self.world.factory, claim, get_logger("test"))

    async def work(self, update_id: int, worker: str = "w1") -> InventoryUpdate:
        """Claim and run the job to its end."""
        await refresh(self.context(await self.claim(update_id, worker)))
        return await self.update(update_id)

    async def run(self, name: str = "source", **values: Any) -> InventoryUpdate:
        """Launch and run."""
        return await self.work(await self.launch(name, **values))

    async def update(self, update_id: int) -> InventoryUpdate:
        """The update as it is now."""
        async with self.world.factory() as session:
            return await session.get_one(InventoryUpdate, update_id)

    async def job(self, update_id: int) -> Job:
        """The update's job as it is now."""
        row = await self.update(update_id)
        async with self.world.factory() as session:
            return await session.get_one(Job, row.job_id)

    async def source(self, name: str = "source") -> InventorySource:
        """A source as it is now."""
        async with self.world.factory() as session:
            return await session.get_one(InventorySource, self.world.sources[name])

    async def change_source(self, name: str = "source", **values: Any) -> None:
        """Change a source."""
        async with unit_of_work(self.world.factory) as session:
            await session.execute(
                update(InventorySource).where(InventorySource.id == self.world.sources[name]).values(**values)
            )

    async def events(self, update_id: int) -> Sequence[InventoryUpdateEvent]:
        """The update's events in order."""
        async with self.world.factory() as session:
            query = select(InventoryUpdateEvent).where(InventoryUpdateEvent.inventory_update_id == update_id)
            return (await session.scalars(query.order_by(InventoryUpdateEvent.counter))).all()

    async def output(self, update_id: int) -> str:
        """What the update said."""
        return "\n".join(event.stdout for event in await self.events(update_id))

    async def until(self, true: Callable[[InventoryUpdate], bool], update_id: int) -> None:
        """Wait at most 10 s."""
        for _ in range(200):
            if true(await self.update(update_id)):
                return
            await asyncio.sleep(0.05)
        raise AssertionError("waited in vain")


@pytest.fixture
def updates(world: World, settings: Settings, tmp_path: Path) -> Updates:
    """Launching and running updates; file sources may lie in the test's own folder."""
    return Updates(world, settings.model_copy(update={"file_roots": str(tmp_path), "root_keys": ROOT_KEYS}))
