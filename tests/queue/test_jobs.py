"""The life of a job row: enqueue, claim, renew, finish, release, sweep."""

import asyncio

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.db.session import SessionFactory, unit_of_work
from craton_inv.queue import jobs
from craton_inv.queue.models import Job


class RecordingBell:
    """Notes what was rung."""

    def __init__(self) -> None:
        self.rung: list[int] = []

    async def ring(self, job_id: int) -> None:
        self.rung.append(job_id)

    async def ping(self) -> None:
        return


async def expire_lease(session: AsyncSession, job_id: int) -> None:
    await session.execute(
        update(Job).where(Job.id == job_id).values(lease_until=func.now() - func.make_interval(0, 0, 0, 0, 0, 0, 1))
    )


async def test_the_bell_rings_only_after_the_commit(session_factory: SessionFactory) -> None:
    bell = RecordingBell()
    async with unit_of_work(session_factory) as session:
        session.info[jobs.BELL] = bell
        job_id = await jobs.enqueue(session, "refresh", {"update_id": 1})
        assert bell.rung == []
    assert bell.rung == [job_id]


async def test_a_rolled_back_job_is_never_rung(session_factory: SessionFactory) -> None:
    bell = RecordingBell()

    async def fail_after_enqueue() -> None:
        async with unit_of_work(session_factory) as session:
            session.info[jobs.BELL] = bell
            await jobs.enqueue(session, "refresh", {"update_id": 1})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_after_enqueue()
    assert bell.rung == []


async def test_a_unique_key_gives_the_waiting_job_again(session: AsyncSession) -> None:
    first = await jobs.enqueue(session, "refresh", {"update_id": 1}, unique_key="k")
    assert await jobs.enqueue(session, "refresh", {"update_id": 1}, unique_key="k") == first


async def test_a_unique_key_is_known_however_often_a_connection_asks(session: AsyncSession) -> None:
    # From the sixth execution on PostgreSQL may plan a statement for all values of its parameters at once.
    found = {await jobs.enqueue(session, "refresh", {"update_id": 1}, unique_key="often") for _ in range(12)}
    assert len(found) == 1


async def test_a_claimed_job_is_not_given_twice(session: AsyncSession) -> None:
    job_id = await jobs.enqueue(session, "refresh", {"update_id": 7})
    claim = await jobs.claim(session, job_id, "a", 30)
    assert claim is not None
    assert claim.args == {"update_id": 7}
    assert await jobs.claim(session, job_id, "b", 30) is None


async def test_a_delayed_job_is_neither_due_nor_claimable(session: AsyncSession) -> None:
    job_id = await jobs.enqueue(session, "refresh", {"update_id": 1}, delay=60)
    assert job_id not in await jobs.due(session)
    assert await jobs.claim(session, job_id, "a", 30) is None


async def test_an_expired_lease_goes_to_another_worker_with_the_next_token(session: AsyncSession) -> None:
    job_id = await jobs.enqueue(session, "refresh", {"update_id": 1})
    first = await jobs.claim(session, job_id, "a", 30)
    await expire_lease(session, job_id)
    assert job_id in await jobs.due(session)
    second = await jobs.claim(session, job_id, "b", 30)
    assert first is not None
    assert second is not None
    assert second.token == first.token + 1


async def test_a_zombie_cannot_finish_a_job_that_another_holds(session: AsyncSession) -> None:
    job_id = await jobs.enqueue(session, "refresh", {"update_id": 1})
    zombie = await jobs.claim(session, job_id, "a", 30)
    await expire_lease(session, job_id)
    await jobs.claim(session, job_id, "b", 30)
    assert zombie is not None
    with pytest.raises(jobs.LeaseLost):
        await jobs.finish(session, zombie)
    with pytest.raises(jobs.LeaseLost):
        await jobs.renew(session, zombie, 30)


async def test_a_finished_job_is_done_and_not_due(session: AsyncSession) -> None:
    job_id = await jobs.enqueue(session, "refresh", {"update_id": 1})
    claim = await jobs.claim(session, job_id, "a", 30)
    assert claim is not None
    await jobs.finish(session, claim)
    row = await session.get_one(Job, job_id, populate_existing=True)
    assert (row.status, row.lease_until) == ("done", None)
    assert job_id not in await jobs.due(session)


async def test_a_released_job_counts_the_attempt_unless_the_stop_was_graceful(session: AsyncSession) -> None:
    job_id = await jobs.enqueue(session, "refresh", {"update_id": 1})
    claim = await jobs.claim(session, job_id, "a", 30)
    assert claim is not None
    await jobs.release(session, claim, count=False)
    again = await jobs.claim(session, job_id, "b", 30)
    assert again is not None
    assert again.attempt == 1
    await jobs.release(session, again)
    third = await jobs.claim(session, job_id, "c", 30)
    assert third is not None
    assert third.attempt == 2


async def test_cancel_ends_a_queued_job_at_once(session: AsyncSession) -> None:
    job_id = await jobs.enqueue(session, "refresh", {"update_id": 1})
    assert await jobs.request_cancel(session, job_id) == "canceled"
    assert await jobs.claim(session, job_id, "a", 30) is None


async def test_a_running_job_hears_of_a_cancel_by_its_heartbeat(session: AsyncSession) -> None:
    job_id = await jobs.enqueue(session, "refresh", {"update_id": 1})
    claim = await jobs.claim(session, job_id, "a", 30)
    assert claim is not None
    assert await jobs.renew(session, claim, 30) is False
    assert await jobs.request_cancel(session, job_id) == "running"
    assert await jobs.renew(session, claim, 30) is True


async def test_twenty_claims_at_once_give_the_job_to_one(fresh_factory: SessionFactory) -> None:
    async with unit_of_work(fresh_factory) as session:
        job_id = await jobs.enqueue(session, "refresh", {"update_id": 1})

    async def take(name: str) -> bool:
        async with unit_of_work(fresh_factory) as session:
            return await jobs.claim(session, job_id, name, 30) is not None

    taken = await asyncio.gather(*(take(f"w{n}") for n in range(20)))
    assert sum(taken) == 1
    async with unit_of_work(fresh_factory) as session:
        assert await session.scalar(select(Job.attempt).where(Job.id == job_id)) == 1
