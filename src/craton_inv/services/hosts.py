"""Hosts: made, changed and deleted under the rules that both dialects share."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import BadRequest
from craton_inv.models import Host, Inventory
from craton_inv.repositories.hosts import HostRepository
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.scope import Scope
from craton_inv.schemas.names import host_name_fault
from craton_inv.services import busy
from craton_inv.services.host_names import PORT_VARIABLE, split_port
from craton_inv.services.inventories import require_own_content
from craton_inv.services.name_rules import refuse_alike, require_name
from craton_inv.services.variables import set_variables, set_variables_text

TEXT = "variables_text"


async def create_host(session: AsyncSession, scope: Scope, inventory: Inventory, values: Mapping[str, Any]) -> Host:
    """Make a host of `inventory`. `values`: columns by name; `variables_text` is JSON or YAML, `variables` an object.

    Raises InvalidField, BadRequest for an inventory that owns no hosts or is being deleted, Duplicate, Forbidden.
    """
    require_own_content(inventory, "Host")
    host = Host(inventory_id=inventory.id, tenant_id=inventory.tenant_id, variables={}, variables_text="")
    _assign(host, values)
    await HostRepository(session, scope).add(host)
    await refuse_alike(session, host)
    return host


async def change_host(session: AsyncSession, scope: Scope, host: Host, values: Mapping[str, Any]) -> Host:
    """Write `values` to a host got with `lock=True`; its inventory cannot change. Raises as `create_host`."""
    name = host.name
    _assign(host, values)
    await HostRepository(session, scope).save(host)
    if host.name != name:
        await refuse_alike(session, host)
    return host


async def delete_host(session: AsyncSession, scope: Scope, host: Host) -> None:
    """Delete a host, its memberships and facts. Raises BadRequest, and Conflict while updates of its inventory run."""
    inventory = await InventoryRepository(session, scope).get(host.inventory_id)
    if inventory.pending_deletion:
        raise BadRequest("The inventory for this host is already being deleted.", key="error")
    if inventory.kind == "constructed":
        raise BadRequest("Delete constructed inventory hosts from input inventory.", key="error")
    await busy.refuse_while_updating(session, scope, inventory.id)
    await HostRepository(session, scope).delete(host)


def _assign(host: Host, values: Mapping[str, Any]) -> None:
    for column, value in values.items():
        if column not in (TEXT, "variables", "name"):
            setattr(host, column, value)
    if TEXT in values:
        set_variables_text(host, values[TEXT])
    if "variables" in values:
        set_variables(host, values["variables"])
    if "name" in values and values["name"] != host.name:
        name, port = split_port(values["name"])
        host.name = require_name(name, host_name_fault)
        if port is not None:
            set_variables(host, {**host.variables, PORT_VARIABLE: port})
