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


async def test_what_is_not_listed_goes_and_what_is_delivered_stays(world: World) -> None:
    await deliver(world, host("a"), host("b"), host("c"))
    await listed(world, "hosts", [{"name": "a"}], make=(host("new"),))
    assert set(await world.hosts()) == {"a", "new"}


async def test_without_a_list_nothing_goes(world: World) -> None:
    await deliver(world, host("a"), host("b"))
    await deliver(world, host("a"), targets=[])
    assert set(await world.hosts()) == {"a", "b"}


async def test_an_empty_list_deletes_all_in_its_scope(world: World) -> None:
    # Given disks of two hosts, when the provider says that one has none, then those of the other stay.
    await deliver(world, host("a"), host("b"), disk("a1", "a"), disk("a2", "a"), disk("b1", "b"))
    await listed(world, "disks", [], lambda persister: [{"host_id": persister.hosts.lazy_find("a")}])
    assert set(await disks(world)) == {"b1"}


async def test_a_list_is_one_of_its_scope(world: World) -> None:
    await deliver(world, host("a"), host("b"), disk("a1", "a"), disk("a2", "a"), disk("b1", "b"))
    await listed(world, "disks", [{"ref": "a2"}], lambda persister: [{"host_id": persister.hosts.lazy_find("a")}])
    assert set(await disks(world)) == {"a2", "b1"}


async def test_a_list_of_no_scope_at_all_deletes_nothing(world: World) -> None:
    await deliver(world, host("a"), disk("a1", "a"))
    await listed(world, "disks", [], [])
    assert set(await disks(world)) == {"a1"}


async def test_what_was_asked_for_after_the_list_was_made_stays(world: World) -> None:
    await deliver(world, host("old"), version=NOON)
    await deliver(world, host("new"), targets=[], version=NOON + timedelta(minutes=2))
    await listed(world, "hosts", [], None, NOON + timedelta(minutes=1))
    assert set(await world.hosts()) == {"new"}


async def test_a_list_of_the_whole_source_is_held_to_the_guard(world: World) -> None:
    await deliver(world, *(host(f"h{number}") for number in range(50)))
    with pytest.raises(UpdateFailed, match="would delete 50 of 50 hosts"):
        await listed(world, "hosts", [])
    assert len(await world.hosts()) == 50
    await listed(world, "hosts", [], force_delete=True)
    assert await world.hosts() == {}


async def test_a_list_leaves_other_sources_alone(world: World) -> None:
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
def test_a_list_that_cannot_be_is_refused(name: str, refs: Any, scope: Any, before: Any, reason: str) -> None:
    persister = CloudPersister(1)
    with pytest.raises(InvalidCollection, match=reason):
        persister.list_all(name, refs, scope, before)
    persister.close()
