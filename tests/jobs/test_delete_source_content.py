"""What a source made, deleted by the worker when it is much: in chunks, and only what was there when asked for."""

import pytest
from sqlalchemy import select

from craton_inv.db.session import unit_of_work
from craton_inv.jobs import delete_source_content
from craton_inv.jobs.context import JobContext
from craton_inv.jobs.registry import TASKS
from craton_inv.logs import get_logger
from craton_inv.models import Group, Host, InventorySource, Job
from craton_inv.queue import jobs
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services import inventory_sources as service
from tests.jobs.updates import Updates
from tests.refresh.world import document

HOSTS = [f"h{number}" for number in range(5)]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows are many."""
    monkeypatch.setattr(service, "AT_ONCE", 2)
    monkeypatch.setattr(delete_source_content, "CHUNK", {Host: 2, Group: 2})


async def ask(updates: Updates, what: str) -> bool:
    """Ask for the deletion of what the source made."""
    source_id = await updates.world.source()
    async with unit_of_work(updates.world.factory) as session:
        row = await session.get_one(InventorySource, source_id)
        return await getattr(service, f"delete_{what}")(session, SYSTEM, row)


async def work(updates: Updates, what: str) -> str:
    """Do the job as a worker; its status then."""
    async with unit_of_work(updates.world.factory) as session:
        query = select(Job.id).where(Job.unique_key == f"delete_source_{what}:{updates.world.sources['source']}")
        job_id = (await session.scalars(query)).one()
        claim = await jobs.claim(session, job_id, "w1", 30)
    assert claim is not None
    world = updates.world
    await TASKS[claim.task].run(JobContext(updates.settings, world.engine, world.factory, claim, get_logger("test")))
    async with world.factory() as session:
        return (await session.get_one(Job, job_id)).status


async def test_few_go_at_once(updates: Updates) -> None:
    await updates.world.refresh(document(HOSTS[:2]))
    assert await ask(updates, "hosts") is True
    assert await updates.world.hosts() == {}


async def test_many_hosts_are_the_worker_s_and_a_person_s_stay(updates: Updates) -> None:
    await updates.world.refresh(document(HOSTS, {"web": HOSTS}))
    async with unit_of_work(updates.world.factory) as session:
        row = await session.get_one(Host, (await updates.world.host("h0")).id)
        row.manual = True
    assert await ask(updates, "hosts") is False
    assert len(await updates.world.hosts()) == 5
    assert await work(updates, "hosts") == "done"
    assert set(await updates.world.hosts()) == {"h0"}
    assert set(await updates.world.groups()) == {"web"}


async def test_many_groups_go_and_their_hosts_stay(updates: Updates) -> None:
    await updates.world.refresh(document(HOSTS, dict.fromkeys("abcde", HOSTS)))
    assert await ask(updates, "groups") is False
    assert await work(updates, "groups") == "done"
    assert (await updates.world.groups(), set(await updates.world.hosts())) == ({}, set(HOSTS))


async def test_what_came_after_the_ask_stays(updates: Updates) -> None:
    await updates.world.refresh(document(HOSTS))
    await ask(updates, "hosts")
    await updates.world.refresh(document([*HOSTS, "late"]))
    await work(updates, "hosts")
    assert set(await updates.world.hosts()) == {"late"}


async def test_it_waits_for_an_update_of_the_inventory(updates: Updates) -> None:
    await updates.world.refresh(document(HOSTS))
    async with unit_of_work(updates.world.factory) as session:
        source = await session.get_one(InventorySource, updates.world.sources["source"])
        source.source, source.source_vars = "example", '{"hosts": 1}'
    await ask(updates, "hosts")
    await updates.launch()
    assert await work(updates, "hosts") == "queued"
    assert set(await updates.world.hosts()) == set(HOSTS)
