"""Inventories as Ansible reads them: the script document, or one host's variables, with a tag for their state."""

import hashlib
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import true
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.ansible.json_text import encode
from craton_inv.ansible.script import VERSION, host_document, hosts_by_name, render
from craton_inv.ansible.slices import Slice, parse_subset
from craton_inv.ansible.variables import merge
from craton_inv.errors import InvalidField, NotFound
from craton_inv.models import Host, Inventory
from craton_inv.repositories.inventory_view import InventoryViewRepository, Layer
from craton_inv.repositories.scope import Scope
from craton_inv.services.smart_inventories import hosts_of

SMART = "smart"


@dataclass(frozen=True)
class ScriptQuery:
    """What of an inventory is asked for. `host`: only that host's variables. `subset`: `slice2of5`, or "" for all."""

    hostvars: bool = False
    towervars: bool = False
    disabled: bool = False
    host: str = ""
    subset: str = ""


@dataclass(frozen=True)
class Script:
    """The answer as bytes of JSON; None when the caller knows the state that `tag` names."""

    tag: str
    body: bytes | None


async def inventory_script(
    session: AsyncSession, scope: Scope, inventory: Inventory, query: ScriptQuery, known: Container[str] = ()
) -> Script:
    """An inventory as AWX's script endpoint gives it. `known`: tags of what the caller has.

    Raises NotFound for a host that is not there (or disabled, unless `disabled`), BadRequest for a bad subset,
    InvalidFilter for a smart inventory whose stored search no longer fits.
    """
    return await _script(InventoryViewRepository(session, scope), inventory, [], query, known)


async def effective_script(
    session: AsyncSession, scope: Scope, inventory: Inventory, query: ScriptQuery, known: Container[str] = ()
) -> Script:
    """The same with the variables of the inventory's tenant and region below its own (Craton). Raises as above."""
    views = InventoryViewRepository(session, scope)
    return await _script(views, inventory, await views.layers_below(inventory), query, known)


async def host_script(session: AsyncSession, scope: Scope, name: str) -> Script:
    """The variables of the one enabled host of that name that the caller sees.

    Raises NotFound for none, InvalidField when several inventories have one.
    """
    rows = await InventoryViewRepository(session, scope).hosts_named(name, true())
    if not rows:
        raise NotFound("Not found.")
    if len(rows) > 1:
        raise InvalidField("host", "Several inventories have a host of this name: add inventory_id or region_id.")
    return known_by_content(encode(host_document(rows[0])), ())


async def _script(
    views: InventoryViewRepository,
    inventory: Inventory,
    layers: Sequence[Layer],
    query: ScriptQuery,
    known: Container[str],
) -> Script:
    part = parse_subset(query.subset) if query.subset else None
    if inventory.kind == SMART:
        # What a search finds depends on more than any counter tells: other inventories, facts, users, the time.
        return known_by_content(await _body(views, inventory, layers, query, part), known)
    numbers = [VERSION, *(layer.generation for layer in layers), inventory.generation]
    tag = f'"{".".join(map(str, numbers))}"'
    if tag in known:
        return Script(tag, None)
    return Script(tag, await _body(views, inventory, layers, query, part))


def known_by_content(body: bytes, known: Container[str]) -> Script:
    """The answer whose tag is a hash of it."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Script(tag, None if tag in known else body)


async def _body(
    views: InventoryViewRepository,
    inventory: Inventory,
    layers: Sequence[Layer],
    query: ScriptQuery,
    part: Slice | None,
) -> bytes:
    if query.host:
        rows = await views.hosts_named(
            query.host, hosts_of(inventory, Host.name == query.host), disabled=query.disabled
        )
        if not rows:
            raise NotFound("Not found.")
        return encode(host_document(rows[0]))
    variables = merge(*(layer.variables for layer in layers), inventory.variables)
    if inventory.kind == SMART:
        view = await views.search(
            hosts_of(inventory), variables=variables, host_variables=query.hostvars, disabled=query.disabled
        )
        if inventory.include_groups:
            # Cut first: no group comes along that has a host in another slice alone.
            view, part = await views.with_groups(replace(view, hosts=hosts_by_name(view, part))), None
    else:
        view = await views.load(inventory, variables=variables, host_variables=query.hostvars, disabled=query.disabled)
    return encode(render(view, hostvars=query.hostvars, towervars=query.towervars, part=part))
