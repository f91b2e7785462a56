"""Hosts that several sources share link to what one source alone delivers: flavors and hypervisors."""

from typing import Any

from sqlalchemy import func, select

from craton_inv.models import Flavor, Host
from tests.refresh.deliveries import Make, deliver, host
from tests.refresh.world import World, written


def flavor(ref: str) -> Make:
    """A flavor."""
    return lambda persister: persister["flavors"].build(ref=ref)


async def flavors_of(world: World) -> dict[str, str | None]:
    """The reference of each host's flavor."""
    query = select(Host.name, Flavor.ref).outerjoin(Flavor, Flavor.id == Host.flavor_id)
    async with world.factory() as session:
        rows = await session.execute(query.where(Host.inventory_id == world.inventory_id))
        return {row.name: row.ref for row in rows}


async def test_given_new_hosts_when_saved_then_their_links_are_there_with_them(world: World) -> None:
    counts = await deliver(world, host("h1", flavor="small"), host("h2", flavor="large"), host("h3"), flavor("small"))

    assert await flavors_of(world) == {"h1": "small", "h2": None, "h3": None}
    assert (counts["hosts"].created, counts["hosts"].updated, counts["hosts"].unconnected) == (3, 0, 1)


async def test_given_nothing_changed_when_refreshed_then_nothing_is_written(world: World) -> None:
    objects = (host("h1", flavor="small"), host("h2", flavor="none"), flavor("small"))

    await deliver(world, *objects)

    before = await world.row_versions()
    assert written(await deliver(world, *objects)) == 0
    assert await world.row_versions() == before


async def test_given_another_flavor_and_other_variables_when_refreshed_then_the_row_is_written_once(
    world: World,
) -> None:
    await deliver(world, host("h", flavor="small"), flavor("small"), flavor("large"))

    counts = await deliver(world, host("h", variables={"a": 1}, flavor="large"), flavor("small"), flavor("large"))

    assert await flavors_of(world) == {"h": "large"}
    assert (counts["hosts"].updated, await world.hosts()) == (1, {"h": {"a": 1}})


async def test_given_a_flavor_that_went_and_came_back_when_refreshed_then_unchanged_hosts_are_linked_again(
    world: World,
) -> None:
    await deliver(world, host("h1", flavor="small"), host("h2", flavor="small"), flavor("small"))
    await deliver(world, host("h1", flavor="small"), host("h2", flavor="small"))
    assert await flavors_of(world) == {"h1": None, "h2": None}

    counts = await deliver(world, host("h1", flavor="small"), host("h2", flavor="small"), flavor("small"))

    assert await flavors_of(world) == {"h1": "small", "h2": "small"}
    assert (counts["hosts"].updated, counts["hosts"].layers) == (2, 0)


async def test_given_two_sources_of_a_host_when_each_has_a_flavor_then_the_last_one_wins(world: World) -> None:
    await deliver(world, host("h", flavor="a"), flavor("a"), source="first")

    await deliver(world, host("h", flavor="b"), flavor("b"), source="second")

    assert await flavors_of(world) == {"h": "b"}
    async with world.factory() as session:
        count = select(func.count()).select_from(Flavor).where(Flavor.inventory_id == world.inventory_id)
        assert await session.scalar(count) == 2


async def test_given_a_disk_of_a_host_known_by_the_provider_when_saved_then_it_finds_the_host(world: World) -> None:
    def disk(persister: Any) -> Any:
        owner = persister.hosts.lazy_find("i-1", ref="by_instance_id")
        return persister["disks"].build(ref="vol", host_id=owner, size=1)

    objects: tuple[Make, ...] = (disk, host("h", "i-1"))

    counts = await deliver(world, *objects)

    assert (counts["disks"].created, counts["disks"].unconnected) == (1, 0)
    assert written(await deliver(world, *objects)) == 0
