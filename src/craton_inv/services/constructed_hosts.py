"""Hosts of constructed inventories: each comes from a host of an input, whose id is its instance id."""

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from craton_inv.models import Host, Inventory
from craton_inv.repositories.base import MAX_ID
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.scope import Scope
from craton_inv.services.inventories import CONSTRUCTED
from craton_inv.services.smart_inventories import hosts_of

ID = "^[0-9]{1,18}$"  # what an instance id has to be for the id of a host


async def original_of(session: AsyncSession, scope: Scope, host: Host) -> Host | None:
    """The host that one of a constructed inventory comes from; None for any other host, and when that one is gone."""
    if not (host.instance_id.isascii() and host.instance_id.isdecimal()) or int(host.instance_id) > MAX_ID:
        return None
    inventory = await session.get_one(Inventory, host.inventory_id)
    if inventory.kind != CONSTRUCTED:
        return None
    original = await HostRepository(session, scope).find(int(host.instance_id))
    return original if original is not None and original.tenant_id == host.tenant_id else None


def keepers_of_facts(inventory: Inventory) -> ColumnElement[bool]:
    """The condition for the hosts that keep the facts of an inventory's: these themselves, or their originals."""
    if inventory.kind != CONSTRUCTED:
        return hosts_of(inventory)
    here = aliased(Host)
    originals = select(case((here.instance_id.op("~")(ID), cast(here.instance_id, BigInteger)))).where(
        here.inventory_id == inventory.id
    )
    return and_(Host.tenant_id == inventory.tenant_id, Host.id.in_(originals))
