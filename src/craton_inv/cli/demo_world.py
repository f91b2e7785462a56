"""The records of the demonstration, made over REST as any client would; found again, not doubled, at a second run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from craton_inv.client import Client

TENANT = "demo"
DATACENTER, HERE = "datacenter", "workshop"
REGIONS = {DATACENTER: "The shop's machines, from an Ansible inventory of several files", HERE: "This machine"}


@dataclass(frozen=True)
class World:
    """Ids of what the demonstration works with. `inventories` and `sources` by region name."""

    tenant_id: int
    regions: dict[str, int]
    inventories: dict[str, int]
    sources: dict[str, int]


def make_world(api: Client, files: dict[str, Path]) -> World:
    """Tenant, two regions with their inventories, and a file source in each. `files`: inventory folder by region."""
    tenant = _one(api, "/v1/tenants", {"name": TENANT}, {"name": TENANT, "description": "Made by craton-inv demo"})
    regions, inventories, sources = {}, {}, {}
    for name, description in REGIONS.items():
        region = _one(api, f"/v1/regions/{tenant['id']}", {"name": name}, {"name": name, "description": description})
        regions[name], inventories[name] = region["id"], region["inventory_id"]
        sources[name] = _source(api, region["inventory_id"], name, files[name])
    return World(tenant["id"], regions, inventories, sources)


def _source(api: Client, inventory_id: int, name: str, path: Path) -> int:
    wanted = {"source": "file", "source_path": str(path), "overwrite": True}
    found = api.find("/v2/inventory_sources/", name=name, inventory=inventory_id)
    if found is None:
        found = api.post("/v2/inventory_sources/", {"name": name, "inventory": inventory_id, **wanted})
    elif found["source_path"] != str(path):
        found = api.patch(f"/v2/inventory_sources/{found['id']}/", wanted)
    return int(found["id"])


def _one(api: Client, path: str, key: dict[str, str], body: dict[str, str]) -> dict[str, Any]:
    for row in api.iterate(path):
        if all(row[name] == value for name, value in key.items()):
            return row
    made: dict[str, Any] = api.post(path, body)
    return made
