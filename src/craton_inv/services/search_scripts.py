"""What a host_filter finds as Ansible reads it: in one inventory, or across all that the caller sees."""

from collections.abc import Container

from sqlalchemy import and_
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.ansible.json_text import encode
from craton_inv.ansible.script import render
from craton_inv.ansible.spread import spread
from craton_inv.ansible.variables import merge
from craton_inv.filters import compile_where
from craton_inv.filters.nodes import Node
from craton_inv.models import Host, Inventory
from craton_inv.repositories.hosts import first_of_each_name
from craton_inv.repositories.inventory_view import InventoryViewRepository
from craton_inv.repositories.scope import Scope
from craton_inv.services.scripts import SMART, Script, known_by_content
from craton_inv.services.smart_inventories import hosts_of


async def search_script(
    session: AsyncSession, scope: Scope, search: Node, inventory: Inventory | None, known: Container[str] = ()
) -> Script:
    """The enabled hosts that `search` finds, with the groups they are in and the variables that hold for them.

    Across inventories the lowest id stands for hosts of one name, as in a smart inventory. `known`: tags of what the
    caller has; the tag is one of the content. Raises InvalidFilter.
    """
    views = InventoryViewRepository(session, scope)
    if inventory is None:
        condition = first_of_each_name(and_(scope.where(Host), Host.enabled, compile_where(search, Host)))
        found = await views.with_groups(await views.search(condition, variables={}))
        view = spread(found, await views.owners(found))
    else:
        layers = await views.layers_below(inventory)
        variables = merge(*(layer.variables for layer in layers), inventory.variables)
        condition = and_(hosts_of(inventory), compile_where(search, Host))
        view = await views.search(condition, variables=variables)
        if inventory.kind != SMART or inventory.include_groups:
            view = await views.with_groups(view)
    return known_by_content(encode(render(view, hostvars=True)), known)
