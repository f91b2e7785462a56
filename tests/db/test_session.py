"""unit_of_work commits once, runs hooks after the commit only, and drops them with a rollback."""

import pytest
from sqlalchemy import func, select

from craton_inv.db.session import SessionFactory, after_commit, unit_of_work
from craton_inv.models import Tenant


async def count(factory: SessionFactory) -> int:
    async with factory() as session:
        return await session.scalar(select(func.count()).select_from(Tenant)) or 0


async def test_a_failing_hook_does_not_undo_the_commit(session_factory: SessionFactory) -> None:
    async def broken() -> None:
        raise RuntimeError("bell")

    async with unit_of_work(session_factory) as session:
        session.add(Tenant(name="kept"))
        after_commit(session, broken)
    assert await count(session_factory) == 1


async def test_an_error_rolls_everything_back_and_runs_no_hook(session_factory: SessionFactory) -> None:
    ran: list[bool] = []

    async def hook() -> None:
        ran.append(True)

    async def fail() -> None:
        async with unit_of_work(session_factory) as session:
            session.add(Tenant(name="lost"))
            after_commit(session, hook)
            await session.flush()
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        await fail()
    assert await count(session_factory) == 0
    assert ran == []
