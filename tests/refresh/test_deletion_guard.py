"""The deletion guard: a provider that suddenly delivers little or nothing does not empty the inventory."""

import pytest

from craton_inv.errors import UpdateFailed
from craton_inv.refresh.guard import DeletionGuard
from tests.refresh.world import World, document

MANY = [f"h{n}" for n in range(50)]


async def test_an_empty_answer_of_a_source_that_never_delivered_is_fine(world: World) -> None:
    await world.refresh(document())
    assert await world.hosts() == {}


async def test_more_than_half_is_refused_with_the_figures(world: World) -> None:
    await world.refresh(document(MANY))
    with pytest.raises(UpdateFailed, match="would delete 26 of 50 hosts; at most 25"):
        await world.refresh(document(MANY[:24]))
    assert len(await world.hosts()) == 50


async def test_half_is_allowed(world: World) -> None:
    await world.refresh(document(MANY))
    await world.refresh(document(MANY[:25]))
    assert len(await world.hosts()) == 25


async def test_twenty_objects_may_always_go(world: World) -> None:
    await world.refresh(document(MANY[:21]))
    await world.refresh(document(MANY[:1]))
    assert len(await world.hosts()) == 1


async def test_force_delete_goes_past_the_guard(world: World) -> None:
    await world.refresh(document(MANY))
    await world.refresh(document(), force_delete=True)
    assert await world.hosts() == {}


async def test_memberships_are_guarded_too(world: World) -> None:
    await world.refresh(document(MANY, {"g": MANY}))
    with pytest.raises(UpdateFailed, match="50 of 50 memberships"):
        await world.refresh(document(MANY, {"g": []}))


async def test_the_guard_does_not_count_what_is_kept_without_overwrite(world: World) -> None:
    await world.refresh(document(MANY))
    await world.refresh(document(MANY[:1]), delete=False)
    assert len(await world.hosts()) == 50


@pytest.mark.parametrize(
    ("gone", "owned", "fine"), [(20, 20, True), (21, 21, False), (50, 100, True), (51, 100, False)]
)
def test_the_larger_of_twenty_and_half_is_the_limit(gone: int, owned: int, fine: bool) -> None:
    if fine:
        DeletionGuard().check("hosts", gone, owned)
    else:
        with pytest.raises(UpdateFailed):
            DeletionGuard().check("hosts", gone, owned)
