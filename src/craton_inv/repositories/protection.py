"""What sources with `read_only` deliver: it is neither renamed nor deleted, and keeps what the source says of it.

Hand-made variables beside the source's own may still come and go. Refreshes, the deletion of a whole inventory and the
deletion of all that a source made go round this: they are no changes by hand.
"""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, any_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.errors import Conflict
from craton_inv.models import Group, GroupEdge, GroupSource, Host, HostSource, InventorySource, Membership
from craton_inv.repositories.sets import any_of

CODE = "source.read_only"


async def refuse_change(session: AsyncSession, row: Host | Group) -> None:
    """Raise Conflict when the pending change of a row touches what a read-only source provides. One statement."""
    if not session.is_modified(row):
        return
    with session.no_autoflush:  # the row as it is stored, before the change
        found = (await session.execute(_layers(row))).all()
    for source, enabled_var, provided, stored in found:
        if row.name != stored["name"]:
            raise _refused(row, stored["name"], source, "cannot be renamed")
        if isinstance(row, Host):
            if enabled_var and row.enabled != stored["enabled"]:
                raise _refused(row, row.name, source, "gets enabled from its source")
            if stored["instance_id"] and row.instance_id != stored["instance_id"]:
                raise _refused(row, row.name, source, "gets instance_id from its source")
        for key in provided:
            if not _same(stored["variables"], row.variables, key):
                raise _refused(row, row.name, source, f"gets its variable {key!r} from its source")


async def refuse_deletion(session: AsyncSession, *, hosts: Collection[int] = (), groups: Collection[int] = ()) -> None:
    """Raise Conflict, naming the first of these hosts and groups that a read-only source delivers."""
    for model, layer, key, ids in (
        (Host, HostSource, HostSource.host_id, hosts),
        (Group, GroupSource, GroupSource.group_id, groups),
    ):
        if not ids:
            continue
        query = (
            select(model.name, InventorySource.name)
            .join_from(layer, InventorySource, InventorySource.id == layer.inventory_source_id)
            .join(model, model.id == key)
            .where(any_of(key, ids), InventorySource.read_only)
            .order_by(model.name)
            .limit(1)
        )
        found = (await session.execute(query)).first()
        if found is not None:
            raise Conflict(_text(model.__name__, found[0], found[1], "cannot be deleted"), code=CODE)


async def refuse_unlinking(session: AsyncSession, link: type[Membership | GroupEdge], *where: Any) -> None:
    """Raise Conflict when a link between two rows is delivered by a read-only source."""
    query = (
        select(InventorySource.name)
        .join_from(link, InventorySource, InventorySource.id == any_(link.source_ids))
        .where(*where, InventorySource.read_only, InventorySource.inventory_id == link.inventory_id)
        .limit(1)
    )
    name = await session.scalar(query)
    if name is not None:
        raise Conflict(f'This link is delivered by the source "{name}", which is read-only; it stays.', code=CODE)


def _layers(row: Host | Group) -> Select[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """Of each read-only source of a row: its name, its enabled_var, what it says, and the row's own stored columns."""
    model, layer = (Host, HostSource) if isinstance(row, Host) else (Group, GroupSource)
    key = HostSource.host_id if isinstance(row, Host) else GroupSource.group_id
    stored: list[Any] = ["name", model.name, "variables", model.variables]
    if isinstance(row, Host):
        stored += ["enabled", Host.enabled, "instance_id", Host.instance_id]
    return (
        select(InventorySource.name, InventorySource.enabled_var, layer.variables, func.jsonb_build_object(*stored))
        .join_from(layer, InventorySource, InventorySource.id == layer.inventory_source_id)
        .join(model, model.id == key)
        .where(key == row.id, InventorySource.read_only)
        .order_by(InventorySource.id)
    )


def _same(before: dict[str, Any], after: dict[str, Any], key: str) -> bool:
    # Of JSON the type counts too: 1 equals true in Python alone.
    return (key in before) == (key in after) and _json(before.get(key)) == _json(after.get(key))


def _json(value: Any) -> str:
    """A value as JSON in which the order of keys does not count."""
    return json.dumps(value, sort_keys=True)


def _refused(row: Host | Group, name: Any, source: str, what: str) -> Conflict:
    return Conflict(_text(type(row).__name__, name, source, what), code=CODE)


def _text(kind: str, name: Any, source: str, what: str) -> str:
    return f'{kind} "{name}" {what}: the source "{source}" is read-only.'
