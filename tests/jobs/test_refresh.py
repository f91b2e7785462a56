"""Inventory updates from launch to end: life cycle, merging, failing, cancelling, timeouts, workers that die."""

import asyncio
import stat
import time
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text, update

from craton_inv.db.session import unit_of_work
from craton_inv.errors import Forbidden, InvalidField, MethodNotAllowed, NotFound
from craton_inv.jobs import refresh as job
from craton_inv.models import Job
from craton_inv.queue import jobs
from craton_inv.queue.jobs import LeaseLost
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.repositories.scope import SYSTEM, Scope
from craton_inv.services import inventory_updates
from tests.jobs.updates import Updates


def sleeping_inventory(folder: Path) -> Path:
    """An executable inventory that never ends."""
    path = folder / "slow.sh"
    path.write_text(f"#!/bin/sh\necho $$ > {folder}/pid\nexec sleep 300\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


async def test_an_update_goes_from_pending_to_successful(updates: Updates) -> None:
    update_id = await updates.launch()
    before = await updates.update(update_id)
    assert (before.status, before.started, (await updates.source()).status) == ("pending", None, "pending")
    after = await updates.work(update_id)
    assert (after.status, after.job_explanation, after.execution_node) == ("successful", "", "w1")
    assert after.started is not None
    assert after.finished is not None
    assert set(await updates.world.hosts()) == {"web-1", "web-2", "web-3"}
    assert (await updates.job(update_id)).status == "done"


async def test_an_update_is_named_after_inventory_and_source(updates: Updates) -> None:
    row = await updates.update(await updates.launch())
    assert row.name == f"{(await updates.world.inventory()).name} - source"


async def test_the_source_shows_how_its_last_update_ended(updates: Updates) -> None:
    row = await updates.run()
    source = await updates.source()
    assert (source.status, source.last_error, source.current_update_id) == ("successful", "", None)
    assert (source.last_update_id, source.last_updated) == (row.id, row.finished)


async def test_the_result_counts_what_was_done_per_collection(updates: Updates) -> None:
    row = await updates.run()
    assert row.result["complete"] is True
    assert row.result["collections"]["hosts"]["created"] == 3


async def test_events_are_numbered_and_their_lines_follow_one_another(updates: Updates) -> None:
    row = await updates.run()
    events = await updates.events(row.id)
    assert [event.counter for event in events] == list(range(1, len(events) + 1))
    assert events[0].start_line == 0
    assert all(left.end_line == right.start_line for left, right in pairwise(events))
    assert events[-1].stdout == "Inventory import completed."


async def test_a_second_launch_is_merged_into_the_waiting_update(updates: Updates) -> None:
    first = await updates.launch()
    second = await updates.launch(options={"force_delete": True})
    assert first == second
    assert (await updates.update(first)).options == {"force_delete": True}


async def test_launches_at_once_make_one_update(updates: Updates) -> None:
    await updates.world.source("source", source="example")
    assert len(set(await asyncio.gather(*(updates.launch() for _ in range(8))))) == 1


async def test_a_launch_while_one_runs_waits_behind_it(updates: Updates) -> None:
    first = await updates.launch()
    claim = await updates.claim(first)
    async with unit_of_work(updates.world.factory) as session:
        await job.lifecycle.start(session, first, claim)
    second = await updates.launch()
    assert second != first
    waiting = await updates.work(second, "w2")
    assert waiting.status == "waiting"
    assert (await updates.job(second)).status == "queued"
    assert (await updates.source()).current_update_id == first
    await job.refresh(updates.context(claim))
    assert (await updates.work(second, "w2")).status == "successful"


async def test_a_manual_source_cannot_be_updated(updates: Updates) -> None:
    with pytest.raises(MethodNotAllowed, match="manual source"):
        await updates.launch("by hand", source="")


async def test_a_file_source_with_nothing_to_read_cannot_be_updated(updates: Updates) -> None:
    with pytest.raises(MethodNotAllowed, match="neither a source_path nor an uploaded"):
        await updates.launch("empty", source="file")


async def test_unknown_options_are_refused_by_name(updates: Updates) -> None:
    with pytest.raises(InvalidField, match="not known") as caught:
        await updates.launch(options={"faster": True})
    assert list(caught.value.fields) == ["faster"]


async def test_force_delete_needs_the_admin_role(updates: Updates) -> None:
    source_id = await updates.world.source("source", source="example")
    operator = Scope(user_id=None, roles={updates.world.tenant_id: frozenset({"operator"})})
    async with updates.world.factory() as session:
        with pytest.raises(Forbidden):
            await inventory_updates.launch(session, operator, source_id, {"force_delete": True})


async def test_a_source_of_a_foreign_tenant_is_not_found(updates: Updates) -> None:
    source_id = await updates.world.source("source", source="example")
    async with updates.world.factory() as session:
        with pytest.raises(NotFound):
            await inventory_updates.launch(session, Scope(roles={0: frozenset({"admin"})}), source_id)


async def test_a_source_that_does_not_parse_fails_with_ansible_s_message(updates: Updates, tmp_path: Path) -> None:
    path = tmp_path / "hosts.yml"
    path.write_text("all: [this is no inventory\n")
    row = await updates.run("broken", source="file", source_path=str(path))
    assert row.status == "failed"
    assert "ansible-inventory failed" in row.job_explanation
    assert "hosts.yml" in row.job_explanation
    source = await updates.source("broken")
    assert (source.status, source.last_error) == ("failed", row.job_explanation)
    assert row.job_explanation in await updates.output(row.id)
    assert (await updates.job(row.id)).status == "done"
    assert await updates.world.hosts() == {}


async def test_an_upload_is_refreshed_and_the_command_is_kept(updates: Updates) -> None:
    source_id = await updates.world.source("uploaded", source="file")
    async with unit_of_work(updates.world.factory) as session:
        source = await InventorySourceRepository(session, SYSTEM).get(source_id)
        await InventorySourceRepository(session, SYSTEM).save_upload(source, "hosts.ini", b"[a/b]\nweb1 x=1\n")
    row = await updates.run("uploaded", source="file")
    assert (row.status, row.job_explanation) == ("successful", "")
    assert await updates.world.memberships() == {("a_b", "web1")}
    assert "Group 'a/b' is stored as 'a_b'" in await updates.output(row.id)
    assert "--export" in row.job_args
    assert row.job_env["INVENTORY_UPDATE_ID"] == str(row.id)
    assert row.collected_at is not None


async def test_the_guard_ends_the_update_as_failed_and_force_delete_goes_past_it(updates: Updates) -> None:
    await updates.run(source_vars='{"hosts": 60, "prefix": "web"}')
    await updates.change_source(overwrite=True, source_vars='{"hosts": 2, "prefix": "web"}')
    row = await updates.run()
    assert (row.status, len(await updates.world.hosts())) == ("failed", 60)
    assert "58 of 60 hosts" in row.job_explanation
    row = await updates.run(options={"force_delete": True})
    assert (row.status, len(await updates.world.hosts())) == ("successful", 2)


async def test_a_waiting_update_is_cancelled_at_once(updates: Updates) -> None:
    update_id = await updates.launch()
    async with unit_of_work(updates.world.factory) as session:
        await inventory_updates.cancel(session, SYSTEM, update_id)
    row = await updates.update(update_id)
    assert (row.status, (await updates.job(update_id)).status) == ("canceled", "canceled")
    assert row.canceled_on is not None
    assert (await updates.source()).status == "canceled"


async def test_an_update_that_has_ended_cannot_be_cancelled(updates: Updates) -> None:
    row = await updates.run()
    async with updates.world.factory() as session:
        with pytest.raises(MethodNotAllowed, match="has ended"):
            await inventory_updates.cancel(session, SYSTEM, row.id)


async def test_a_running_update_is_cancelled_with_its_processes(updates: Updates, tmp_path: Path) -> None:
    updates.settings = updates.settings.model_copy(update={"allow_executable_inventories": True})
    update_id = await updates.launch("slow", source="file", source_path=str(sleeping_inventory(tmp_path)))
    working = asyncio.create_task(updates.work(update_id))
    await updates.until(lambda row: row.status == "running", update_id)
    await asyncio.sleep(0.3)
    started = time.monotonic()
    async with unit_of_work(updates.world.factory) as session:
        await inventory_updates.cancel(session, SYSTEM, update_id)
    row = await asyncio.wait_for(working, 10)
    assert time.monotonic() - started < 5
    assert (row.status, row.job_explanation) == ("canceled", "Inventory update has been canceled")
    assert (await updates.job(update_id)).status == "canceled"


async def test_an_update_that_takes_too_long_is_canceled_and_rolled_back(updates: Updates, tmp_path: Path) -> None:
    updates.settings = updates.settings.model_copy(update={"allow_executable_inventories": True})
    path = sleeping_inventory(tmp_path)
    row = await updates.run("slow", source="file", source_path=str(path), timeout=2)
    assert (row.status, row.job_explanation) == ("canceled", "Inventory update has timed out")
    assert await updates.world.hosts() == {}


async def test_another_worker_finishes_what_a_dead_one_began(updates: Updates) -> None:
    update_id = await updates.launch()
    dead = await updates.claim(update_id, "dead")
    async with unit_of_work(updates.world.factory) as session:
        await job.lifecycle.start(session, update_id, dead)
        await session.execute(
            update(Job).where(Job.id == dead.job_id).values(lease_until=text("now() - interval '1 s'"))
        )
    row = await updates.work(update_id, "alive")
    assert (row.status, row.execution_node) == ("successful", "alive")
    assert "Resumed by worker alive (attempt 2)." in await updates.output(update_id)


async def test_a_worker_that_lost_its_lease_changes_nothing(updates: Updates) -> None:
    update_id = await updates.launch()
    stale = await updates.claim(update_id, "stale")
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(update(Job).where(Job.id == stale.job_id).values(token=stale.token + 1))
    with pytest.raises(LeaseLost):
        await job.refresh(updates.context(stale))
    assert await updates.world.hosts() == {}
    assert (await updates.update(update_id)).status == "running"


async def test_a_job_whose_attempts_are_used_up_ends_its_update(updates: Updates) -> None:
    update_id = await updates.launch()
    async with unit_of_work(updates.world.factory) as session:
        await job.gave_up(session, {"update_id": update_id}, "Given up after 5 attempts.")
    row = await updates.update(update_id)
    assert (row.status, row.job_explanation) == ("error", "Given up after 5 attempts.")


async def test_an_update_whose_job_is_gone_does_not_block_the_next(updates: Updates) -> None:
    lost = await updates.launch()
    async with unit_of_work(updates.world.factory) as session:
        claim = await jobs.claim(session, (await updates.job(lost)).id, "w1", 30)
        assert claim is not None
        await job.lifecycle.start(session, lost, claim)
        await jobs.finish(session, claim, "failed", "lost")
    row = await updates.run()
    assert row.status == "successful"
    assert (await updates.update(lost)).status == "error"


async def test_an_update_that_was_deleted_leaves_a_job_with_nothing_to_do(updates: Updates) -> None:
    update_id = await updates.launch()
    claim = await updates.claim(update_id)
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(text(f"DELETE FROM inventory_updates WHERE id = {update_id}"))
    await job.refresh(updates.context(claim))
    async with updates.world.factory() as session:
        assert (await session.get_one(Job, claim.job_id)).status == "done"


async def test_an_inventory_marked_for_deletion_takes_no_update(updates: Updates) -> None:
    update_id = await updates.launch()
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(
            text(f"UPDATE inventories SET pending_deletion = true WHERE id = {updates.world.inventory_id}")
        )
    row = await updates.work(update_id)
    assert (row.status, row.job_explanation) == ("failed", "The inventory is being deleted.")
