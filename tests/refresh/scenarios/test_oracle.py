"""Deliveries at random, full ones and parts, held against a few lines of Python that say what must be there."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.refresh.cloud import DISKS, FLAVORS, MACHINES, Cloud, Make, disk, flavor, total
from tests.refresh.world import World

REFS, FAMILIES, SLOTS = ("m1", "m2", "m3"), ("a", "b"), ("0", "1")


@dataclass(frozen=True)
class Delivery:
    """What one refresh brings. Machines: what they send of size, flavor and parent; disks and flavors: their size."""

    full: bool
    machines: dict[str, dict[str, Any]]
    disks: dict[tuple[str, str], int]
    flavors: dict[str, int]

    def make(self) -> list[Make]:
        """The objects."""
        machines = [_machine(ref, sent) for ref, sent in self.machines.items()]
        disks = [disk(ref, slot, size=size) for (ref, slot), size in self.disks.items()]
        return [*disks, *machines, *(flavor(family, "x", cpus=cpus) for family, cpus in self.flavors.items())]


def _machine(ref: str, sent: dict[str, Any]) -> Make:
    def make(cloud: Cloud) -> Any:
        values = {name: value for name, value in sent.items() if name == "size"}
        if "flavor" in sent:
            values["flavor_id"] = sent["flavor"] and cloud.flavors.lazy_find(sent["flavor"], "x")
        if "parent" in sent:
            values["parent_id"] = sent["parent"] and cloud.machines.lazy_find(sent["parent"])
        return cloud.machines.build(ref=ref, **values)

    return make


@dataclass
class Oracle:
    """What must be there. A machine's links are what it last said; they lead to what is there.

    One whose target goes while the machine does not speak of it is forgotten: nobody says it any more.
    """

    machines: dict[str, dict[str, Any]] = field(default_factory=dict)
    disks: dict[tuple[str, str], int] = field(default_factory=dict)
    flavors: dict[str, int] = field(default_factory=dict)

    def take(self, delivery: Delivery) -> None:
        """One refresh."""
        before = self._there()
        for ref, sent in delivery.machines.items():
            self.machines[ref] = {"size": None, "flavor": None, "parent": None, **self.machines.get(ref, {}), **sent}
        self.flavors |= delivery.flavors
        if delivery.full:
            self.machines = {ref: self.machines[ref] for ref in delivery.machines}
            self.flavors = dict(delivery.flavors)
        for ref, sent in delivery.machines.items():
            for name, known in self._there().items():
                target = self.machines[ref][name]
                if name not in sent and target in before[name] and target not in known:
                    self.machines[ref][name] = None
        gone = set(self.disks) if delivery.full else {key for key in self.disks if key[0] in delivery.machines}
        self.disks = {key: size for key, size in self.disks.items() if key not in gone} | delivery.disks
        self.disks = {key: size for key, size in self.disks.items() if key[0] in self.machines}

    def _there(self) -> dict[str, set[str]]:
        """What links may lead to."""
        return {"flavor": set(self.flavors), "parent": set(self.machines)}

    def rows(self) -> tuple[Any, ...]:
        """As `saved` gives them."""
        machines = {
            ref: (each["size"], *(each[name] if each[name] in known else None for name, known in self._there().items()))
            for ref, each in self.machines.items()
        }
        return machines, self.disks, self.flavors

    def waiting(self) -> set[tuple[str, str]]:
        """Links that lead nowhere."""
        return {
            (ref, f"{name}_id")
            for ref, each in self.machines.items()
            for name, known in self._there().items()
            if each[name] is not None and each[name] not in known
        }


async def saved(cloud: Cloud) -> tuple[Any, ...]:
    """Machines, disks and flavors as they are."""
    flavors = {row_id: (family, cpus) for row_id, family, cpus in await cloud.rows(FLAVORS, "id", "family", "cpus")}
    rows = await cloud.rows(MACHINES, "id", "ref", "size", "flavor_id", "parent_id")
    refs = {row_id: ref for row_id, ref, *_ in rows}
    machines = {
        ref: (size, flavors[flavor_id][0] if flavor_id else None, refs.get(parent_id))
        for _, ref, size, flavor_id, parent_id in rows
    }
    disks = await cloud.rows(DISKS, "machine_id", "slot", "size")
    return machines, {(refs[owner], slot): size for owner, slot, size in disks}, dict(flavors.values())


_sent = st.fixed_dictionaries(
    {},
    optional={
        "size": st.none() | st.integers(0, 2),
        "flavor": st.none() | st.sampled_from(FAMILIES),
        "parent": st.none() | st.sampled_from(REFS),
    },
)
_deliveries = st.lists(
    st.builds(
        Delivery,
        full=st.booleans(),
        machines=st.dictionaries(st.sampled_from(REFS), _sent),
        disks=st.dictionaries(st.tuples(st.sampled_from(REFS), st.sampled_from(SLOTS)), st.integers(0, 2)),
        flavors=st.dictionaries(st.sampled_from(FAMILIES), st.integers(1, 2)),
    ),
    min_size=1,
    max_size=5,
)


async def _held_against(engine: AsyncEngine, deliveries: list[Delivery]) -> None:
    world = await World.make(engine)
    cloud, oracle = Cloud(engine, await world.source()), Oracle()
    for delivery in deliveries:
        save = cloud.refresh if delivery.full else cloud.stream
        await save(*delivery.make())
        oracle.take(delivery)
        assert await saved(cloud) == oracle.rows()
        waiting = await cloud.unconnected("object_ref", "attribute", "collection")
        assert {(ref["ref"], name) for ref, name, of in waiting if of == "machines"} == oracle.waiting()
        assert total(await save(*delivery.make())) == 0


@settings(max_examples=12, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(deliveries=_deliveries)
async def test_given_deliveries_at_random_when_saved_then_rows_and_waiting_links_are_as_the_oracle_has_them(
    refresh_engine: AsyncEngine, cloud_tables: None, deliveries: list[Delivery]
) -> None:
    await _held_against(refresh_engine, deliveries)


@pytest.mark.full
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(deliveries=_deliveries)
async def test_given_many_deliveries_at_random_when_saved_then_rows_and_waiting_links_are_as_the_oracle_has_them(
    refresh_engine: AsyncEngine, cloud_tables: None, deliveries: list[Delivery]
) -> None:
    await _held_against(refresh_engine, deliveries)
