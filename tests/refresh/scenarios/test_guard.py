"""The deletion guard: a provider that suddenly delivers little or nothing does not empty the inventory."""

import pytest

from craton_inv.errors import UpdateFailed
from craton_inv.refresh.guard import DeletionGuard
from tests.refresh.world import World, document

MANY = [f"h{n}" for n in range(50)]


async def test_given_a_source_that_never_delivered_when_its_answer_is_empty_then_that_is_fine(world: World) -> None:
    await world.refresh(document())

    assert await world.hosts() == {}


async def test_given_fifty_hosts_when_more_than_half_would_go_then_it_is_refused_with_the_figures(world: World) -> None:
    await world.refresh(document(MANY))

    with pytest.raises(UpdateFailed, match="would delete 26 of 50 hosts; at most 25"):
        await world.refresh(document(MANY[:24]))

    assert len(await world.hosts()) == 50


async def test_given_fifty_hosts_when_half_of_them_go_then_that_is_allowed(world: World) -> None:
    await world.refresh(document(MANY))

    await world.refresh(document(MANY[:25]))

    assert len(await world.hosts()) == 25


async def test_given_few_hosts_when_twenty_of_them_go_then_that_is_allowed(world: World) -> None:
    await world.refresh(document(MANY[:21]))

    await world.refresh(document(MANY[:1]))

    assert len(await world.hosts()) == 1


async def test_given_force_delete_when_all_hosts_are_gone_then_the_guard_lets_them_go(world: World) -> None:
    await world.refresh(document(MANY))

    await world.refresh(document(), force_delete=True)

    assert await world.hosts() == {}


async def test_given_memberships_when_all_would_go_then_they_are_guarded_too(world: World) -> None:
    await world.refresh(document(MANY, {"g": MANY}))

    with pytest.raises(UpdateFailed, match="50 of 50 memberships"):
        await world.refresh(document(MANY, {"g": []}))


async def test_given_no_overwrite_when_hosts_are_not_delivered_then_the_guard_does_not_count_them(world: World) -> None:
    await world.refresh(document(MANY))

    await world.refresh(document(MANY[:1]), delete=False)

    assert len(await world.hosts()) == 50


@pytest.mark.parametrize(
    ("gone", "owned", "fine"), [(20, 20, True), (21, 21, False), (50, 100, True), (51, 100, False)]
)
def test_given_a_number_that_would_go_when_judged_then_the_larger_of_twenty_and_half_is_the_limit(
    gone: int, owned: int, fine: bool
) -> None:
    if fine:
        DeletionGuard().check("hosts", gone, owned)
    else:
        with pytest.raises(UpdateFailed):
            DeletionGuard().check("hosts", gone, owned)
