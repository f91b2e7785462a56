"""Deliveries of dry runs in the database: kept piece by piece, read back, and let go when they expire."""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from craton_inv.models import UpdateDelivery, UpdateDeliveryChunk

_CHUNKS: Table = UpdateDeliveryChunk.__table__  # type: ignore[assignment]


async def keep(
    session: AsyncSession,
    update_id: int,
    generation: int,
    hours: float,
    details: dict[str, Any],
    pieces: Iterable[tuple[str, int, bytes]],
) -> datetime:
    """Store a delivery, a statement a piece: memory is bounded by one. Returns when it expires."""
    expires: datetime = (await session.execute(select(func.now() + timedelta(hours=hours)))).scalar_one()
    session.add(UpdateDelivery(update_id=update_id, generation=generation, expires=expires, details=details))
    await session.flush()
    for collection, number, content in pieces:
        row = {"update_id": update_id, "collection": collection, "number": number, "content": content}
        await session.execute(insert(_CHUNKS).values(row))
    return expires


async def pieces_of(session: AsyncSession, update_id: int) -> AsyncIterator[tuple[str, bytes]]:
    """The pieces of a delivery in order, read one at a time."""
    query = (
        select(_CHUNKS.c.collection, _CHUNKS.c.content)
        .where(_CHUNKS.c.update_id == update_id)
        .order_by(_CHUNKS.c.collection, _CHUNKS.c.number)
    )
    async for collection, content in await session.stream(query, execution_options={"yield_per": 1}):
        yield collection, content


async def find(session: AsyncSession, update_id: int, *, lock: bool = False) -> tuple[UpdateDelivery | None, bool]:
    """The delivery of a dry run, and whether it has expired by the database's clock; locked if it is to be applied."""
    query = select(UpdateDelivery, UpdateDelivery.expires <= func.now()).where(UpdateDelivery.update_id == update_id)
    if lock:
        query = query.with_for_update(of=UpdateDelivery)
    row = (await session.execute(query.execution_options(populate_existing=True))).one_or_none()
    return (None, True) if row is None else (row[0], bool(row[1]))


async def drop_pieces(session: AsyncSession, update_id: int) -> None:
    """Let the rows of an applied delivery go; that it was applied stays known."""
    await session.execute(delete(_CHUNKS).where(_CHUNKS.c.update_id == update_id))


async def forget_expired(session: AsyncSession, most: int) -> int:
    """Delete expired deliveries, at most so many. Returns how many went."""
    old = select(UpdateDelivery.update_id).where(UpdateDelivery.expires <= func.now())
    done = await session.execute(
        delete(UpdateDelivery)
        .where(UpdateDelivery.update_id.in_(old.order_by(UpdateDelivery.expires).limit(most)))
        .execution_options(synchronize_session=False)
    )
    return int(getattr(done, "rowcount", 0))
