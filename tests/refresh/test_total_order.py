"""Refreshes that save the same objects at once, in opposite orders: they wait for each other and none is lost."""

import asyncio

import pytest

from tests.refresh.cloud import DISKS, Cloud, Make, disk, machine

COUNT = 3000
ROUNDS = 8


def delivery(size: int, numbers: range) -> list[Make]:
    """Machines with a disk each, in the order of `numbers`; no smaller collection before makes the runs take turns."""
    return [machine(f"m{n}", size=size) for n in numbers] + [disk(f"m{n}", "0", size=size) for n in numbers]


@pytest.mark.full
async def test_given_two_runs_in_opposite_order_when_they_upsert_at_once_then_none_is_a_victim(cloud: Cloud) -> None:
    forward, backward = range(COUNT), range(COUNT - 1, -1, -1)
    for size in range(1, ROUNDS + 1):
        await asyncio.gather(
            cloud.stream(*delivery(size, forward), delete=False),
            cloud.stream(*delivery(size, backward), delete=False),
        )
        assert set((await cloud.by_ref("size")).values()) == {size}
    assert len(await cloud.rows(DISKS, "id")) == COUNT


async def test_what_two_runs_insert_at_once_is_there_once_and_keeps_what_only_one_of_them_sent(cloud: Cloud) -> None:
    numbers = range(200)
    await asyncio.gather(
        cloud.stream(*(machine(f"m{n}", size=n) for n in numbers), delete=False),
        cloud.stream(*(machine(f"m{n}", note=f"n{n}") for n in reversed(numbers)), delete=False),
    )
    assert await cloud.by_ref("size") == {f"m{n}": n for n in numbers}
    assert await cloud.by_ref("note") == {f"m{n}": f"n{n}" for n in numbers}
