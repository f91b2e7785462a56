"""From the asks to the end of a run: targets, hooks, one run per source, and how it is told."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv.refresh.counts import Counts
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Target, Targets
from tests.refresh.racks import SOURCE, WHOLE, refresh


class Hooked(Refresher):
    """Notes its steps; asks for one rack more."""

    steps: list[str]

    async def before(self) -> None:
        """First of all."""
        type(self).steps = ["before"]

    async def before_targets(self, targets: Targets) -> Targets:
        """One more."""
        self.steps.append("before targets")
        return targets.including(Target.of(SOURCE, "racks", {"room": "r2", "name": "b"}))

    async def collect(self) -> None:
        """Overridden, as every step may be."""
        self.steps.append(f"collect {len(self.collector.targets.items)}")
        await super().collect()

    async def after_targets(self, targets: Targets, counts: dict[str, Counts]) -> None:
        """In the transaction."""
        self.steps.append(f"after targets {counts['racks'].deleted}")

    async def after(self, counts: dict[str, Counts]) -> None:
        """Last."""
        self.steps.append("after")


@pytest.mark.usefixtures("rack_tables")
async def test_given_hooks_when_targets_are_refreshed_then_they_run_in_their_order_and_may_add_some(
    refresh_engine: AsyncEngine,
) -> None:
    await refresh(refresh_engine, **WHOLE)

    await refresh(refresh_engine, [("racks", {"room": "r1", "name": "a"})], refresher=Hooked)

    assert Hooked.steps == ["before", "before targets", "collect 2", "after targets 2", "after"]


@pytest.mark.usefixtures("rack_tables")
async def test_given_hooks_when_the_whole_source_is_refreshed_then_those_of_targets_do_not_run(
    refresh_engine: AsyncEngine,
) -> None:
    await refresh(refresh_engine, refresher=Hooked, **WHOLE)

    assert Hooked.steps == ["before", "collect 0", "after"]


def test_given_targets_written_in_another_order_when_compared_then_they_are_equal_and_stay_paired() -> None:
    one = Target.of(1, "racks", {"room": "r", "name": "a"})
    other = Target.of(1, "racks", {"name": "a", "room": "r"})
    assert {one, other} == {one}
    targets = Targets(1, frozenset({one, Target.of(1, "racks", {"name": "z"})}))
    assert targets.references("racks", "room", "name") == {("r", "a")}
    assert targets.values("racks", "name") == {"z"}
    assert targets.references("racks") == {("a", "r"), ("z",)}
    assert not targets.references("slots")
