"""Dry runs show what an update would change and write nothing; applying one saves exactly what it was given."""

import json
from typing import Any

import pytest
from sqlalchemy import select, text

from craton_inv.db.session import unit_of_work
from craton_inv.errors import BadRequest, Conflict, Forbidden
from craton_inv.models import Inventory, InventoryUpdate, UpdateDelivery, UpdateDeliveryChunk
from craton_inv.refresh.refresher import Refresher
from craton_inv.repositories.deliveries import forget_expired
from craton_inv.repositories.scope import SYSTEM, Scope
from craton_inv.services import dry_runs, inventory_updates
from tests.jobs.change_lists import changes_of, counted
from tests.jobs.updates import Updates

DRY = {"dry_run": True}


async def dry_run(updates: Updates, name: str = "source", **values: Any) -> InventoryUpdate:
    """Make a dry run and see it end."""
    options = {**DRY, **values.pop("options", {})}
    return await updates.work(await updates.launch(name, options, **values))


async def applied(updates: Updates, update_id: int) -> InventoryUpdate:
    """Apply a dry run and see that end."""
    return await updates.work(await ask(updates, update_id))


async def ask(updates: Updates, update_id: int, scope: Scope = SYSTEM) -> int:
    async with unit_of_work(updates.world.factory) as session:
        return (await dry_runs.apply(session, scope, update_id)).id


async def state(updates: Updates) -> tuple[int, Any, Any]:
    """All that a run could write: the inventory's generation, its hosts and links."""
    async with updates.world.factory() as session:
        generation = (await session.get_one(Inventory, updates.world.inventory_id)).generation
    return generation, await updates.world.hosts(), await updates.world.memberships()


def machines(number: int) -> dict[str, Any]:
    return {"source_vars": json.dumps({"hosts": number, "prefix": "web"})}


async def test_a_dry_run_writes_nothing_and_its_source_does_not_claim_an_import(updates: Updates) -> None:
    await updates.run(overwrite=True)
    await updates.change_source(**machines(5))
    before, source = await state(updates), await updates.source()
    run = await dry_run(updates)
    assert (run.status, run.options, run.result["dry_run"]) == ("successful", DRY, True)
    assert await state(updates) == before
    after = await updates.source()
    assert (after.status, after.last_updated, after.last_update_id, after.current_update_id) == (
        source.status,
        source.last_updated,
        source.last_update_id,
        None,
    )


async def test_a_dry_run_shows_the_rows_it_would_make(updates: Updates) -> None:
    rows = await changes_of(updates, (await dry_run(updates)).id)
    host = next(row for row in rows if row.collection == "hosts")
    assert host.changes is not None
    assert (host.ref, host.changes["variables"]) == ("web-1", {"ansible_host": "10.0.0.1"})
    assert {row.ref for row in rows if row.collection == "memberships"} == {f"web > web-{n}" for n in (1, 2, 3)}


async def test_applying_makes_exactly_what_the_dry_run_showed(updates: Updates) -> None:
    await updates.run(overwrite=True)
    await updates.change_source(**machines(2))
    shown = await dry_run(updates)
    run = await applied(updates, shown.id)
    assert (run.status, run.purpose, run.dry_run_id) == ("successful", "apply", shown.id)
    assert sorted(await updates.world.hosts()) == ["web-1", "web-2"]
    assert counted(await changes_of(updates, run.id)) == counted(await changes_of(updates, shown.id))
    assert run.collected_at == shown.collected_at
    assert (await updates.source()).last_update_id == run.id


async def test_what_is_applied_is_not_gathered_again(updates: Updates, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = await dry_run(updates)

    async def refuse(refresher: Any) -> None:
        raise AssertionError("gathered again")

    monkeypatch.setattr("craton_inv.refresh.refresher.Refresher.gather", refuse)
    assert (await applied(updates, shown.id)).status == "successful"
    assert sorted(await updates.world.hosts()) == ["web-1", "web-2", "web-3"]


async def test_an_applied_delivery_leaves_nothing_for_the_next_run_to_write(updates: Updates) -> None:
    await applied(updates, (await dry_run(updates)).id)
    generation = await state(updates)
    again = await updates.run()
    assert await changes_of(updates, again.id) == []
    assert await state(updates) == generation


async def test_runs_that_write_move_the_generation_and_those_that_do_not_leave_it(updates: Updates) -> None:
    generations = [(await state(updates))[0]]
    shown = await dry_run(updates)
    generations.append((await state(updates))[0])
    await applied(updates, shown.id)
    generations.append((await state(updates))[0])
    await updates.run()
    generations.append((await state(updates))[0])
    await updates.change_source(**machines(4))
    await updates.run()
    generations.append((await state(updates))[0])
    start, dry, apply, unchanged, changed = generations
    assert start == dry < apply == unchanged < changed


async def test_a_write_that_comes_between_the_look_and_the_save_is_noticed(
    updates: Updates, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = await ask(updates, (await dry_run(updates)).id)
    save, moved = Refresher.save, []

    async def late(refresher: Refresher, *given: Any) -> Any:
        if not moved:
            moved.append(True)
            async with unit_of_work(updates.world.factory) as session:
                await session.execute(
                    text("UPDATE inventories SET description = 'late' WHERE id = :id"),
                    {"id": updates.world.inventory_id},
                )
        return await save(refresher, *given)

    monkeypatch.setattr(Refresher, "save", late)
    run = await updates.work(waiting)
    assert (moved, run.status, run.job_explanation) == ([True], "failed", dry_runs.MOVED)
    assert await updates.world.hosts() == {}


async def test_nothing_is_applied_on_an_inventory_that_moved(updates: Updates) -> None:
    shown = await dry_run(updates)
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(
            text("UPDATE inventories SET description = 'moved' WHERE id = :id"), {"id": updates.world.inventory_id}
        )
    with pytest.raises(Conflict, match="changed since the dry run"):
        await ask(updates, shown.id)


async def test_an_inventory_that_moves_while_the_application_waits_fails_it(updates: Updates) -> None:
    waiting = await ask(updates, (await dry_run(updates)).id)
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(
            text("UPDATE inventories SET description = 'moved' WHERE id = :id"), {"id": updates.world.inventory_id}
        )
    run = await updates.work(waiting)
    assert (run.status, run.job_explanation) == ("failed", dry_runs.MOVED)
    assert await updates.world.hosts() == {}


async def test_a_delivery_is_applied_once(updates: Updates) -> None:
    shown = await dry_run(updates)
    run_id = await ask(updates, shown.id)
    with pytest.raises(Conflict, match=f"Update {run_id} applies this dry run"):
        await ask(updates, shown.id)
    await updates.work(run_id)
    with pytest.raises(Conflict, match=f"Update {run_id} has applied this dry run"):
        await ask(updates, shown.id)


async def why_not(updates: Updates, update_id: int, scope: Scope = SYSTEM) -> str:
    async with updates.world.factory() as session:
        return await dry_runs.why_not_applicable(session, scope, update_id)


async def test_whether_a_dry_run_can_be_applied_is_told_before(updates: Updates) -> None:
    waiting = await updates.launch("source", DRY)
    assert await why_not(updates, waiting) == "The dry run has not ended yet."
    dry = await updates.work(waiting)
    assert await why_not(updates, dry.id) == ""
    asked = await ask(updates, dry.id)
    assert await why_not(updates, dry.id) == f"Update {asked} applies this dry run."
    await updates.work(asked)
    assert await why_not(updates, dry.id) == f"Update {asked} has applied this dry run."
    assert await why_not(updates, asked) == "Only a dry run can be applied; this update was none."


async def test_an_application_that_was_cancelled_may_be_asked_for_again(updates: Updates) -> None:
    shown = await dry_run(updates)
    first = await ask(updates, shown.id)
    async with unit_of_work(updates.world.factory) as session:
        await inventory_updates.cancel(session, SYSTEM, first)
    assert (await applied(updates, shown.id)).status == "successful"


async def test_deliveries_expire(updates: Updates) -> None:
    shown = await dry_run(updates)
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(text("UPDATE update_deliveries SET expires = now() - interval '1 second'"))
    with pytest.raises(Conflict, match="expired"):
        await ask(updates, shown.id)
    async with unit_of_work(updates.world.factory) as session:
        assert await forget_expired(session, 1000) >= 1
    async with updates.world.factory() as session:
        assert await session.get(UpdateDelivery, shown.id) is None
    with pytest.raises(Conflict, match="expired"):
        await ask(updates, shown.id)


async def test_only_a_dry_run_that_succeeded_can_be_applied(updates: Updates) -> None:
    run = await updates.run()
    with pytest.raises(BadRequest, match="this update was none"):
        await ask(updates, run.id)
    waiting = await updates.launch(options=DRY)
    with pytest.raises(Conflict, match="has not ended yet"):
        await ask(updates, waiting)


async def test_a_source_that_was_changed_since_is_not_applied(updates: Updates) -> None:
    shown = await dry_run(updates)
    await updates.change_source(overwrite=True)
    with pytest.raises(Conflict, match="The source was changed"):
        await ask(updates, shown.id)


async def test_what_the_guard_would_stop_is_told_and_not_applied(updates: Updates) -> None:
    await updates.run(overwrite=True, **machines(50))
    await updates.change_source(**machines(3))
    shown = await dry_run(updates)
    assert shown.status == "successful"
    assert any("would delete 47 of 50 hosts" in verdict for verdict in shown.result["guard"])
    assert counted(await changes_of(updates, shown.id))["hosts", "deleted"] == 47
    with pytest.raises(Conflict, match="would delete 47 of 50 hosts"):
        await ask(updates, shown.id)
    forced = await dry_run(updates, options={"force_delete": True})
    assert forced.result["guard"] == []
    assert (await applied(updates, forced.id)).status == "successful"
    assert len(await updates.world.hosts()) == 3


async def test_applying_a_forced_dry_run_needs_the_admin_role(updates: Updates) -> None:
    shown = await dry_run(updates, options={"force_delete": True})
    tenant = updates.world.tenant_id
    with pytest.raises(Forbidden):
        await ask(updates, shown.id, Scope(roles={tenant: frozenset({"operator", "reader"})}))
    assert await ask(updates, shown.id, Scope(roles={tenant: frozenset({"admin"})}))


async def test_a_dry_run_and_an_update_wait_beside_each_other(updates: Updates) -> None:
    real = await updates.launch()
    dry = await updates.launch(options=DRY)
    assert dry != real
    assert await updates.launch() == real
    assert await updates.launch(options=DRY) == dry
    with pytest.raises(Conflict, match=f"Dry run {dry} of this source waits with other options"):
        await updates.launch(options={**DRY, "force_delete": True})


async def test_only_one_dry_run_of_a_source_waits_to_be_applied(updates: Updates) -> None:
    first, second = await dry_run(updates), await dry_run(updates)
    waiting = await ask(updates, first.id)
    with pytest.raises(Conflict, match=f"Update {waiting} of this source waits to apply another dry run"):
        await ask(updates, second.id)


async def test_a_waiting_update_is_shown_on_its_source_while_a_dry_run_works(updates: Updates) -> None:
    real = await updates.launch()
    await dry_run(updates)
    source = await updates.source()
    assert (source.status, source.current_update_id) == ("pending", real)


async def test_an_applied_delivery_keeps_no_rows(updates: Updates) -> None:
    shown = await dry_run(updates)
    query = select(UpdateDeliveryChunk.number).where(UpdateDeliveryChunk.update_id == shown.id)
    async with updates.world.factory() as session:
        assert (await session.scalars(query)).all()
    await applied(updates, shown.id)
    async with updates.world.factory() as session:
        assert (await session.scalars(query)).all() == []


async def test_many_rows_are_kept_in_pieces_and_come_back_whole(
    updates: Updates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("craton_inv.refresh.delivery.PIECE", 10_000)
    shown = await dry_run(updates, **machines(700))
    async with updates.world.factory() as session:
        query = select(UpdateDeliveryChunk.number).where(UpdateDeliveryChunk.update_id == shown.id)
        assert max((await session.scalars(query)).all()) > 2
    await applied(updates, shown.id)
    assert len(await updates.world.hosts()) == 700


async def test_a_delivery_of_another_release_is_refused(updates: Updates) -> None:
    shown = await dry_run(updates)
    async with unit_of_work(updates.world.factory) as session:
        await session.execute(
            text(
                "UPDATE update_deliveries SET details = jsonb_set(details, '{collections,hosts,layout}', '\"old\"')"
                " WHERE update_id = :id"
            ),
            {"id": shown.id},
        )
    run = await applied(updates, shown.id)
    assert (run.status, run.job_explanation) == ("failed", "The dry run was made by another release; make another one.")
    assert await updates.world.hosts() == {}
