"""Deletions stop nobody: whatever one has locked in its open transaction, writes elsewhere wait for none of it.

The deletion is frozen at the end of each of its pieces: the test holds the row of its job, which every piece renews.
Meanwhile the application works with a lock timeout that any waiting for the deletion would pass; so does a refresh.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event, make_url, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from craton_inv.app import make_context
from craton_inv.db.engine import make_engine
from craton_inv.db.session import SessionFactory, make_session_factory, unit_of_work
from craton_inv.jobs.context import JobContext
from craton_inv.jobs.registry import TASKS
from craton_inv.logs import get_logger
from craton_inv.models import Inventory, InventorySource, InventoryUpdate, Job, Tenant
from craton_inv.queue import jobs
from craton_inv.settings import Settings
from tests.api.conftest import RingingBell, client_for, make_token
from tests.factories import make_credential_type, make_inventory, make_source, make_tenant, make_user
from tests.full_world import FullWorld, make_full_world

GIT = "https://git.example.org/shop.git"
LOCK_TIMEOUT_MS = 200
PATIENCE_S = 60.0
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
               " AND datname = current_database()")  # fmt: skip


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if await true():
                return
            await asyncio.sleep(0.005)


class Frozen:
    """A deletion that stops at the end of each of its pieces, in the open transaction."""

    def __init__(self, engine: AsyncEngine, context: JobContext) -> None:
        self.engine = engine
        self.context = context

    async def pieces(self) -> AsyncGenerator[int, None]:
        """Numbers of pieces, each while it is held."""
        holder = await self._hold()
        deletion = asyncio.ensure_future(TASKS[self.context.claim.task].run(self.context))

        async def stopped_or_over() -> bool:
            return deletion.done() or await self._waiting() == 1

        async def both_in_line() -> bool:
            return await self._waiting() == 2

        number = 0
        try:
            while True:
                await until(stopped_or_over)
                if deletion.done():
                    break
                number += 1
                yield number
                # Who holds the row next stands in line before the next piece does.
                following = asyncio.ensure_future(self._hold())
                await until(both_in_line)
                await holder.close()
                holder = await following
        finally:
            await holder.close()
            await deletion

    async def _hold(self) -> AsyncConnection:
        connection = await self.engine.connect()
        await connection.execute(select(Job.id).where(Job.id == self.context.claim.job_id).with_for_update())
        return connection

    async def _waiting(self) -> int:
        """How many wait for a lock in this database."""
        async with self.engine.connect() as connection:
            return int(await connection.scalar(WAITING) or 0)


@dataclass(frozen=True)
class Beside:
    """Somebody who writes elsewhere: in another inventory of the tenant, or of another one."""

    client: httpx.AsyncClient
    context: Callable[[jobs.Claim], JobContext]
    factory: SessionFactory
    tenant_id: int
    inventory_id: int
    source_id: int
    credential_type_id: int

    async def write(self, number: int) -> None:
        """Make, change, link and delete one of each."""
        name, inventory = f"n{number}", {"inventory": self.inventory_id}
        tenant = {"organization": self.tenant_id}
        host = await self.ask("POST", "hosts/", 201, {"name": name, **inventory})
        await self.ask("PATCH", f"hosts/{host}/", 200, {"variables": json.dumps({"n": number})})
        await self.ask("PUT", f"hosts/{host}/ansible_facts/", 200, {"n": number})
        group = await self.ask("POST", "groups/", 201, {"name": f"group-{name}", **inventory})
        await self.ask("POST", f"groups/{group}/hosts/", 204, {"id": host})
        label = await self.ask("POST", "labels/", 201, {"name": name, **tenant})
        await self.ask("POST", f"hosts/{host}/labels/", 204, {"id": label})
        await self.ask("DELETE", f"hosts/{host}/", 204)
        await self.ask("DELETE", f"groups/{group}/", 204)
        credential = {"name": name, "credential_type": self.credential_type_id, **tenant}
        await self.ask("POST", "credentials/", 201, credential)
        await self.ask("POST", "projects/", 201, {"name": name, "scm_type": "git", "scm_url": GIT, **tenant})
        other = await self.ask("POST", "inventories/", 201, {"name": name, **tenant})
        source = await self.ask("POST", "inventory_sources/", 201, {"name": name, "inventory": other})
        await self.ask("DELETE", f"inventory_sources/{source}/", 204)
        await self.ask("DELETE", f"inventories/{other}/", 202)
        await self.refresh(number)

    async def ask(self, method: str, path: str, status: int, body: Any = None) -> int:
        """One request; the id of what it made."""
        answer = await self.client.request(method, f"/v2/{path}", json=body)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        return int(answer.json().get("id", 0)) if answer.content else 0

    async def refresh(self, number: int) -> None:
        """Other hosts than before, by the whole of an update."""
        values = {"source_vars": json.dumps({"hosts": 2, "prefix": f"r{number}"})}
        await self.ask("PATCH", f"inventory_sources/{self.source_id}/", 200, values)
        update_id = await self.ask("POST", f"inventory_sources/{self.source_id}/update/", 202, {})
        async with unit_of_work(self.factory) as session:
            row = await session.get_one(InventoryUpdate, update_id)
            claim = await jobs.claim(session, row.job_id or 0, "w2", 30)
        assert claim is not None
        await TASKS["refresh"].run(self.context(claim))
        async with self.factory() as session:
            row = await session.get_one(InventoryUpdate, update_id)
            assert row.status == "successful", row.job_explanation


@dataclass(frozen=True)
class Scene:
    """A world of which something is deleted, by whom, and who writes beside."""

    world: FullWorld
    engine: AsyncEngine
    factory: SessionFactory
    client_for_tenant: Callable[[int], Awaitable[Beside]]


@pytest.fixture
async def scene(
    built_app: FastAPI, settings: Settings, fresh_database_url: str, bell: RingingBell
) -> AsyncIterator[Scene]:
    """A full world in a database whose other connections wait for no lock."""
    patient = make_engine(fresh_database_url, settings)

    @event.listens_for(patient.sync_engine, "connect")
    def wait_for_locks(connection: Any, _record: Any) -> None:
        connection.run_async(lambda driver: driver.execute("SET lock_timeout = 0"))

    factory = make_session_factory(patient)
    async with unit_of_work(factory) as session:
        world = await make_full_world(session, 30)
        root = await make_user(session, "root", is_superuser=True)
        token = await make_token(session, root)
        database = make_url(fresh_database_url).database
        await session.execute(text(f"ALTER DATABASE {database} SET lock_timeout = {LOCK_TIMEOUT_MS}"))
    hasty = make_engine(fresh_database_url, settings)
    hasty_factory = make_session_factory(hasty)
    context = make_context(settings, hasty_factory, bell)
    for part in (built_app, *built_app.state.dialects.values()):
        part.state.context = context
    async with client_for(built_app, {"Authorization": f"Bearer {token}"}) as client:

        async def beside(tenant_id: int) -> Beside:
            async with unit_of_work(factory) as session:
                tenant = await session.get_one(Tenant, tenant_id)
                inventory = await make_inventory(session, tenant=tenant)
                source = await make_source(session, inventory=inventory, source="example", source_vars='{"hosts": 1}')
                kind = await make_credential_type(session, tenant=tenant)
            return Beside(
                client,
                lambda claim: JobContext(settings, hasty, hasty_factory, claim, get_logger("beside")),
                hasty_factory,
                tenant_id,
                inventory.id,
                source.id,
                kind.id,
            )

        yield Scene(world, patient, factory, beside)
    await hasty.dispose()
    await patient.dispose()


async def deletion(scene: Scene, what: str, settings: Settings) -> Frozen:
    """The deletion of a part of the world, by a worker that waits for locks as long as it takes."""
    model, row_id, task, argument = {
        "inventory": (Inventory, scene.world.inventory.id, "delete_inventory", "inventory_id"),
        "source": (InventorySource, scene.world.source.id, "delete_source", "source_id"),
        "tenant": (Tenant, scene.world.tenant.id, "delete_tenant", "tenant_id"),
    }[what]
    async with unit_of_work(scene.factory) as session:
        await session.execute(update(model).where(model.id == row_id).values(pending_deletion=True))
        job_id = await jobs.enqueue(session, task, {argument: row_id})
    async with unit_of_work(scene.factory) as session:
        claim = await jobs.claim(session, job_id, "w1", 600)
    assert claim is not None
    return Frozen(scene.engine, JobContext(settings, scene.engine, scene.factory, claim, get_logger("deletion")))


async def test_hosts_are_written_while_those_of_another_inventory_are_being_deleted(
    scene: Scene, settings: Settings
) -> None:
    beside = await scene.client_for_tenant(scene.world.tenant.id)
    frozen = await deletion(scene, "inventory", settings)
    async with aclosing(frozen.pieces()) as pieces:
        await beside.write(await anext(pieces))


@pytest.mark.full
@pytest.mark.parametrize("what", ["inventory", "source", "tenant"])
async def test_nobody_waits_for_any_piece_of_a_deletion(scene: Scene, settings: Settings, what: str) -> None:
    tenant_id = scene.world.tenant.id
    if what == "tenant":  # nothing is written any more in the one that goes
        async with unit_of_work(scene.factory) as session:
            tenant_id = (await make_tenant(session)).id
    beside = await scene.client_for_tenant(tenant_id)
    frozen = await deletion(scene, what, settings)
    number = 0
    async with aclosing(frozen.pieces()) as pieces:
        async for number in pieces:
            # A tenant has several inventories, and most pieces of most of them are empty.
            if what != "tenant" or number % 5 == 1:
                await beside.write(number)
    assert number > 10
