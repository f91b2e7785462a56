"""A world in PostgreSQL, asked through craton_inv."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, insert, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import (
    Disk,
    Flavor,
    Group,
    GroupEdge,
    Host,
    HostFacts,
    HostLabel,
    HostSource,
    Hypervisor,
    Image,
    Inventory,
    InventoryLabel,
    InventorySource,
    Label,
    Membership,
    Network,
    NetworkPort,
    Region,
    SmartInventoryMembership,
    Tenant,
    User,
)
from tests.filters.reference.rows import Row, World
from tests.filters.reference.schema import KINDS, Type

MODELS: dict[str, Any] = {
    "user": User,
    "tenant": Tenant,
    "inventory": Inventory,
    "region": Region,
    "source": InventorySource,
    "label": Label,
    "group": Group,
    "hypervisor": Hypervisor,
    "flavor": Flavor,
    "image": Image,
    "network": Network,
    "host": Host,
    "disk": Disk,
    "network_port": NetworkPort,
}
# Relations to one row, which the column of that name with _id holds.
REFERRING = (
    *("tenant", "inventory_source", "inventory", "region", "created_by", "modified_by"),
    *("parent_host", "flavor", "image", "host", "network"),
)


async def store(session: AsyncSession, world: World) -> None:
    """Insert the rows of a world; each gets the ids that the database gives."""
    for kind, model in MODELS.items():
        made = [model(**_columns(row)) for row in world.rows[kind]]
        if kind == "region":  # each owns an inventory, which no filter of this world reaches
            owned = [Inventory(tenant_id=region.tenant_id, name=f"of region {region.name}") for region in made]
            session.add_all(owned)
            await session.flush()
            for region, inventory in zip(made, owned, strict=True):
                region.inventory_id = inventory.id
        session.add_all(made)
        await session.flush()
        for row, stored in zip(world.rows[kind], made, strict=True):
            row.cells |= {name: getattr(stored, name) for name in KINDS[kind].fields if name not in row.cells}
    for host in world.hosts:
        if "ansible_facts" in host.documents:
            await session.execute(
                insert(HostFacts).values(host_id=host.cells["id"], facts=host.documents["ansible_facts"])
            )
    links: dict[Any, list[dict[str, Any]]] = {
        Membership: [
            {"group_id": group.cells["id"], "host_id": host.cells["id"], "inventory_id": host.cells["inventory_id"]}
            for host in world.hosts
            for group in host.links["groups"]
        ],
        GroupEdge: [
            {"parent_id": one.cells["id"], "child_id": other.cells["id"], "inventory_id": one.cells["inventory_id"]}
            for one in world.rows["group"]
            for other in one.links["children"]
        ],
        HostSource: [
            {"inventory_source_id": source.cells["id"], "host_id": host.cells["id"], "ref": "r", "digest": b"d"}
            for host in world.hosts
            for source in host.links["inventory_sources"]
        ],
        InventoryLabel: [
            {"label_id": label.cells["id"], "inventory_id": one.cells["id"], "tenant_id": one.cells["tenant_id"]}
            for one in world.rows["inventory"]
            for label in one.links["labels"]
        ],
        HostLabel: [
            {"label_id": label.cells["id"], "host_id": host.cells["id"]}
            | {name: host.cells[name] for name in ("inventory_id", "tenant_id")}
            for host in world.hosts
            for label in host.links["labels"]
        ],
        SmartInventoryMembership: [
            {"inventory_id": inventory.cells["id"], "host_id": host.cells["id"]}
            for host in world.hosts
            for inventory in host.links["smart_inventories"]
        ],
    }
    for model, rows in links.items():
        if rows:
            await session.execute(insert(model), rows)


def _columns(row: Row) -> dict[str, Any]:
    columns: dict[str, Any] = {
        name: str(cell) if KINDS[row.kind].fields[name] is Type.ADDRESS and cell is not None else cell
        for name, cell in row.cells.items()
    }
    for link in REFERRING:
        for related in row.links.get(link, ()):
            columns[f"{link}_id"] = related.cells["id"]
            if link == "inventory":
                columns["tenant_id"] = related.cells["tenant_id"]
    if row.cells.get("kind") == "smart":
        columns["host_filter"] = "id > 0"
    if "variables" in row.documents:
        columns |= {"variables": row.documents["variables"], "variables_text": row.texts["variables"]}
    return columns


async def judge(session: AsyncSession, patterns: Sequence[str]) -> None:
    """Have PostgreSQL refuse the regular expressions that are none, as each search does first."""
    if patterns:
        await session.execute(select(*(literal("").regexp_match(pattern) for pattern in dict.fromkeys(patterns))))


async def ask(session: AsyncSession, conditions: Sequence[ColumnElement[bool]]) -> list[list[str]]:
    """Names of the hosts that each condition takes, sorted; all in one statement."""
    statement = union_all(
        *(
            select(literal(number).label("number"), Host.name.label("name")).where(condition)
            for number, condition in enumerate(conditions)
        )
    )
    taken: list[list[str]] = [[] for _ in conditions]
    for number, name in await session.execute(statement):
        taken[number].append(name)
    return [sorted(found) for found in taken]
