"""Inventories: made, changed, and handed to the worker for deletion."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv import filters
from craton_inv.ansible.json_guard import text_fault
from craton_inv.errors import BadRequest, Conflict, InvalidField, InvalidFilter, MethodNotAllowed
from craton_inv.filters.patterns import bad_pattern, patterns_of
from craton_inv.models import Host, Inventory, Tenant
from craton_inv.queue.jobs import enqueue
from craton_inv.repositories import input_inventories, labels
from craton_inv.repositories.inventories import InventoryRepository
from craton_inv.repositories.patterns import first_fault
from craton_inv.repositories.scope import WRITE, Scope
from craton_inv.schemas.names import name_fault
from craton_inv.services import busy, source_credentials
from craton_inv.services.constructed_sources import make_source
from craton_inv.services.name_rules import require_name
from craton_inv.services.pending_deletion import refuse_pending_tenant
from craton_inv.services.projects import refuse_to_move
from craton_inv.services.variables import set_variables, set_variables_text

TEXT = "variables_text"
MANUAL, SMART, CONSTRUCTED = "", "smart", "constructed"


class NotManual(InvalidField):
    """The inventory owns no content of its own: it is a search, or put together from others."""

    def __init__(self, message: str) -> None:
        super().__init__("inventory", message, code="inventory.not_manual")
        self.message = message


async def create_inventory(session: AsyncSession, scope: Scope, tenant: Tenant, values: Mapping[str, Any]) -> Inventory:
    """Make an inventory; `values` as for hosts, `kind`, `host_filter`, `include_groups`.

    Raises InvalidField, Duplicate, Forbidden, Conflict for a tenant that is being deleted.
    """
    scope.require(tenant.id, WRITE, "inventories")
    refuse_pending_tenant(tenant)
    inventory = Inventory(tenant_id=tenant.id, kind=MANUAL, host_filter=None, variables={}, variables_text="")
    inventory.kind = _known_kind(values.get("kind"))
    _assign(inventory, values)
    await _check_patterns(session, values.get("host_filter"))
    await InventoryRepository(session, scope).add(inventory)
    if inventory.kind == CONSTRUCTED:
        await make_source(session, scope, inventory)
    return inventory


async def change_inventory(
    session: AsyncSession, scope: Scope, inventory: Inventory, values: Mapping[str, Any]
) -> Inventory:
    """Write `values` to an inventory got with `lock=True`; to another tenant it takes its labels along, by name.

    Raises MethodNotAllowed when its kind would change.
    """
    InventoryRepository(session, scope).authorize(inventory)
    kind = _known_kind(values.get("kind", inventory.kind))
    if kind != inventory.kind:
        raise MethodNotAllowed(
            'You cannot turn a regular inventory into a "smart" or "constructed" inventory.', key="error"
        )
    tenant_id = values.get("tenant_id", inventory.tenant_id)
    moved = tenant_id != inventory.tenant_id
    if moved:
        scope.require(tenant_id, WRITE, "inventories")
        refuse_pending_tenant(await session.get_one(Tenant, tenant_id))
        scope.require(inventory.tenant_id, WRITE, "inventories")
        if await input_inventories.has_part(session, inventory.id):
            raise InvalidField(
                "organization", "A constructed inventory and its inputs are of one organization; detach them first."
            )
        await refuse_to_move(session, inventory.id)
        await source_credentials.refuse_to_move(session, inventory.id)
        await labels.begin_move(session)
    _assign(inventory, values)
    await _check_patterns(session, values.get("host_filter"))
    await InventoryRepository(session, scope).save(inventory)
    if moved:
        await labels.end_move(session, inventory, scope.user_id)
    return inventory


async def delete_inventory(session: AsyncSession, scope: Scope, inventory: Inventory) -> int:
    """Mark an inventory got with `lock=True` and let the worker delete it. Returns the job's id.

    Raises BadRequest when that was asked before, Busy while updates run.
    """
    repository = InventoryRepository(session, scope)
    repository.authorize(inventory)
    if inventory.pending_deletion:
        raise BadRequest("Inventory is already pending deletion.", key="error")
    region = await repository.region_of(inventory)
    if region is not None:
        raise Conflict(
            f'The inventory belongs to the region "{region}"; delete that instead.', code="inventory.of_region"
        )
    await busy.refuse_while_updating(session, scope, inventory.id)
    inventory.pending_deletion = True
    await repository.save(inventory)
    return await enqueue(
        session,
        "delete_inventory",
        {"inventory_id": inventory.id},
        unique_key=f"delete_inventory:{inventory.id}",
    )


def require_own_content(inventory: Inventory, thing: str) -> None:
    """Raise BadRequest unless hosts, groups and sources can be made in it. `thing`: AWX's word for the new one."""
    if inventory.kind != MANUAL:
        raise NotManual(f"Cannot create {thing} for Smart or Constructed Inventories")
    if inventory.pending_deletion:
        raise BadRequest("The inventory is being deleted.", key="error")


def _known_kind(kind: str | None) -> str:
    if kind not in (None, MANUAL, SMART, CONSTRUCTED):
        raise InvalidField("kind", f'"{kind}" is not a valid choice.')
    return kind or MANUAL


def _assign(inventory: Inventory, values: Mapping[str, Any]) -> None:
    for column, value in values.items():
        if column not in (TEXT, "variables", "name", "kind", "host_filter"):
            setattr(inventory, column, value)
    if "name" in values and values["name"] != inventory.name:
        inventory.name = require_name(values["name"], name_fault)
    if "host_filter" in values:
        inventory.host_filter = values["host_filter"] or None
        if inventory.host_filter is not None:
            check_host_filter(inventory.host_filter)
    if inventory.kind == SMART and inventory.host_filter is None:
        raise InvalidField("host_filter", "Smart inventories must specify host_filter")
    if inventory.include_groups and inventory.kind != SMART:
        raise InvalidField("include_groups", "Only a smart inventory can include the groups of its hosts.")
    if TEXT in values:
        set_variables_text(inventory, values[TEXT])
    if "variables" in values:
        set_variables(inventory, values["variables"])


def check_host_filter(text: str) -> None:
    """Raise InvalidField with the sentence of the search when it would be refused there."""
    fault = text_fault(text)
    if fault:
        raise InvalidField("host_filter", f"The filter {fault}.")
    try:
        filters.validate(text, Host)
    except InvalidFilter as error:
        raise InvalidField("host_filter", error.message, code=error.code) from error


async def _check_patterns(session: AsyncSession, host_filter: str | None) -> None:
    """Raise InvalidField for a regular expression that PostgreSQL would refuse once there is a host to try it on."""
    terms = patterns_of(filters.parse(host_filter) if host_filter else None, Host)
    fault = await first_fault(session, [term.value.text for term in terms])
    if fault is not None:
        place, said = fault
        refused = bad_pattern(terms[place], said)
        raise InvalidField("host_filter", refused.message, code=refused.code)
