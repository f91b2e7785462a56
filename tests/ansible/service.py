"""A running service, and Ansible's programs in a home of their own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from craton_inv.db.session import make_session_factory, unit_of_work
from craton_inv.models import Inventory
from craton_inv.providers import registry
from craton_inv.providers.base import SourceDefinition, Surroundings
from craton_inv.refresh.saving import SaveOptions
from craton_inv.refresh.target import Targets
from craton_inv.settings import Settings, examples_dir
from tests.factories import make_inventory, make_source

SCRIPT = examples_dir() / "craton_inventory.py"
SOURCES = str(Path(__file__).parents[2] / "src")
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Service:
    """A running service, the token of an administrator, and the way into its database."""

    url: str
    token: str
    settings: Settings
    engine: AsyncEngine

    async def load(self, path: Path) -> Inventory:
        """Refresh a new inventory from `path` as a worker would."""
        async with unit_of_work(make_session_factory(self.engine)) as session:
            inventory = await make_inventory(session)
            source = await make_source(session, inventory=inventory, source_path=str(path))
        definition = SourceDefinition(source.id, inventory.id, inventory.tenant_id, "file", source_path=str(path))
        refresher = registry.get("file").refresher(definition, Targets(source.id), Surroundings(self.settings))
        scope = {"inventory_id": inventory.id, "tenant_id": inventory.tenant_id}
        try:
            await refresher.gather()
            async with self.engine.begin() as connection:
                await refresher.save(connection, SaveOptions(source.id, scope, delete=True))
        finally:
            await refresher.close()
        return inventory

    def environment(self, home: Path, inventory: Inventory) -> dict[str, str]:
        """What Ansible and the script need, nothing of the caller's own."""
        return {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "PYTHONPATH": SOURCES,
            "ANSIBLE_LOCAL_TEMP": str(home / "local"),
            "ANSIBLE_REMOTE_TEMP": str(home / "remote"),
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1",
            "ANSIBLE_NOCOLOR": "1",
            "CRATON_INV_URL": self.url,
            "CRATON_INV_TOKEN": self.token,
            "CRATON_INV_INVENTORY": str(inventory.id),
        }


def run(*command: str, env: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    """A program in its own home."""
    return subprocess.run(command, env=env, cwd=env["HOME"], capture_output=True, timeout=60, check=False)
