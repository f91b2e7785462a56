"""What the outside says: here, a made-up cloud. A real collector asks an API, page by page."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from craton_inv.refresh.collector import Collector
from craton_inv.refresh.target import Targets

MACHINES_OF_A_RACK = 20
SIZES = {"small": (2, 4096), "large": (8, 32768)}  # cpus, MiB of memory


@dataclass(frozen=True)
class Machine:
    """One machine as the made-up cloud describes it."""

    id: str
    name: str
    address: str
    mac: str
    running: bool
    size: str
    rack: str


class ExampleCollector(Collector):
    """Offers `machines`, `sizes` and `racks`; a targeted refresh gets only what was asked for, and what that needs."""

    def __init__(self, targets: Targets, prefix: str, count: int) -> None:
        super().__init__(targets)
        self.prefix = prefix
        self.count = count

    async def machines(self) -> AsyncIterator[Machine]:
        """The machines, numbered from 1; every fifth is switched off, every fourth is large."""
        wanted = self.values("hosts", "name") | self.values("hosts", "instance_id")
        for number in range(1, self.count + 1):
            machine = self._machine(number)
            if self.targets.full or not wanted.isdisjoint((machine.name, machine.id)):
                self.add_target("flavors", ref=machine.size)
                self.add_target("hypervisors", ref=machine.rack)
                yield machine

    async def sizes(self) -> AsyncIterator[str]:
        """The sizes that machines come in."""
        for size in SIZES:
            if self.targets.full or size in self.values("flavors", "ref"):
                yield size

    async def racks(self) -> AsyncIterator[str]:
        """What the machines run on."""
        for number in range(1, self.count // MACHINES_OF_A_RACK + 2):
            if self.targets.full or f"rack-{number}" in self.values("hypervisors", "ref"):
                yield f"rack-{number}"

    def _machine(self, number: int) -> Machine:
        parts = number // 65536, number // 256 % 256, number % 256
        return Machine(
            id=f"i-{number:08x}",
            name=f"{self.prefix}-{number}",
            address=f"10.{parts[0]}.{parts[1]}.{parts[2]}",
            mac=f"02:00:00:{parts[0]:02x}:{parts[1]:02x}:{parts[2]:02x}",
            running=number % 5 != 0,
            size="large" if number % 4 == 0 else "small",
            rack=f"rack-{number // MACHINES_OF_A_RACK + 1}",
        )
