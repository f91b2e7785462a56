"""What users of ManageIQ's refresh complained of over the years, and what keeps it from happening here.

`LESSONS` says where each is shown; those that belong to no other subject are below.
"""

import ast
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from craton_inv.db.session import unit_of_work
from craton_inv.jobs.registry import TIDYING
from craton_inv.models import InventoryUpdate
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.providers.standard_collections import MENU
from craton_inv.refresh.inventory_collection import InventoryCollection
from craton_inv.refresh.reconnect import Reconnect
from craton_inv.services.schedules import fire_due
from tests.jobs.updates import Updates
from tests.refresh.cloud import Cloud, machine
from tests.refresh.deliveries import (
    CloudPersister,
    deliver,
    disk,
    disks,
    group,
    host,
    member,
    named,
    thing,
)
from tests.refresh.world import World

TESTS = Path(__file__).parents[2]
OPTIONS = "refresh/scenarios/test_options.py"
SCOPE = "refresh/scenarios/test_deletion_scope.py"
FLOW = "refresh/scenarios/test_flow.py"
HERE = "refresh/scenarios/test_lessons.py"
ASKS = "jobs/test_refresh_targets.py"
LESSONS = {
    "memory grows with records that are kept": (HERE, "given_an_object_when_it_is_spooled_then_nothing"),
    "memory grows with the inventory": (HERE, "given_much_to_save_when_it_is_spooled_then_memory"),
    "time grows with every record": ("refresh/test_statements.py", "a_first_refresh_takes_as_many_statements"),
    "the refresh worker outgrows its limit": (HERE, "given_much_to_save_when_it_is_spooled_then_memory"),
    "two workers of one provider at once": (
        "faults/test_refresh_crashes.py",
        "f09_refreshes_of_one_source_run_one_after_the_other",
    ),
    "no unique indexes": (HERE, "given_a_standard_collection_when_declared_then_an_index"),
    "two million queued targets": (ASKS, "given_fifty_thousand_asks_for_one_object"),
    "short-lived objects are never seen": (SCOPE, "given_a_stream_of_changes_when_a_host_comes"),
    "a full refresh where an event would do": ("api/v2/test_refreshes.py", "events_become_targets"),
    "every restart queues a full refresh": (HERE, "given_a_source_when_a_worker_starts"),
    "the interval of full refreshes is lost": (
        "jobs/test_schedules.py",
        "moments_missed_while_nobody_worked_are_made_up_for_once",
    ),
    "success though parts failed": ("jobs/test_partial_refresh.py", "a_partial_update_keeps_what_it_read"),
    "a failure shows in the log alone": (FLOW, "given_a_run_that_failed_when_the_next_one_succeeds"),
    "the last refresh is when it was saved": (HERE, "given_a_moment_of_collection_when_saved"),
    "callers cannot wait for a merged refresh": (FLOW, "given_several_asks_merged_into_one_run"),
    "duplicates of the parser become rows": (
        "refresh/scenarios/test_peer_defects.py",
        "10_given_a_repeated_identity_when_saved",
    ),
    "a mass deletion in one piece": ("jobs/test_delete_inventory.py", "what_hosts_are_linked_to_and_runs_go_in_chunks"),
    "reconnecting guesses": ("refresh/scenarios/test_renames.py", "given_an_id_of_two_hosts_when_delivered"),
    "reconnecting has no order": (HERE, "given_two_ways_to_reconnect_when_both_fit"),
    "reconnecting across managers": (HERE, "given_two_sources_with_one_instance_id"),
    "a targeted machine cleared folders": (SCOPE, "given_a_group_of_two_when_one_host_is_asked_for"),
    "a targeted owner took what had moved": (HERE, "given_a_machine_that_moved_when_its_old_hypervisor"),
    "a part that moved is made anew": (SCOPE, "given_a_disk_that_moved_when_its_new_host_is_asked_for"),
    "wrong parents delete siblings": (
        "refresh/scenarios/test_parents.py",
        "given_a_named_parent_without_a_foreign_key",
    ),
    "eager finds depend on the order": (HERE, "given_a_collection_when_a_parser_uses_it_then_there_is_no_eager_find"),
    "an event names what is not saved yet": (ASKS, "given_a_machine_that_is_not_in_the_database"),
    "parts of several managers race": (HERE, "given_a_membership_when_either_of_its_parents"),
    "a removed provider leaves its data": ("api/v2/test_source_objects.py", "objects_go_with_their_source"),
    "do not disconnect is not respected": (HERE, "given_a_collection_that_must_keep_its_rows"),
}


@pytest.mark.parametrize("lesson", LESSONS)
def test_given_a_lesson_when_it_is_looked_for_then_a_scenario_shows_it(lesson: str) -> None:
    path, begins = LESSONS[lesson]

    tree = ast.parse((TESTS / path).read_text())

    tests = [each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert [name for name in tests if name.startswith(f"test_{begins}")], f"{path} has no test_{begins}…"


def test_given_an_object_when_it_is_spooled_then_nothing_keeps_it() -> None:
    persister = InventoryPersister(1)
    item = persister.hosts.build(name="h", variables={"a": 1})
    before = sys.getrefcount(item), sys.getrefcount(item.values)

    persister.add(item)

    assert (sys.getrefcount(item), sys.getrefcount(item.values)) == before
    persister.close()


def test_given_much_to_save_when_it_is_spooled_then_memory_does_not_grow_with_it() -> None:
    persister = InventoryPersister(1)
    kilobyte = "x" * 1024
    tracemalloc.start()

    for number in range(20_000):
        persister.add(persister.hosts.build(name=f"h{number}", variables={"text": kilobyte}))
    held, _ = tracemalloc.get_traced_memory()

    tracemalloc.stop()
    persister.close()
    assert held < 6 * 1024 * 1024, "20 MB were spooled"


@pytest.mark.parametrize("name", [name for name, each in MENU.items() if each.custom_save_block is None])
async def test_given_a_standard_collection_when_declared_then_an_index_of_the_database_keeps_its_objects_apart(
    world: World, name: str
) -> None:
    collection = MENU[name]
    query = text(
        "SELECT array_agg(a.attname::text) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid "
        "AND a.attnum = ANY(i.indkey) WHERE i.indrelid = to_regclass(:table) AND i.indisunique AND i.indpred IS NULL "
        "GROUP BY i.indexrelid"
    )

    async with world.engine.connect() as connection:
        indexes = await connection.scalars(query, {"table": collection.table.name})

    assert set(collection.conflict_columns) in [set(columns) for columns in indexes]


async def test_given_a_source_when_a_worker_starts_then_no_update_of_it_is_queued(updates: Updates) -> None:
    await updates.run()
    known = await _runs(updates)

    for put_in_order in TIDYING:
        async with unit_of_work(updates.world.factory) as session:
            await put_in_order(session)
    await fire_due(updates.world.factory)

    assert await _runs(updates) == known


async def _runs(updates: Updates) -> int:
    async with updates.world.factory() as session:
        own = InventoryUpdate.inventory_id == updates.world.inventory_id
        return await session.scalar(select(func.count()).where(own)) or 0


async def test_given_a_moment_of_collection_when_saved_then_rows_and_run_keep_that_and_not_when_they_were_written(
    updates: Updates,
) -> None:
    row = await updates.run()

    async with updates.world.engine.connect() as connection:
        own = f"JOIN hosts h ON h.id = l.host_id WHERE h.inventory_id = {updates.world.inventory_id}"
        query = text(f"SELECT DISTINCT l.collected_at, h.modified > l.collected_at FROM host_sources l {own}")
        found = [tuple(each) for each in await connection.execute(query)]
    assert found == [(row.collected_at, True)]


async def test_given_two_ways_to_reconnect_when_both_fit_then_the_first_one_counts(cloud: Cloud) -> None:
    async def by_uuid_then_note(reconnect: Reconnect) -> None:
        for column in ("uuid", "note"):
            await reconnect.run(
                f"UPDATE <table> t SET ref = s.ref FROM <unmatched> s WHERE <scope> AND t.{column} = s.{column}"
            )

    cloud.changes = {"custom_reconnect_block": by_uuid_then_note}
    await cloud.refresh(machine("old1", uuid="u", note="x"), machine("old2", uuid="v", note="n"))
    ids = await cloud.by_ref("id")

    await cloud.refresh(machine("new1", uuid="u", note="n"), machine("new2", uuid="w", note="n"))

    assert await cloud.by_ref("id") == {"new1": ids["old1"], "new2": ids["old2"]}


async def test_given_two_sources_with_one_instance_id_when_one_renames_its_host_then_the_other_s_stays(
    world: World,
) -> None:
    await deliver(world, host("theirs", "i-1"), source="other")
    await deliver(world, host("old", "i-1"))
    theirs, ours = await world.host("theirs"), await world.host("old")

    await deliver(world, host("new", "i-1"))

    assert ((await world.host("theirs")).id, (await world.host("new")).id) == (theirs.id, ours.id)


async def test_given_a_machine_that_moved_when_its_old_hypervisor_is_asked_for_then_it_stays(world: World) -> None:
    both = (thing("hypervisors", "hv1"), thing("hypervisors", "hv2"))
    await deliver(world, *both, host("a", hypervisor="hv1"), host("b", hypervisor="hv1"), disk("d", "a"))

    await deliver(world, both[0], targets=[named("hypervisors", ref="hv1")])
    await deliver(world, both[1], host("a", hypervisor="hv2"), disk("d", "a"), targets=[named("hosts", name="a")])

    assert set(await world.hosts()) == {"a", "b"}
    assert await disks(world) == {"d": ("a", 1)}


def test_given_a_collection_when_a_parser_uses_it_then_there_is_no_eager_find() -> None:
    offered = {name for name in dir(InventoryCollection) if "find" in name}

    assert offered == {"lazy_find"}


@pytest.mark.parametrize(
    ("target", "left"),
    [
        (named("hosts", name="a"), {("g", "b"), ("other", "b")}),
        (named("groups", name="g"), {("other", "a"), ("other", "b")}),
    ],
)
async def test_given_a_membership_when_either_of_its_parents_is_asked_for_then_it_is_compared_with_that_one(
    world: World, target: tuple[str, dict[str, str]], left: set[tuple[str, str]]
) -> None:
    groups = (group("g"), group("other"))
    whole = [member(name, each) for name in ("g", "other") for each in ("a", "b")]
    await deliver(world, host("a"), host("b"), *groups, *whole)

    await deliver(world, host("a") if target[0] == "hosts" else group("g"), targets=[target])

    assert await world.memberships() == left


@pytest.mark.parametrize(
    "keeps",
    [
        {"changes": {"complete": False}},
        {"changes": {"update_only": True}},
        {"changes": {"create_only": True}},
        {"incomplete": {"disks": "page 2 of 2: 403 Forbidden"}},
        {"incomplete": {"hosts": "page 2 of 2: 403 Forbidden"}},
    ],
    ids=["complete", "update_only", "create_only", "read partly", "owner read partly"],
)
@pytest.mark.parametrize("way", ["full", "targeted", "listed", "of a delivered owner"])
async def test_given_a_collection_that_must_keep_its_rows_when_refreshed_in_any_way_then_none_goes(
    world: World, way: str, keeps: dict[str, Any]
) -> None:
    await deliver(world, host("a"), disk("a1", "a"), disk("a2", "a"))
    persister = CloudPersister(world.inventory_id)
    persister.add_collection("disks", **keeps.get("changes", {}))
    targets = {"full": None, "targeted": [named("disks", ref="a2")]}.get(way, [])
    if way == "listed":
        persister.list_all("disks", [])

    await deliver(
        world,
        host("a"),
        disk("a1", "a"),
        targets=targets,
        incomplete=keeps.get("incomplete"),
        persister=persister,
        force_delete=True,
    )

    assert set(await disks(world)) == {"a1", "a2"}
