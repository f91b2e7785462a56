"""Hosts that come back under another name: renamed by their instance id where that is certain, never guessed."""

from collections.abc import AsyncIterator
from typing import Any

from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.counts import Counts
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.saving import SaveOptions
from tests.refresh.world import World


async def refresh(world: World, *hosts: tuple[str, str], source: str = "source") -> dict[str, Counts]:
    """Deliver hosts as (name, instance id)."""
    source_id = await world.source(source)
    persister = InventoryPersister(world.inventory_id)

    async def objects() -> AsyncIterator[InventoryObject]:
        for name, instance_id in hosts:
            yield persister.hosts.build(name=name, instance_id=instance_id, variables={})

    async def tell(_: str, __: Counts) -> None:
        pass

    scope: dict[str, Any] = {"inventory_id": world.inventory_id, "tenant_id": world.tenant_id}
    try:
        async for item in objects():
            persister.add(item)
        async with world.engine.begin() as connection:
            return await persister.save(connection, SaveOptions(source_id, scope, delete=True), tell)
    finally:
        persister.close()


async def test_given_an_instance_under_another_name_when_refreshed_then_it_keeps_its_row(world: World) -> None:
    await refresh(world, ("old", "i-1"))
    row = await world.host("old")

    await refresh(world, ("new", "i-1"))

    assert (await world.host("new")).id == row.id
    assert set(await world.hosts()) == {"new"}


async def test_given_two_instances_that_swap_names_when_refreshed_then_rows_keep_their_names(world: World) -> None:
    await refresh(world, ("a", "i-1"), ("b", "i-2"))
    row = await world.host("a")

    await refresh(world, ("a", "i-2"), ("b", "i-1"))

    after = await world.host("a")
    assert (after.id, after.instance_id) == (row.id, "i-2")


async def test_given_a_name_that_is_taken_when_an_instance_is_renamed_to_it_then_it_is_not_given_twice(
    world: World,
) -> None:
    await refresh(world, ("taken", ""), source="other")
    await refresh(world, ("old", "i-1"))

    await refresh(world, ("taken", "i-1"))

    assert set(await world.hosts()) == {"taken"}


async def test_given_an_id_of_two_hosts_when_delivered_then_it_renames_neither(world: World) -> None:
    await refresh(world, ("old", "i-1"))
    row = await world.host("old")

    await refresh(world, ("x", "i-1"), ("y", "i-1"))

    assert row.id not in {(await world.host(name)).id for name in ("x", "y")}


async def test_given_hosts_without_an_id_when_one_comes_and_one_goes_then_neither_is_taken_for_the_other(
    world: World,
) -> None:
    await refresh(world, ("old", ""))
    row = await world.host("old")

    await refresh(world, ("new", ""))

    assert (await world.host("new")).id != row.id
