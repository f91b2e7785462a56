"""Taking a source off its hosts, some at a time: links, what these lead to, disks, ports, what it said of them."""

from typing import Any

from sqlalchemy import ColumnElement, case, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import Disk, Flavor, Host, HostSource, Hypervisor, Image, Membership, NetworkPort
from craton_inv.repositories.deletions import keep_lists_short
from craton_inv.repositories.sets import any_of

_LINKED: tuple[tuple[Any, Any], ...] = (
    (Host.parent_host_id, Hypervisor),
    (Host.flavor_id, Flavor),
    (Host.image_id, Image),
)


async def release_hosts(session: AsyncSession, source_id: int, size: int, mark: ColumnElement[bool]) -> int:
    """Take a source off the next `size` hosts that it delivers. Returns how many were found; below `size` no more.

    The hosts stay, with their variables. One write a host, where each table for itself would need three; hosts and
    links are locked first, in the order of `content_locks`, for the first statement that writes takes the inventory.
    """
    layers = HostSource.inventory_source_id == source_id
    query = select(HostSource.host_id).where(layers, mark).order_by(HostSource.host_id).limit(size)
    ids = [*await session.scalars(query)]
    if not ids:
        return 0
    await keep_lists_short(session)
    these = any_of(Host.id, ids)
    await session.execute(select(Host.id).where(these).order_by(Host.id).with_for_update(key_share=True))
    mine = any_of(Membership.host_id, ids) & Membership.source_ids.contains([source_id])
    places = (Membership.group_id, Membership.host_id)
    await session.execute(select(*places).where(mine).order_by(*places).with_for_update(key_share=True))
    linked = {column: column.in_(select(to.id).where(to.inventory_source_id == source_id)) for column, to in _LINKED}
    emptied = {column.key: case((going, None), else_=column) for column, going in linked.items()}
    statements: tuple[Any, ...] = (
        update(Membership).where(mine).values(source_ids=func.array_remove(Membership.source_ids, source_id)),
        update(Host).where(these, or_(*linked.values())).values(emptied),
        *(
            delete(model).where(model.inventory_source_id == source_id, any_of(model.host_id, ids))
            for model in (Disk, NetworkPort, HostSource)
        ),
    )
    for statement in statements:
        await session.execute(statement.execution_options(synchronize_session=False))
    return len(ids)
