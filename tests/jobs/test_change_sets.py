"""What each run changed: created, updated and deleted rows, and nothing that did not change."""

import asyncio
import json
from typing import Any

import pytest
from sqlalchemy import text

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.refresh import refresh
from craton_inv.queue import jobs
from craton_inv.queue.jobs import LeaseLost
from craton_inv.repositories.change_sets import forget_changes, note_changes
from tests.jobs.change_lists import changes_of, counted
from tests.jobs.updates import Updates


def delivering(**said: Any) -> dict[str, Any]:
    """A source of kind `example` that delivers this."""
    return {"source_vars": json.dumps({"prefix": "web", **said})}


async def test_a_first_run_tells_what_it_made_by_identity_alone(updates: Updates) -> None:
    run = await updates.run()
    rows = await changes_of(updates, run.id)
    hosts = [row for row in rows if row.collection == "hosts"]
    assert [row.ref for row in hosts] == ["web-1", "web-2", "web-3"]
    assert {(row.action, row.changes is None) for row in rows} == {("created", True)}


async def test_a_run_tells_as_many_changes_as_it_counts(updates: Updates) -> None:
    run = await updates.run()
    told = counted(await changes_of(updates, run.id))
    created = {
        (name, "created"): counts["created"] for name, counts in run.result["collections"].items() if counts["created"]
    }
    assert told == created
    assert (told["hosts", "created"], told["memberships", "created"]) == (3, 3)


async def test_an_unchanged_run_tells_nothing(updates: Updates) -> None:
    await updates.run()
    again = await updates.run()
    assert await changes_of(updates, again.id) == []


async def test_an_updated_row_tells_the_columns_that_changed_with_old_and_new(updates: Updates) -> None:
    await updates.run()
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(text("UPDATE hosts SET enabled = false, instance_id = 'x' WHERE name = 'web-1'"))
    rows = await changes_of(updates, (await updates.run()).id)
    assert [(row.collection, row.action, row.ref) for row in rows] == [("hosts", "updated", "web-1")]
    assert rows[0].changes == {"enabled": [False, True], "instance_id": ["x", "i-00000001"]}


async def test_a_deleted_row_is_told_as_it_was(updates: Updates) -> None:
    await updates.run(overwrite=True)
    await updates.change_source(**delivering(hosts=2))
    rows = await changes_of(updates, (await updates.run()).id)
    assert {action for _, action in counted(rows)} == {"deleted"}
    assert (counted(rows)["hosts", "deleted"], counted(rows)["memberships", "deleted"]) == (1, 1)
    host = next(row for row in rows if row.collection == "hosts")
    assert host.changes is not None
    assert (host.ref, host.changes["variables"]) == ("web-3", {"ansible_host": "10.0.0.3"})
    link = next(row for row in rows if row.collection == "memberships")
    assert (link.ref, link.row_id) == ("web > web-3", host.row_id)


async def test_what_goes_along_with_a_deleted_row_is_told_too(updates: Updates) -> None:
    await updates.run(overwrite=True)
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(
            text(
                "INSERT INTO groups (tenant_id, inventory_id, name) SELECT tenant_id, inventory_id, 'mine' FROM hosts"
                " WHERE name = 'web-3' AND inventory_id = :inventory"
            ),
            {"inventory": updates.world.inventory_id},
        )
        await session.execute(
            text(
                "INSERT INTO memberships (group_id, host_id, inventory_id) SELECT g.id, h.id, h.inventory_id"
                " FROM hosts h JOIN groups g USING (inventory_id)"
                " WHERE h.name = 'web-3' AND g.name = 'mine' AND inventory_id = :inventory"
            ),
            {"inventory": updates.world.inventory_id},
        )
    await updates.change_source(**delivering(hosts=2))
    rows = await changes_of(updates, (await updates.run()).id)
    gone = {row.ref for row in rows if row.collection == "memberships"}
    assert gone == {"web > web-3", f"mine > #{next(row.row_id for row in rows if row.collection == 'hosts')}"}


async def test_what_people_change_belongs_to_no_run(updates: Updates) -> None:
    run = await updates.run()
    before = await changes_of(updates, run.id)
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(text("UPDATE hosts SET enabled = false WHERE name = 'web-1'"))
    assert len(await changes_of(updates, run.id)) == len(before)


async def test_variables_of_the_inventory_are_told_and_its_moved_generation_is_not(updates: Updates) -> None:
    run = await updates.run()
    async with unit_of_work(updates.world.factory) as session:
        await note_changes(session, run.id)
        await session.execute(
            text('UPDATE inventories SET variables = \'{"region": "eu"}\' WHERE id = :id'),
            {"id": updates.world.inventory_id},
        )
    rows = [row for row in await changes_of(updates, run.id) if row.collection == "inventories"]
    assert [(row.action, row.changes) for row in rows] == [("updated", {"variables": [{}, {"region": "eu"}]})]


async def test_a_run_whose_worker_lost_its_lease_leaves_no_change(updates: Updates) -> None:
    update_id = await updates.launch()
    stale = await updates.claim(update_id)
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(text("UPDATE jobs SET lease_until = now() - interval '1 second'"))
    current = await updates.claim(update_id, "w2")
    with pytest.raises(LeaseLost):
        await refresh(updates.context(stale))
    assert await changes_of(updates, update_id) == []
    await refresh(updates.context(current))
    assert counted(await changes_of(updates, update_id))["hosts", "created"] == 3


async def test_f06_a_second_run_after_a_lost_acknowledgement_changes_nothing(
    updates: Updates, monkeypatch: pytest.MonkeyPatch
) -> None:
    update_id = await updates.launch()
    claim = await updates.claim(update_id)
    await refresh(updates.context(claim))
    noted = counted(await changes_of(updates, update_id))
    # The worker died before it could tell the queue: the bell rings once more for the same job.
    async with unit_of_work(updates.world.factory) as session:
        assert claim.job_id is not None
        assert await jobs.claim(session, claim.job_id, "w2", 30) is None
    assert counted(await changes_of(updates, update_id)) == noted
    again = await updates.run()
    assert await changes_of(updates, again.id) == []


async def test_two_runs_of_two_sources_at_once_each_tell_their_own(updates: Updates) -> None:
    one = await updates.launch("one", source_vars=json.dumps({"prefix": "app", "hosts": 40}))
    other = await updates.launch("other", source_vars=json.dumps({"prefix": "web", "hosts": 30}))
    await asyncio.gather(updates.work(one, "w1"), updates.work(other, "w2"))
    assert counted(await changes_of(updates, one))["hosts", "created"] == 40
    assert counted(await changes_of(updates, other))["hosts", "created"] == 30


async def test_many_changes_are_packed_and_numbered_in_order(updates: Updates) -> None:
    run = await updates.run(**delivering(hosts=2500))
    async with updates.world.factory() as session:
        parts = await session.scalars(
            text("SELECT size FROM inventory_change_parts WHERE update_id = :id AND collection = 'hosts' ORDER BY id"),
            {"id": run.id},
        )
        assert sorted(parts) == [500, 1000, 1000]
    rows = await changes_of(updates, run.id)
    assert len({row.id for row in rows}) == len(rows)
    assert len({row.ref for row in rows if row.collection == "hosts"}) == 2500


async def test_old_change_sets_go_in_chunks(updates: Updates) -> None:
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(text("DELETE FROM inventory_change_parts"))
    run = await updates.run()
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(text("UPDATE inventory_change_parts SET created = now() - interval '31 days'"))
    await updates.change_source(**delivering(hosts=4))
    fresh = await updates.run()
    kept, chunks = await changes_of(updates, fresh.id), [2]
    while chunks[-1]:
        async with unit_of_work(updates.world.factory) as session:
            chunks.append(await forget_changes(session, 30, 2))
    assert max(chunks) == 2
    assert await changes_of(updates, run.id) == []
    assert len(await changes_of(updates, fresh.id)) == len(kept) > 0
