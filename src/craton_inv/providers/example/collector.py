"""What the outside says: here, a made-up cloud. A real collector asks an API, page by page."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from craton_inv.refresh.collector import Collector
from craton_inv.refresh.target import Targets


@dataclass(frozen=True)
class Machine:
    """One machine as the made-up cloud describes it."""

    id: str
    name: str
    address: str
    running: bool


class ExampleCollector(Collector):
    """Offers `machines`, and nothing else; a targeted refresh gets only those it asked for."""

    def __init__(self, targets: Targets, prefix: str, count: int) -> None:
        super().__init__(targets)
        self.prefix = prefix
        self.count = count

    async def machines(self) -> AsyncIterator[Machine]:
        """The machines, numbered from 1; every fifth is switched off."""
        names, ids = self.values("hosts", "name"), self.values("hosts", "instance_id")
        for number in range(1, self.count + 1):
            name = f"{self.prefix}-{number}"
            machine_id = f"i-{number:08x}"
            if self.targets.full or name in names or machine_id in ids:
                address = f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"
                yield Machine(machine_id, name, address, running=number % 5 != 0)
