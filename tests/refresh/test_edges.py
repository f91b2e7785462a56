"""Edges of a refresh: the guard when everything is new, filters that leave nothing, names, sources that are gone."""

import pytest

from craton_inv.db.session import unit_of_work
from craton_inv.errors import UpdateFailed
from craton_inv.models import InventorySource
from craton_inv.repositories.inventory_sources import InventorySourceRepository
from craton_inv.repositories.scope import SYSTEM
from craton_inv.services.inventory_sources import delete_source
from tests.refresh.world import World, document

BEFORE = [f"old{n}" for n in range(50)]
AFTER = [f"new{n}" for n in range(50)]


async def test_the_guard_does_not_take_what_is_new_for_what_was_there(world: World) -> None:
    await world.refresh(document(BEFORE))
    with pytest.raises(UpdateFailed, match="would delete 50 of 50 hosts; at most 25"):
        await world.refresh(document(AFTER))
    assert set(await world.hosts()) == set(BEFORE)


async def test_the_guard_counts_links_that_were_there_before(world: World) -> None:
    hosts = BEFORE[:40]
    await world.refresh(document(hosts, {"a": hosts, "b": []}))
    with pytest.raises(UpdateFailed, match="would delete 40 of 40 memberships; at most 20"):
        await world.refresh(document(hosts, {"a": [], "b": hosts}))


async def test_hosts_that_the_filter_leaves_out_are_no_answer(world: World) -> None:
    await world.refresh(document(["web1", "web2"]))
    with pytest.raises(UpdateFailed, match="delivered nothing"):
        await world.refresh(document(["web1", "web2"]), host_filter="db")
    assert set(await world.hosts()) == {"web1", "web2"}


async def test_hosts_that_the_filter_leaves_out_are_not_counted_as_delivered(world: World) -> None:
    counts = await world.refresh(document(["web1", "web2", "db1"], {"g": ["web1", "db1"]}), host_filter="web")
    assert (counts["hosts"].delivered, counts["hosts"].created) == (2, 2)


async def test_an_empty_description_in_the_variables_is_none(world: World) -> None:
    await world.refresh(document({"h": {"_awx_description": None}}))
    assert (await world.host("h")).description == "imported"


async def test_a_host_that_is_a_port_alone_keeps_its_name(world: World) -> None:
    await world.refresh(document([" :22"]))
    assert list(await world.hosts()) == [" :22"]


async def test_a_link_goes_with_its_last_source_though_another_was_deleted(world: World) -> None:
    delivery = document(["h"], {"g": ["h"], "p": {"children": ["g"]}})
    await world.refresh(delivery, source="first")
    await world.refresh(delivery, source="second")
    async with unit_of_work(world.factory) as session:
        source = await InventorySourceRepository(session, SYSTEM).get(world.sources["first"], lock=True)
        assert isinstance(source, InventorySource)
        await delete_source(session, SYSTEM, source)
    await world.refresh(document(["h"], {"g": [], "p": []}), source="second")
    assert (await world.memberships(), await world.edges()) == (set(), set())
