"""Groups: made, changed and deleted under the rules that both dialects share."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Group, Inventory
from craton_inv.repositories.activity import record
from craton_inv.repositories.content_locks import lock_nesting
from craton_inv.repositories.groups import GroupRepository
from craton_inv.repositories.scope import Scope
from craton_inv.schemas.names import group_name_fault
from craton_inv.services import busy
from craton_inv.services.inventories import require_own_content
from craton_inv.services.name_rules import refuse_alike, require_name
from craton_inv.services.variables import set_variables, set_variables_text

TEXT = "variables_text"


async def create_group(session: AsyncSession, scope: Scope, inventory: Inventory, values: Mapping[str, Any]) -> Group:
    """Make a group of `inventory`. `values` as for hosts. Raises InvalidField, BadRequest, Duplicate, Forbidden."""
    require_own_content(inventory, "Group")
    group = Group(inventory_id=inventory.id, tenant_id=inventory.tenant_id, variables={}, variables_text="")
    _assign(group, values)
    await GroupRepository(session, scope).add(group)
    await refuse_alike(session, group)
    return group


async def change_group(session: AsyncSession, scope: Scope, group: Group, values: Mapping[str, Any]) -> Group:
    """Write `values` to a group got with `lock=True`; its inventory cannot change. Raises as `create_group`."""
    name = group.name
    _assign(group, values)
    await GroupRepository(session, scope).save(group)
    if group.name != name:
        await refuse_alike(session, group)
    return group


async def group_to_delete(session: AsyncSession, scope: Scope, group_id: int) -> Group:
    """The group, locked after the nesting of its inventory. Raises NotFound."""
    groups = GroupRepository(session, scope)
    await lock_nesting(session, (await groups.get(group_id)).inventory_id)
    return await groups.get(group_id, lock=True)


async def delete_group(session: AsyncSession, scope: Scope, group: Group) -> None:
    """Delete a group with what is only in it: sub-groups without another parent, hosts left in no group (AWX).

    The group was got by `group_to_delete`. Raises Busy while updates of its inventory run.
    """
    await busy.refuse_while_updating(session, scope, group.inventory_id)
    await GroupRepository(session, scope).delete_recursive(group)
    await record(session, "delete", group)


async def dissolve_group(session: AsyncSession, scope: Scope, group: Group) -> None:
    """Delete a group got by `group_to_delete`, giving its children and hosts to its parents first."""
    await busy.refuse_while_updating(session, scope, group.inventory_id)
    await GroupRepository(session, scope).delete_promoting(group)
    await record(session, "delete", group)


def _assign(group: Group, values: Mapping[str, Any]) -> None:
    for column, value in values.items():
        if column not in (TEXT, "variables", "name"):
            setattr(group, column, value)
    if "name" in values and values["name"] != group.name:
        group.name = require_name(values["name"], group_name_fault)
    if TEXT in values:
        set_variables_text(group, values[TEXT])
    if "variables" in values:
        set_variables(group, values["variables"])
