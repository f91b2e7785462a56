"""From AWX's natural keys to ids: organization; name and organization; name, inventory and organization."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Group, Host, Inventory, InventorySource, Label, Project, Tenant
from craton_inv.repositories.base import MAX_ID

_OWNED: dict[str, Any] = {"hosts": Host, "groups": Group, "inventory_sources": InventorySource}
_TENANTS: dict[str, Any] = {"labels": Label, "projects": Project}
# How many names make the key of a kind of object.
LEVELS = {
    "organizations": 1,
    "inventories": 2,
    "labels": 2,
    "projects": 2,
    "hosts": 3,
    "groups": 3,
    "inventory_sources": 3,
}


async def find_named_id(session: AsyncSession, plural: str, names: Sequence[str]) -> int | None:
    """The id of the object with this key, whoever asks: the caller must read it within the scope of who does."""
    if any("\0" in name for name in names):
        return None
    query = select(Tenant.id).where(Tenant.name == names[-1])
    if plural == "organizations":
        return await session.scalar(query)
    if plural in _TENANTS:
        owned = _TENANTS[plural]
        return await session.scalar(select(owned.id).where(owned.tenant_id.in_(query), owned.name == names[0]))
    inventories = select(Inventory.id).where(Inventory.tenant_id.in_(query), Inventory.name == names[-2])
    if plural == "inventories":
        return await session.scalar(inventories)
    model = _OWNED[plural]
    found: int | None = await session.scalar(
        select(model.id).where(model.inventory_id.in_(inventories), model.name == names[0])
    )
    return found


async def find_all_named(session: AsyncSession, plural: str, which: str) -> list[tuple[int, str]]:
    """The hosts, groups or sources that have this id or name, whoever asks: the id, and where each is, in words."""
    model = _OWNED[plural]
    query = (
        select(model.id, Inventory.name, Tenant.name)
        .join(Inventory, Inventory.id == model.inventory_id)
        .join(Tenant, Tenant.id == model.tenant_id)
        .order_by(model.id)
    )
    by_id = which.isascii() and which.isdigit() and int(which) <= MAX_ID
    if by_id:
        found = (await session.execute(query.where(model.id == int(which)))).all()
        if found:
            return [(row[0], f"inventory {row[1]} of {row[2]}") for row in found]
    rows = await session.execute(query.where(model.name == which.replace("\0", "")))
    return [(row[0], f"inventory {row[1]} of {row[2]}") for row in rows]
