"""Variables over a dozen refreshes of two sources, held against plain Python that keeps a layer for each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.refresh.world import World, document, written

SOURCES, HOSTS, KEYS = ("first", "second"), ("h1", "h2"), ("a", "b", "c")
Variables = Mapping[str, Any]


@dataclass(frozen=True)
class Refresh:
    """What a source sends, and with which of AWX's two switches."""

    source: str
    hosts: dict[str, dict[str, Any]]
    overwrite: bool
    overwrite_vars: bool


@dataclass(frozen=True)
class ByHand:
    """What a person makes of a host's variables."""

    host: str
    variables: dict[str, Any]


@dataclass
class Oracle:
    """`layers`: by source what it last said of each host; `shown`: the variables of each host there is."""

    layers: dict[str, dict[str, Variables]] = field(default_factory=lambda: {source: {} for source in SOURCES})
    shown: dict[str, Variables] = field(default_factory=dict)

    def take(self, step: Refresh | ByHand) -> None:
        """One step."""
        if isinstance(step, ByHand):
            if step.host in self.shown:
                self.shown[step.host] = step.variables
            return
        for host, sent in step.hosts.items():
            self._say(step, host, sent)
        if step.overwrite:
            for host in [host for host in self.layers[step.source] if host not in step.hosts]:
                self._leave(step, host)

    def _say(self, step: Refresh, host: str, sent: Variables) -> None:
        """These keys win; what the source says no more goes, unless somebody changed it."""
        others = self._others(step.source, host)
        if step.overwrite_vars:
            self.shown[host] = {**others, **sent}
        else:
            said, shown = self.layers[step.source].get(host, {}), self.shown.get(host, {})
            left = {key for key in said if key not in sent and key in shown and shown[key] == said[key]}
            kept = {key: value for key, value in shown.items() if key not in left}
            back = {key: value for key, value in others.items() if key in left}
            self.shown[host] = {**kept, **back, **sent}
        self.layers[step.source][host] = sent

    def _leave(self, step: Refresh, host: str) -> None:
        """The source has the host no more; the last one takes it along."""
        self._say(step, host, {})
        del self.layers[step.source][host]
        if not any(host in layer for layer in self.layers.values()):
            del self.shown[host]

    def _others(self, source: str, host: str) -> Variables:
        """What the other source says; of two the one made later would win, here there is but one."""
        return {
            key: value
            for other in SOURCES
            if other != source
            for key, value in self.layers[other].get(host, {}).items()
        }


_variables = st.dictionaries(st.sampled_from(KEYS), st.integers(1, 3))
_refreshes = st.builds(
    Refresh,
    source=st.sampled_from(SOURCES),
    hosts=st.dictionaries(st.sampled_from(HOSTS), _variables),
    overwrite=st.booleans(),
    overwrite_vars=st.booleans(),
)
_by_hand = st.builds(ByHand, host=st.sampled_from(HOSTS), variables=_variables)
# A dozen refreshes, with what a person does before each of them.
_steps = st.lists(st.tuples(st.none() | _by_hand, _refreshes), min_size=12, max_size=12)


async def _held_against(engine: AsyncEngine, steps: list[tuple[ByHand | None, Refresh]]) -> None:
    world, oracle = await World.make(engine), Oracle()
    for source in SOURCES:
        await world.source(source)
    for by_hand, step in steps:
        if by_hand is not None:
            await world.set_variables(by_hand.host, by_hand.variables)
            oracle.take(by_hand)
        for again in (False, True):
            options = {"delete": step.overwrite, "replace": step.overwrite_vars, "force_delete": True}
            counts = await world.refresh(document(step.hosts), source=step.source, **options)
            oracle.take(step)
            assert await world.hosts() == oracle.shown, step
            assert not again or written(counts) == 0, step


@settings(max_examples=5, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(steps=_steps)
async def test_a_dozen_refreshes_of_two_sources_leave_the_variables_that_their_layers_say(
    refresh_engine: AsyncEngine, steps: list[tuple[ByHand | None, Refresh]]
) -> None:
    await _held_against(refresh_engine, steps)


@pytest.mark.full
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(steps=_steps)
async def test_many_dozens_of_refreshes_of_two_sources_leave_the_variables_that_their_layers_say(
    refresh_engine: AsyncEngine, steps: list[tuple[ByHand | None, Refresh]]
) -> None:
    await _held_against(refresh_engine, steps)
