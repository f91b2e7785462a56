"""Inventory sources in the database, and the file uploaded to one."""

import hashlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import (
    Group,
    GroupEdge,
    GroupSource,
    Host,
    HostSource,
    InventorySource,
    InventorySourceUpload,
    Membership,
)
from craton_inv.repositories.base import Repository


class InventorySourceRepository(Repository[InventorySource]):
    """Sources of the caller's tenants."""

    model = InventorySource
    label = "Inventory source"
    # A refresh refers to its source in every row it writes: an update must be launched meanwhile.
    lock_shares_key = True
    unique_texts = {  # noqa: RUF012 - a constant of the class
        "uq_inventory_sources_inventory_id_name": "Inventory source with this Name and Inventory already exists."
    }

    async def of_inventory(self, inventory_id: int) -> list[InventorySource]:
        """All sources of an inventory, by name."""
        query = self.visible().where(in_inventory(inventory_id))
        rows = await self.session.scalars(query.order_by(InventorySource.name, InventorySource.id))
        return [*rows]

    async def uploads(self, source_ids: Iterable[int]) -> dict[int, InventorySourceUpload]:
        """What is uploaded to these sources, without the content: one statement."""
        rows = await self.session.scalars(
            select(InventorySourceUpload).where(InventorySourceUpload.inventory_source_id.in_(sorted(set(source_ids))))
        )
        return {row.inventory_source_id: row for row in rows}

    async def save_upload(self, source: InventorySource, filename: str, content: bytes) -> None:
        """Keep an uploaded inventory, in place of an earlier one."""
        self.authorize(source)
        values = {
            "filename": filename,
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "content": content,
        }
        await self.session.execute(
            insert(InventorySourceUpload)
            .values(inventory_source_id=source.id, **values)
            .on_conflict_do_update(index_elements=[InventorySourceUpload.inventory_source_id], set_=values)
        )

    async def delete(self, row: InventorySource) -> None:
        """Delete the source and take it off the links it delivered: another one may let them go later."""
        self.authorize(row)
        for link in (Membership, GroupEdge):
            mine = (link.inventory_id == row.inventory_id) & link.source_ids.contains([row.id])
            await self.session.execute(
                update(link)
                .where(mine)
                .values(source_ids=func.array_remove(link.source_ids, row.id))
                .execution_options(synchronize_session=False)
            )
        await super().delete(row)

    async def delete_upload(self, source: InventorySource) -> str | None:
        """Forget the uploaded inventory. Returns its file name; None when there is none."""
        self.authorize(source)
        name: str | None = await self.session.scalar(
            delete(InventorySourceUpload)
            .where(InventorySourceUpload.inventory_source_id == source.id)
            .returning(InventorySourceUpload.filename)
        )
        return name


def _made(model: type[Host] | type[Group], source_id: int) -> Select[Any]:
    """Ids of the hosts or groups that a source made: a person's are never among them."""
    link, key = (HostSource, HostSource.host_id) if model is Host else (GroupSource, GroupSource.group_id)
    return (
        select(model.id)
        .join(link, key == model.id)
        .where(link.inventory_source_id == source_id, model.manual.is_(False))
    )


async def count_made(session: AsyncSession, model: type[Host] | type[Group], source_id: int) -> tuple[int, int]:
    """How many hosts or groups a source made, and the highest id among them (0 without any)."""
    made = _made(model, source_id).subquery()
    row = (await session.execute(select(func.count(), func.coalesce(func.max(made.c.id), 0)).select_from(made))).one()
    return int(row[0]), int(row[1])


async def delete_made_chunk(
    session: AsyncSession, model: type[Host] | type[Group], source_id: int, up_to: int, size: int
) -> int:
    """Delete at most `size` hosts or groups that a source made, none above the id `up_to`. Returns how many went."""
    chunk = _made(model, source_id).where(model.id <= up_to).limit(size)
    statement = delete(model).where(model.id.in_(chunk)).returning(model.id)
    gone = await session.scalars(statement.execution_options(synchronize_session=False))
    return len(gone.all())


async def delete_marked(session: AsyncSession, source_id: int) -> None:
    """Delete a source that is marked for deletion, with the little that it has left."""
    marked = (InventorySource.id == source_id) & InventorySource.pending_deletion
    await session.execute(delete(InventorySource).where(marked).execution_options(synchronize_session=False))


async def unmark(session: AsyncSession, source_id: int) -> None:
    """The deletion was given up: the source is an ordinary one again, with what is left of it."""
    statement = update(InventorySource).where(InventorySource.id == source_id).values(pending_deletion=False)
    await session.execute(statement.execution_options(synchronize_session=False))


async def any_with_credential(session: AsyncSession, inventory_id: int) -> bool:
    """Whether a source of an inventory logs in with a credential."""
    query = select(InventorySource.id).where(in_inventory(inventory_id), InventorySource.credential_id.is_not(None))
    return await session.scalar(query.limit(1)) is not None


def in_inventory(inventory_id: int) -> ColumnElement[bool]:
    """Sources of an inventory."""
    return InventorySource.inventory_id == inventory_id


def of_host(host_id: int) -> ColumnElement[bool]:
    """Sources that deliver a host."""
    return InventorySource.id.in_(select(HostSource.inventory_source_id).where(HostSource.host_id == host_id))


def of_group(group_id: int) -> ColumnElement[bool]:
    """Sources that deliver a group."""
    return InventorySource.id.in_(select(GroupSource.inventory_source_id).where(GroupSource.group_id == group_id))
