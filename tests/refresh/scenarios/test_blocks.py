"""What a declaration may do by itself: save its rows, and find old rows for objects that were registered anew."""

from craton_inv.refresh.counts import Counts
from craton_inv.refresh.reconnect import Reconnect
from craton_inv.refresh.saving import Saving
from tests.refresh.cloud import MACHINES, Cloud, disk, machine, total
from tests.refresh.deliveries import CloudPersister, deliver, host
from tests.refresh.world import World


async def test_given_a_custom_save_block_when_saved_then_it_replaces_the_saver_in_its_place_of_the_graph(
    cloud: Cloud,
) -> None:
    async def save_sizes(saving: Saving, counts: Counts) -> None:
        result = await saving.run(
            "INSERT INTO <table> (<scope>, ref, size) SELECT <values>, s.ref, 2 * s.size FROM <stage> s",
            scope=saving.scope_columns(),
            values=saving.scope_binds(),
        )
        counts.created += result.rowcount

    cloud.changes = {"custom_save_block": save_sizes}

    counts = await cloud.refresh(machine("m", size=21), disk("m", "0"))

    assert await cloud.by_ref("size") == {"m": 42}
    assert (counts["machines"].created, counts["disks"].created) == (1, 1)


async def reconnect_by_uuid(reconnect: Reconnect) -> None:
    """Machines that were registered anew keep their row, known by the uuid."""
    await reconnect.run("UPDATE <table> t SET ref = s.ref FROM <unmatched> s WHERE <scope> AND t.uuid = s.uuid")


async def test_given_a_reconnect_block_when_an_object_was_registered_anew_then_its_row_is_kept(cloud: Cloud) -> None:
    cloud.changes = {"custom_reconnect_block": reconnect_by_uuid}
    await cloud.refresh(machine("old", uuid="u", note="kept"), machine("other", uuid="v"), disk("old", "0"))
    ids = await cloud.by_ref("id")
    delivered = (machine("new", uuid="u", size=1), machine("other", uuid="v"), disk("new", "0"))

    counts = await cloud.refresh(*delivered)

    assert await cloud.by_ref("id") == {"new": ids["old"], "other": ids["other"]}
    assert await cloud.rows(MACHINES, "ref", "size", "note") == [("new", 1, "kept"), ("other", None, None)]
    assert (counts["machines"].created, counts["machines"].deleted, counts["disks"].deleted) == (0, 0, 0)
    assert total(await cloud.refresh(*delivered)) == 0


async def test_given_a_reconnect_block_when_refreshed_then_it_sees_only_what_no_row_matches(cloud: Cloud) -> None:
    seen: list[list[str]] = []

    async def look(reconnect: Reconnect) -> None:
        rows = await reconnect.run("SELECT s.ref FROM <unmatched> s ORDER BY s.ref")
        seen.append([ref for (ref,) in rows])

    cloud.changes = {"custom_reconnect_block": look}
    await cloud.refresh(machine("a"), machine("b"))

    await cloud.refresh(machine("b", size=2), machine("c"))

    assert seen == [["a", "b"], ["c"]]


async def test_given_a_reconnect_block_of_shared_hosts_when_one_was_registered_anew_then_its_row_is_kept(
    world: World,
) -> None:
    async def by_serial(reconnect: Reconnect) -> None:
        await reconnect.run(
            "UPDATE <table> t SET name = s.name FROM <unmatched> s "
            "WHERE <scope> AND t.variables ->> 'serial' = s.variables ->> 'serial'"
        )

    await deliver(world, host("old", variables={"serial": "1"}), host("other", variables={"serial": "2"}))
    row = await world.host("old")
    persister = CloudPersister(world.inventory_id)
    persister.add_collection("hosts", custom_reconnect_block=by_serial)

    delivered = (host("new", variables={"serial": "1", "v": 1}), host("other", variables={"serial": "2"}))
    counts = await deliver(world, *delivered, persister=persister)

    assert (await world.host("new")).id == row.id
    assert (counts["hosts"].created, counts["hosts"].deleted) == (0, 0)
    assert await world.hosts() == {"new": {"serial": "1", "v": 1}, "other": {"serial": "2"}}
