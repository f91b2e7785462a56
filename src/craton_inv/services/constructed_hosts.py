"""Hosts of constructed inventories: each comes from a host of an input, whose id is its instance id."""

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Host, Inventory
from craton_inv.repositories.base import MAX_ID
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.scope import Scope
from craton_inv.services.inventories import CONSTRUCTED


async def original_of(session: AsyncSession, scope: Scope, host: Host) -> Host | None:
    """The host that one of a constructed inventory comes from; None for any other host, and when that one is gone."""
    if not (host.instance_id.isascii() and host.instance_id.isdecimal()) or int(host.instance_id) > MAX_ID:
        return None
    inventory = await session.get_one(Inventory, host.inventory_id)
    if inventory.kind != CONSTRUCTED:
        return None
    original = await HostRepository(session, scope).find(int(host.instance_id))
    return original if original is not None and original.tenant_id == host.tenant_id else None
