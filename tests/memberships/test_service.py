"""The switch as operators meet it: the worker that reconciles, the command that tells."""

import asyncio

import pytest
from sqlalchemy import func, select, update

from craton_inv import worker
from craton_inv.cli import memberships
from craton_inv.cli.memberships import reconcile_command
from craton_inv.db.engine import make_engine
from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.models import Host, Job, SmartInventoryMembership, SmartMembershipChange
from craton_inv.settings import Settings, get_settings
from tests.factories import make_host, make_inventory, make_tenant


@pytest.mark.parametrize("name", ["CRATON_INV_AWX_REBUILD_SMART_MEMBERSHIP", "AWX_REBUILD_SMART_MEMBERSHIP"])
def test_the_switch_is_read_under_both_names(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().awx_rebuild_smart_membership is False
    monkeypatch.setenv(name, "true")
    assert Settings().awx_rebuild_smart_membership is True


def test_our_own_name_of_the_switch_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWX_REBUILD_SMART_MEMBERSHIP", "true")
    monkeypatch.setenv("CRATON_INV_AWX_REBUILD_SMART_MEMBERSHIP", "false")
    assert Settings().awx_rebuild_smart_membership is False


async def build(url: str) -> int:
    """Two smart inventories that nobody has put together yet; the number of their members."""
    engine = make_engine(url, Settings(database_url=url))
    async with unit_of_work(make_session_factory(engine)) as session:
        tenant = await make_tenant(session)
        inventory = await make_inventory(session, tenant=tenant)
        for name in ("one", "two", "three"):
            await make_host(session, name, inventory=inventory)
        for text in ("name=one", 'name ~ "^t"'):
            await make_inventory(session, text, tenant=tenant, kind="smart", host_filter=text)
    await engine.dispose()
    return 3


async def test_a_worker_makes_up_for_what_was_written_while_the_switch_was_off(fresh_database_url: str) -> None:
    members = await build(fresh_database_url)
    settings = Settings(
        database_url=fresh_database_url, awx_rebuild_smart_membership=True, job_sweep_interval=0.2, redis_url=None
    )
    stopping = asyncio.Event()
    working = asyncio.create_task(worker.work(settings, stopping))
    engine = make_engine(fresh_database_url, settings)
    factory = make_session_factory(engine)
    try:
        for _ in range(300):
            await asyncio.sleep(0.05)
            async with factory() as session:
                counted = await session.scalar(select(func.count()).select_from(SmartInventoryMembership))
                ended = await session.scalar(select(Job.id).where(Job.status == "done"))
            if counted == members and ended:
                break
        assert counted == members
        async with factory() as session:  # as a command would write: only noted
            await session.execute(update(Host).values(name=Host.name + "s"))
            await session.commit()
        for _ in range(300):
            await asyncio.sleep(0.05)
            async with factory() as session:
                counted = await session.scalar(select(func.count()).select_from(SmartInventoryMembership))
                waiting = await session.scalar(select(func.count()).select_from(SmartMembershipChange))
            if counted == members - 1 and not waiting:
                break
        assert (counted, waiting) == (members - 1, 0)
    finally:
        stopping.set()
        await working
        await engine.dispose()


def test_the_command_mends_tells_and_then_finds_nothing(
    fresh_database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(build(fresh_database_url))
    monkeypatch.setenv("CRATON_INV_DATABASE_URL", fresh_database_url)
    get_settings.cache_clear()
    try:
        with pytest.raises(memberships.typer.Exit) as told:
            reconcile_command()
        assert told.value.exit_code == 1
        out = capsys.readouterr().out
        assert "1 missing, 0 too many; mended." in out
        assert "2 missing, 0 too many; mended." in out
        assert "2 smart inventories checked, 2 with differences; 0 that depend" in out
        reconcile_command()
        assert "2 smart inventories checked, 0 with differences" in capsys.readouterr().out
    finally:
        get_settings.cache_clear()
