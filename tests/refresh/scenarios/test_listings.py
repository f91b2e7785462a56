"""Lists of all references beside a delivery of some objects: what is neither listed nor delivered goes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from craton_inv.errors import UpdateFailed
from craton_inv.refresh.inventory_collection import InvalidCollection
from tests.refresh.deliveries import CloudPersister, deliver, disk, disks, host
from tests.refresh.world import World

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def listed(world: World, name: str, *args: Any, make: tuple[Any, ...] = (), **options: Any) -> None:
    """A partial refresh with a list; a function among `args` gets the persister."""
    persister = CloudPersister(world.inventory_id)
    given = [each(persister) if callable(each) else each for each in args]
    persister.list_all(name, *given)
    await deliver(world, *make, targets=[], persister=persister, **options)


async def test_given_a_list_of_all_hosts_when_one_is_not_on_it_then_it_goes_and_what_is_delivered_stays(
    world: World,
) -> None:
    await deliver(world, host("a"), host("b"), host("c"))

    await listed(world, "hosts", [{"name": "a"}], make=(host("new"),))

    assert set(await world.hosts()) == {"a", "new"}


async def test_given_no_list_when_a_part_is_delivered_then_nothing_goes(world: World) -> None:
    await deliver(world, host("a"), host("b"))

    await deliver(world, host("a"), targets=[])

    assert set(await world.hosts()) == {"a", "b"}


async def test_given_an_empty_list_of_one_host_s_disks_when_saved_then_all_of_that_host_go_and_no_others(
    world: World,
) -> None:
    await deliver(world, host("a"), host("b"), disk("a1", "a"), disk("a2", "a"), disk("b1", "b"))

    await listed(world, "disks", [], lambda persister: [{"host_id": persister.hosts.lazy_find("a")}])

    assert set(await disks(world)) == {"b1"}


async def test_given_a_list_of_one_host_s_disks_when_saved_then_others_are_not_compared_with_it(world: World) -> None:
    await deliver(world, host("a"), host("b"), disk("a1", "a"), disk("a2", "a"), disk("b1", "b"))

    await listed(world, "disks", [{"ref": "a2"}], lambda persister: [{"host_id": persister.hosts.lazy_find("a")}])

    assert set(await disks(world)) == {"a2", "b1"}


async def test_given_a_list_whose_scope_is_empty_when_saved_then_nothing_goes(world: World) -> None:
    await deliver(world, host("a"), disk("a1", "a"))

    await listed(world, "disks", [], [])

    assert set(await disks(world)) == {"a1"}


async def test_given_a_host_asked_for_after_the_list_was_made_when_it_is_not_on_it_then_it_stays(world: World) -> None:
    await deliver(world, host("old"), version=NOON)
    await deliver(world, host("new"), targets=[], version=NOON + timedelta(minutes=2))

    await listed(world, "hosts", [], None, NOON + timedelta(minutes=1))

    assert set(await world.hosts()) == {"new"}


async def test_given_an_empty_list_of_the_whole_source_when_saved_then_the_guard_stops_it(world: World) -> None:
    await deliver(world, *(host(f"h{number}") for number in range(50)))
    with pytest.raises(UpdateFailed, match="would delete 50 of 50 hosts"):
        await listed(world, "hosts", [])
    assert len(await world.hosts()) == 50

    await listed(world, "hosts", [], force_delete=True)

    assert await world.hosts() == {}


async def test_given_two_sources_when_one_lists_its_hosts_then_those_of_the_other_stay(world: World) -> None:
    await deliver(world, host("theirs"), source="other")
    await deliver(world, host("ours"))

    await listed(world, "hosts", [])

    assert set(await world.hosts()) == {"theirs"}


@pytest.mark.parametrize(
    ("name", "refs", "scope", "before", "reason"),
    [
        ("memberships", [], None, None, "its rows cannot be listed"),
        ("hosts", [{"colour": "red"}], None, None, "names colour beside name"),
        ("disks", [], [{"planet": 1}], None, "names planet"),
        ("disks", [], [{"size": 1}, {"ref": "x"}], None, "names ref beside size"),
    ],
)
def test_given_a_list_by_unknown_columns_when_it_is_made_then_it_is_refused_by_name(
    name: str, refs: Any, scope: Any, before: Any, reason: str
) -> None:
    persister = CloudPersister(1)

    with pytest.raises(InvalidCollection, match=reason):
        persister.list_all(name, refs, scope, before)

    persister.close()
