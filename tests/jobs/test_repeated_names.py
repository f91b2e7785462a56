"""Two machines of one name: one host is kept, and whoever reads the update sees that the other one is missing."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from craton_inv.models import InventoryUpdate
from craton_inv.providers import registry
from craton_inv.providers.base import Provider, SourceDefinition, Surroundings
from craton_inv.providers.inventory_persister import InventoryPersister
from craton_inv.refresh.collector import Collector
from craton_inv.refresh.inventory_object import InventoryObject
from craton_inv.refresh.parser import Parser
from craton_inv.refresh.refresher import Refresher
from craton_inv.refresh.target import Targets
from tests.jobs.updates import Updates

Machines = Sequence[tuple[str, str]]


class Named(Provider):
    """`machines`: ids and names; each in a group `all_of_them`, with a disk."""

    kind = "test-named"
    allow_targeted_refresh = True

    def __init__(self, machines: Machines) -> None:
        self.machines = machines

    def refresher(self, definition: SourceDefinition, targets: Targets, around: Surroundings) -> Refresher:
        """The machines."""
        persister = InventoryPersister(definition.inventory_id)
        persister.add_collection("disks")
        return Refresher(Collector(targets), NamedParser(self.machines, persister), persister, around.progress)

    def sample(self, folder: Path) -> SourceDefinition:
        """Nothing to keep."""
        return SourceDefinition(0, 0, 0, self.kind)


class NamedParser(Parser):
    """A host a machine."""

    def __init__(self, machines: Machines, persister: InventoryPersister) -> None:
        self.machines = machines
        self.persister = persister

    async def parse(self) -> AsyncIterator[InventoryObject]:
        """Hosts, linked by their ids."""
        hosts, groups = self.persister.hosts, self.persister.groups
        yield groups.build(name="all_of_them", variables={})
        for machine, name in self.machines:
            yield hosts.build(name=name, instance_id=machine, variables={})
            host = hosts.lazy_find(machine, ref="by_instance_id")
            yield self.persister.memberships.build(group_id=groups.lazy_find("all_of_them"), host_id=host)
            yield self.persister["disks"].build(ref=f"{machine}/a", name="a", host_id=host)


async def refreshed(
    updates: Updates, monkeypatch: pytest.MonkeyPatch, machines: Machines, **values: Any
) -> InventoryUpdate:
    """An update of these machines, at its end."""
    monkeypatch.setitem(registry.providers(), Named.kind, Named(machines))
    return await updates.run(source=Named.kind, overwrite=True, **values)


async def missing(updates: Updates, row: InventoryUpdate) -> list[str]:
    """What the update said of missing hosts."""
    return [event.stdout for event in await updates.events(row.id) if "missing" in event.stdout]


async def test_a_host_that_took_the_name_of_another_is_told(updates: Updates, monkeypatch: pytest.MonkeyPatch) -> None:
    row = await refreshed(updates, monkeypatch, [("i-1", "web"), ("i-2", "db"), ("i-3", "web")])
    assert row.status == "successful"
    assert (await updates.world.host("web")).instance_id == "i-3"
    assert row.result["collections"]["hosts"]["repeated"] == 1
    assert row.result["masked"] == {"hosts": {"total": 1, "shown": [{"name": "web", "instance_id": "i-1"}]}}
    assert await missing(updates, row) == [
        "1 of the hosts is missing, for another one of the same name was delivered after it: web (i-1)."
    ]


async def test_a_dry_run_tells_it_as_well(updates: Updates, monkeypatch: pytest.MonkeyPatch) -> None:
    machines = [("i-1", "web"), ("i-3", "web")]
    row = await refreshed(updates, monkeypatch, machines, options={"dry_run": True})
    assert row.result["masked"]["hosts"]["total"] == 1
    assert len(await missing(updates, row)) == 1


async def test_of_many_hosts_ten_are_told(updates: Updates, monkeypatch: pytest.MonkeyPatch) -> None:
    machines = [(f"i-{number:04}", f"m-{number % 600:03}") for number in range(1200)]
    row = await refreshed(updates, monkeypatch, machines)
    told = row.result["masked"]["hosts"]
    assert (told["total"], [each["name"] for each in told["shown"]]) == (
        600,
        [f"m-{number:03}" for number in range(10)],
    )
    [line] = await missing(updates, row)
    assert line.startswith("600 of the hosts are missing, for others of the same names were delivered after them: ")
    assert line.endswith("m-008 (i-0008), m-009 (i-0009) and 590 others.")


@pytest.mark.parametrize("machines", [[("i-1", "web"), ("i-2", "db")], [("i-1", "web"), ("i-1", "web")]])
async def test_a_machine_that_is_delivered_twice_is_not_missing(
    updates: Updates, monkeypatch: pytest.MonkeyPatch, machines: list[tuple[str, str]]
) -> None:
    row = await refreshed(updates, monkeypatch, machines)
    assert row.result["masked"] == {}
    assert await missing(updates, row) == []
